#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Files that `vigie serve` follows, and standard input: each line is counted once, whatever happens to the files and to it.

usage: tail.py VIGIE [KILLS]     the last line says what was found
"""
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

from service import Checks, Service

VIGIE = sys.argv[1]
KILLS = int(sys.argv[2]) if len(sys.argv) > 2 else 10
checks = Checks()
expect, until = checks.expect, checks.until
rng = random.Random(1)


def line(number, **more):
    return json.dumps({"id": f"id-{number}", "features": {"age": number % 80, "country": "FR"}, "prediction": "yes", **more}) + "\n"


def lines(first, last, **more):
    return "".join(line(i, **more) for i in range(first, last))


def sources(service):
    return {s["source"]: s for s in service.ask("GET", "/v1/sources")[1]}


def counted(service, wanted, model="m"):
    """The predictions and labels of the model, once they are as many as wanted."""
    return list(until(f"{wanted} of {model}", lambda: service.counted(model, 1), lambda got: got == wanted))


class Writer:
    """Writes a file line by line, and rotates it: by renaming, as logrotate does, or by copying and cutting off."""

    def __init__(self, path, make):
        self.path, self.make, self.count, self.turns = path, make, 0, 0
        self.stop = threading.Event()
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        out = open(self.path, "a")
        while not self.stop.is_set():
            for _ in range(rng.randint(1, 40)):
                with self.lock:
                    out.write(self.make(self.count))
                    self.count += 1
            out.flush()
            time.sleep(0.002)
            if rng.random() < 0.02:
                self.turns += 1
                old = f"{self.path}.{self.turns}"
                if self.turns % 2:
                    os.rename(self.path, old)
                    out.write(self.make(self.count))  # by who has the old one open
                    self.count += 1
                    out.close()
                    out = open(self.path, "a")
                else:
                    shutil.copyfile(self.path, old)
                    os.truncate(self.path, 0)
        out.close()

    def end(self):
        self.stop.set()
        self.thread.join()


def killed(folder):
    """Killed while it reads what is written and rotated."""
    data, logs = str(folder / "data"), folder / "logs"
    logs.mkdir()
    more = ["--source", f"file(path={logs}/predictions.log*, model=m)",
            "--source", f"file(path={logs}/labels.log*, model=m, kind=labels, id=request.id, label=truth)"]
    writers = [Writer(str(logs / "predictions.log"), line),
               Writer(str(logs / "labels.log"), lambda i: json.dumps({"request": {"id": f"id-{i}"}, "truth": "yes", "number": i}) + "\n")]
    for _ in range(KILLS):
        service = Service(VIGIE, data, more=more)
        time.sleep(rng.uniform(0.1, 1.5))
        service.end(signal.SIGKILL)
    for writer in writers:
        writer.end()
    expect("there was something to read", all(w.count > 1000 and w.turns > 4 for w in writers), True)
    service = Service(VIGIE, data, more=more)
    wanted = tuple(w.count for w in writers)
    until("all that was written is read", lambda: sources(service), lambda s: all(not x["lag_bytes"] and not x["trouble"] for x in s.values()))
    until("what was written is counted", lambda: list(service.counted("m", sum(wanted))), lambda got: got == list(wanted))
    expect("each prediction once", service.counted("m", 1)[0], wanted[0])
    status, page = service.ask("GET", "/v1/models/m")
    expect("each label", page["labels"], wanted[1])
    expect("SIGTERM", service.end(), 0)
    service = Service(VIGIE, data, more=more)
    until("where it stopped is known", lambda: sources(service), lambda s: all(x["files"] and not x["lag_bytes"] for x in s.values()))
    expect("nothing is read again", [s["duplicates"] + s["accepted"] for s in sources(service).values()], [0, 0])
    service.end()
    print(f"{KILLS} kills, {wanted} lines written, {[w.turns for w in writers]} times rotated")


def refused(folder):
    """Lines that are none, and what is said of them."""
    log = folder / "app.log"
    log.write_text(lines(0, 5) + "no json\n\n{\"features\": {}}\n[1]\n" + lines(5, 8) + "{\"id\": 1")
    with open(folder / "said.txt", "w") as said:
        service = Service(VIGIE, str(folder / "data"), more=["--source", f"file(path={log}, model=m)"], said=said)
    expect("good lines are kept", counted(service, (8, 0)), [8, 0])
    found = sources(service)["m/predictions"]
    expect("where bad ones are", [(r["file"], r["line"]) for r in found["last_rejected"]], [(str(log), n) for n in (6, 8, 9)])
    expect("why", found["last_rejected"][1]["error"], '"id" is missing')
    expect("counts", (found["accepted"], found["duplicates"], found["rejected"]), (8, 0, 3))
    expect("the half line waits", (found["lag_bytes"], found["files"][0]["read"]), (8, log.stat().st_size - 8))
    told = [l for l in (folder / "said.txt").read_text().splitlines() if str(log) in l]
    expect("three are said, and where the others are", (len(told), told[1].endswith(f'm/predictions: {log}:8: "id" is missing'), "/v1/sources" in told[2]),
           (3, True, True))
    metrics = service.ask("GET", "/metrics", read=bytes.decode)[1]
    for wanted in ('vigie_source_records_total{source="m/predictions",outcome="accepted"} 8',
                   'vigie_source_records_total{source="m/predictions",outcome="rejected"} 3',
                   'vigie_source_lag_bytes{source="m/predictions"} 8', 'vigie_source_failing{source="m/predictions"} 0'):
        expect(wanted, wanted in metrics, True)
    expect("with another method", service.ask("POST", "/v1/sources")[0], 405)
    service.end()


def waits(folder):
    """A journal that takes nothing, a file that may not be read or is not there: it waits, says so, and goes on."""
    log, shut, config, said = folder / "app.log", folder / "shut.log", folder / "vigie.yaml", folder / "said.txt"
    shut.write_text(lines(100, 200))
    shut.chmod(0)

    def write(models, *more):
        config.write_text(f"limits: {{models: {models}}}\nsource:\n"
                          + "".join(f"  - file({s})\n" for s in (f"path={log}, model=b", f"path={shut}, model=a, as=shut", *more)))

    # To root everything is open, unless it gives that up.
    program = folder / "vigie"
    drop = "setpriv --bounding-set=-dac_override,-dac_read_search " if os.geteuid() == 0 else ""
    program.write_text(f"#!/bin/sh\nexec {drop}{os.path.abspath(VIGIE)} \"$@\"\n")
    program.chmod(0o700)
    write(1)
    with open(said, "w") as words:
        service = Service(str(program), str(folder / "data"), more=["--config", str(config)], said=words)
    service.ask("POST", "/v1/models/a/predictions", line(0))
    log.write_text(lines(0, 100))
    until("what may not be read is said", lambda: sources(service)["shut"]["trouble"],
          lambda t: t == f"{shut}: cannot open: Permission denied")
    until("what is not accepted waits", lambda: sources(service)["b/predictions"]["trouble"],
          lambda t: t == 'waits: "b" would be one model too many')
    expect("nothing of it was read", sources(service)["b/predictions"]["lag_bytes"], log.stat().st_size)
    expect("it is well", service.ask("GET", "/healthz")[0], 200)
    metrics = service.ask("GET", "/metrics", read=bytes.decode)[1]
    expect("metrics say so", 'vigie_source_failing{source="b/predictions"} 1' in metrics, True)

    shut.chmod(0o600)
    expect("it is read once it may", counted(service, (101, 0), "a"), [101, 0])
    expect("it is taken for no other one", "cut off" in said.read_text(), False)
    write(2, f"path={folder}/later/*.ndjson, model=b, as=later")
    service.process.send_signal(signal.SIGHUP)
    expect("a reload lets it go on", counted(service, (100, 0), "b"), [100, 0])
    until("a source that came with the reload", lambda: sources(service).get("later", {}).get("trouble"),
          lambda t: t == f"{folder}/later/*.ndjson: no file is there yet")
    (folder / "later").mkdir()
    (folder / "later" / "1.ndjson").write_text(lines(100, 150))
    expect("a file that comes later", counted(service, (150, 0), "b"), [150, 0])
    config.write_text(f"source:\n  - file(path={log}, model=b)\n")
    service.process.send_signal(signal.SIGHUP)
    until("a source that is taken out", lambda: list(sources(service)), lambda names: names == ["b/predictions"])
    config.write_text("source:\n  - flie(path=x)\n")
    service.process.send_signal(signal.SIGHUP)
    until("a wrong one changes nothing", said.read_text, lambda text: f'{config}:2: source[0]: unknown source "flie"; did you mean "file"?' in text)
    with open(log, "a") as out:
        out.write(lines(200, 210))
    expect("and the others go on", counted(service, (160, 0), "b"), [160, 0])
    service.end()


def full(folder):
    """A disk without room."""
    data, log = folder / "data", folder / "app.log"
    data.mkdir(mode=0o700)
    program = folder / "vigie"
    program.write_text(f"#!/bin/sh\nexec unshare -m sh -c 'mount -t tmpfs -o size=24m none {data} && exec \"$@\"' - {os.path.abspath(VIGIE)} \"$@\"\n")
    program.chmod(0o700)
    if subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "-o", "size=1m", "none", str(data)], capture_output=True).returncode != 0:
        return print("a full disk was not tried: that takes a mount")
    log.write_text("")
    service = Service(str(program), str(data), more=["--source", f"file(path={log}, model=m)"])
    filler = pathlib.Path(f"/proc/{service.process.pid}/root{data}/filler")
    with open(filler, "wb", buffering=0) as out:
        try:
            while True:
                out.write(bytes(4096))
        except OSError:
            pass
    log.write_text("".join(line(i, text=f"{rng.getrandbits(4000):x}") for i in range(3000)))
    until("it waits for room", lambda: sources(service)["m/predictions"]["trouble"], lambda t: t and t.startswith("waits: "))
    filler.unlink()
    expect("all is there once there is room", counted(service, (3000, 0)), [3000, 0])
    until("and said to be well", lambda: sources(service)["m/predictions"]["trouble"], lambda t: t is None)
    service.end()


def standard_input(folder):
    read, write = os.pipe()
    config = folder / "vigie.yaml"
    config.write_text("source:\n  - file(path=-, model=m)\n")
    with open(folder / "said.txt", "w") as said:
        service = Service(VIGIE, str(folder / "data"), more=["--config", str(config)], said=said, stdin=read)
    os.close(read)
    with open(write, "w") as out:
        out.write(lines(0, 30_000))
        out.flush()
        expect("what came", counted(service, (30_000, 0)), [30_000, 0])
        service.process.send_signal(signal.SIGHUP)
        until("a reload", (folder / "said.txt").read_text, lambda text: "taken over" in text)
        out.write(lines(30_000, 30_010) + line(30_010).rstrip("\n"))
    expect("and its last line, without an end", counted(service, (30_011, 0)), [30_011, 0])
    until("its end is said", (folder / "said.txt").read_text, lambda text: "m/predictions: standard input: has ended" in text)
    service.end()


def main():
    for part in (killed, refused, waits, full, standard_input):
        with tempfile.TemporaryDirectory() as folder:
            part(pathlib.Path(folder))
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
