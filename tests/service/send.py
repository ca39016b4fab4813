#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sends a file to `vigie serve` with `vigie send`, and looks at what the service makes of it.

The service must have the windows, with the rows and verdicts, that `vigie compare` and `vigie score` have of the same
file; also where it is killed and started anew while rows are sent, and where they are sent twice. A scripted peer
answers what a service seldom does.
usage: send.py VIGIE [demo]     demo: the real flights that scripts/data prepared; without it generated rows. Status 77 where
they are not there: skipped.
"""
import http.server
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

from service import Service

ROLES = ["--id", "id", "--timestamp", "scheduled", "--score", "score", "--prediction", "prediction", "--label", "label"]
wrong = []


def expect(what, got, wanted):
    if got != wanted:
        wrong.append(f"{what}: {got!r}, expected {wanted!r}")


def generate(path, days, first_day, changed, seed):
    """Hourly rows of some days; from the day `changed` on the distances are larger and the carriers other ones."""
    rng = random.Random(seed)
    lines = ['id,scheduled,carrier,distance,"wind ""größe""",member,zip,score,prediction,label']
    for day in range(days):
        for i in range(480):
            late, new = rng.random() < 0.3, day >= changed
            score = min(1, max(0, rng.gauss(0.6 if late else 0.4, 0.15)))
            distance = rng.lognormvariate(6.8 if new else 6.2, 0.6)
            lines.append(",".join([
                f"{first_day + day}-{i}", f"2026-{1 + (first_day + day) // 28:02}-{1 + (first_day + day) % 28:02}"
                f"T{i // 20:02}:{i % 20 * 3:02}:00Z", rng.choice(["DL", "B6"] if new else ["UA", "AA", "US", "DL", "NA"]),
                "" if rng.random() < 0.05 else f"{distance:.1f}", str(rng.randint(0, 30)),
                rng.choice(["True", "False"]), f"{rng.randint(1, 60):05}", f"{score:.4f}",
                "late" if score > 0.5 else "on_time", "late" if late else "on_time"]))
    path.write_text("\n".join(lines) + "\n")


def data_rows(path):
    with open(path, "rb") as lines:
        return sum(1 for _ in lines) - 1


class Sender:
    def __init__(self, vigie, port, model):
        self.start = [vigie, "send"]
        self.where = ["--to", f"http://127.0.0.1:{port}", "--model", model]

    def begin(self, *more, stdin=None):
        return subprocess.Popen([*self.start, *map(str, more), *self.where, "--json"], stdin=stdin,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def __call__(self, *more, status=0, stdin=None):
        process = self.begin(*more, stdin=stdin)
        out, err = process.communicate(timeout=300)
        expect(f"send {more}: exit status ({err.strip()})", process.returncode, status)
        return json.loads(out) if out else {}, err


def windows_of(service, model, labelled):
    """The windows, once they have so many labels each: the last one of the file stays open for a while."""
    until = time.monotonic() + 60
    while True:
        _, windows = service.ask("GET", f"/v1/models/{model}/windows?limit=10000")
        windows = windows[:len(labelled)]
        if [w.get("labelled") for w in windows] == labelled or time.monotonic() > until:
            return windows
        time.sleep(0.1)


def scores(window, verdict):
    return {"labelled": window.get("labelled"), "verdict": window.get(verdict), "metrics": [
        {k: m[k] for k in ("metric", "value", "low", "high", "p_value", "verdict")} for m in window.get("metrics", [])]}


def told(window):
    columns = sorted((c["column"], c["role"], c["verdict"], c["effect"], c["p_value"], c["n_current"],
                      c["missing_current"]) for c in window["columns"])
    return {"start": window["start"], "rows": window["rows"], "verdict": window["verdict"], "columns": columns}


def same_windows(name, service, model, compared, scored, same_scores=True):
    compared, scored = compared[:-1], scored[:-1]
    got = windows_of(service, model, [w["labelled"] for w in scored])
    expect(f"{name}: windows", len(got), len(compared))
    for live, drift, score in zip(got, compared, scored):
        at = f"{name}: window {drift['start']}"
        a, b = told(live), told(drift)
        for key in ("start", "rows", "verdict"):
            expect(f"{at}: {key}", a[key], b[key])
        expect(f"{at}: columns", [c for c in a["columns"] if c not in b["columns"]],
               [c for c in b["columns"] if c not in a["columns"]])
        if same_scores:
            expect(f"{at}: scores", scores(live, "score_verdict"), scores(score, "verdict"))


def expect_counted(name, service, model, predictions, labels):
    """What was accepted shows within a second."""
    until = time.monotonic() + 10
    while True:
        _, found = service.ask("GET", f"/v1/models/{model}")
        if (found["predictions"], found["labels"]) == (predictions, labels) or time.monotonic() > until:
            return expect(f"{name}: counted", (found["predictions"], found["labels"]), (predictions, labels))
        time.sleep(0.05)


def replay(vigie, folder, reference, current):
    profile = folder / "reference.vpf"
    task = ["--task", "binary", "--positive", "late"]

    def run(*command):
        return subprocess.run([vigie, *command], check=True, capture_output=True).stdout

    run("profile", reference, *ROLES, *task, "--window", "day", "-o", profile)
    # Labels come later: whether a window has drifted is told without them.
    compared = json.loads(run("compare", "--reference", profile, "--current", current, "--window", "day",
                              "--timestamp", "scheduled", "--ignore", "label", "--json"))
    scored = json.loads(run("score", current, *ROLES, *task, "--reference", profile, "--window", "day", "--json"))
    if not compared["summary"]["windows_with_drift"]:
        wrong.append("nothing in the data has changed: the test shows little")
    compared, scored = compared["windows"], scored["windows"]
    rows = data_rows(current)
    data = str(folder / "data")
    service = Service(vigie, data)
    send = Sender(vigie, service.port, "plain")
    result, _ = send(current, *ROLES, "--reference", profile)
    expect("plain", [result[k] for k in ("sent", "accepted", "duplicates", "rejected")], [rows, rows, 0, 0])
    labels = result["labels"]
    same_windows("plain", service, "plain", compared, scored)
    expect_counted("plain", service, "plain", rows, labels)

    result, _ = send(current, *ROLES)
    expect("again", [result[k] for k in ("sent", "accepted", "duplicates", "rejected")], [rows, 0, rows, 0])
    expect_counted("again", service, "plain", rows, labels)

    # Roles and types are the profile's where no option says otherwise, and ids the file's name and the row's number.
    send = Sender(vigie, service.port, "named")
    result, _ = send(current, "--reference", profile, "--ignore", "id")
    expect("named", [result[k] for k in ("accepted", "labels")], [rows, labels])
    same_windows("named", service, "named", compared, scored)
    result, err = send(current, "--from-row", rows - 9, "--ignore", "id")
    expect("the last ten", [result[k] for k in ("sent", "duplicates")], [10, 10])
    expect("the last ten: why", f"known as {pathlib.Path(current).stem}-1" in err, True)

    # A reference made of rows; which class is the positive one it only guesses.
    send = Sender(vigie, service.port, "piped")
    with open(current) as rows_in:
        result, _ = send("-", "--format", "csv", *ROLES, "--reference", reference, "--window", "day", stdin=rows_in)
    expect("piped", [result[k] for k in ("accepted", "labels")], [rows, labels])
    same_windows("piped", service, "piped", compared, scored, same_scores=False)

    # Killed and started anew while rows are sent.
    def accepted():
        said = service.ask("GET", "/metrics", read=bytes.decode)[1]
        return int(re.search(r'^vigie_ingest_records_total{kind="predictions",outcome="accepted"} (\d+)$', said, re.M)[1])

    send = Sender(vigie, service.port, "killed")
    before, until = accepted(), time.monotonic() + 60
    sender = send.begin(current, *ROLES, "--reference", profile)
    while accepted() < before + rows // 10 and time.monotonic() < until:
        time.sleep(0.002)
    port = service.port
    service.end(signal.SIGKILL)
    time.sleep(0.2)
    service = Service(vigie, data, port)
    out, err = sender.communicate(timeout=300)
    expect(f"killed: exit status ({err.strip()})", sender.returncode, 0)
    result = json.loads(out)
    expect("killed", [result["sent"], result["accepted"] + result["duplicates"]], [rows, rows])
    expect("killed: it was told", "answers again" in err, True)
    same_windows("killed", service, "killed", compared, scored)
    expect_counted("killed", service, "killed", rows, labels)
    service.end(signal.SIGTERM)
    return rows, len(compared)


def others(vigie, folder):
    data = str(folder / "other")
    service = Service(vigie, data)
    send = Sender(vigie, service.port, "m")
    bad = folder / "bad.csv"
    bad.write_text("id,ts,x,y\na,2026-05-01,1,0\n,2026-05-01,2,0\nb,2026-05-01,3\nc,2026-05-01,4,\n,2026-05-01,5,1\n")
    roles = ["--id", "id", "--timestamp", "ts", "--label", "y"]
    result, err = send(bad, *roles)
    expect("bad rows", [result[k] for k in ("sent", "accepted", "rejected", "labels")], [4, 2, 3, 1])
    expect("bad rows: named", [f"{bad}:4:" in err, f'{bad}: row 2: "id" is missing' in err, f"{bad}: row 4:" in err],
           [True] * 3)
    _, err = send(bad, *roles, "--strict", "--keep-ragged", status=2)
    expect("strict: named", f'{bad}: row 2: "id" is missing' in err, True)

    # Labels later, and by themselves; a row without a time goes at once.
    rows = folder / "rows.csv"
    rows.write_text("id,ts,x,y\n" + "".join(f"r{i},2026-05-01T00:{i:02}:00Z,{i},{i % 2}\n" for i in range(60)) +
                    "r60,,60,1\n")
    began = time.monotonic()
    result, err = send(rows, *roles, "--speed", "3600x", "--label-delay", "30m")
    took = time.monotonic() - began
    expect("paced", [result[k] for k in ("accepted", "duplicates", "labels")], [61, 0, 61])
    expect("paced: 89 minutes at 3600 times", took > 1.4, True)
    expect("paced: a row without a time", "1 row without" in err, True)
    result, _ = send(rows, *roles, "--labels-only")
    expect("labels only", [result[k] for k in ("sent", "labels")], [0, 61])

    # Ctrl-C: what is sent is told, and how to go on.
    sender = send.begin(rows, *roles, "--speed", "60x")
    time.sleep(1.5)
    sender.send_signal(signal.SIGINT)
    out, err = sender.communicate(timeout=30)
    result = json.loads(out)
    expect("Ctrl-C", [sender.returncode, result["interrupted"]], [130, True])
    expect("Ctrl-C: how to go on", f"--from-row {result['last_row'] + 1}" in err, True)

    # Nobody there: at once before the first answer, and when the patience has passed.
    sender = send.begin(rows, *roles, "--speed", "60x", "--timeout", "300ms")
    time.sleep(1)
    service.end(signal.SIGKILL)
    out, err = sender.communicate(timeout=60)
    expect("lost: exit status", sender.returncode, 3)
    expect(f"lost: how to go on ({err.strip()})", "go on with --from-row" in err and str(rows) in err, True)
    _, err = send(rows, *roles, status=3)
    expect("nobody there: one line", [err.count("\n"), f"127.0.0.1:{service.port}" in err], [1, True])


class Scripted(http.server.BaseHTTPRequestHandler):
    """Answers what a service seldom does."""
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer(503, {"error": "busy"})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).splitlines()
        self.server.bodies.append(len(body))
        step = self.server.script.pop(0) if self.server.script else 202
        if step == 0:  # taken, and lost before it is answered
            self.close_connection = True
            return
        good = {"accepted": len(body), "duplicates": 0, "rejected": []}
        self.answer(step, good if step == 202 else {"error": "no room on the disk", "where": "journal"})

    def answer(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        if status in (429, 503):
            self.send_header("Retry-After", "1")
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


def answers(vigie, folder):
    rows = folder / "many.csv"
    rows.write_text("x\n" + "".join(f"{i}\n" for i in range(2500)))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Scripted)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    send = Sender(vigie, server.server_port, "m")

    def run(name, script, status, bodies, *more):
        server.script, server.bodies = script, []
        result, err = send(rows, *more, status=status)
        expect(f"{name}: batches", server.bodies, bodies)
        return result, err

    run("in batches", [], 0, [1000, 1000, 500])
    began = time.monotonic()
    result, err = run("no room", [202, 429, 503], 0, [1000, 1000, 1000, 1000, 500])
    expect("no room: waited as told", time.monotonic() - began > 2, True)
    expect("no room: told once", err.count("asks to wait: status 429: no room on the disk"), 1)
    expect("no room: went on", result["accepted"], 2500)
    run("lost before the answer", [202, 0], 0, [1000, 1000, 1000, 500])
    run("an error within", [500], 0, [1000, 1000, 1000, 500])
    _, err = run("too large", [202, 413], 2, [1000, 1000])
    expect("too large: how to go on", "rows up to 1,000" in err and "--from-row 1001" in err, True)
    _, err = run("in trouble", [202] + [500] * 9, 3, [1000, 1000, 1000], "--timeout", "50ms")
    expect("in trouble: why", "status 500: no room on the disk" in err, True)
    server.shutdown()


def main():
    vigie = sys.argv[1]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        if sys.argv[2:] == ["demo"]:
            data = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "vigie" / "data"
            reference, current = data / "reference.csv", data / "current.csv"
            if not current.exists():
                print("skipped: no flights; scripts/data prepares them")
                return 77
        else:
            reference, current = folder / "reference.csv", folder / "current.csv"
            generate(reference, 21, 0, 99, 1)
            generate(current, 16, 21, 9, 2)
        rows, windows = replay(vigie, folder, reference, current)
        others(vigie, folder)
        answers(vigie, folder)
    for line in wrong:
        print(line[:500])
    print(f"{rows} rows, {windows} windows, {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
