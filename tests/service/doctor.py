#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`vigie demo` as somebody who tries it sees it, and `vigie doctor` beside it.

usage: doctor.py VIGIE     the last line says what was found
"""
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

from service import Checks

vigie = sys.argv[1]
checks = Checks()
expect = checks.expect


def doctor(*options):
    done = subprocess.run([vigie, "doctor", *options], capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


with tempfile.TemporaryDirectory() as folder:
    demo = subprocess.Popen([vigie, "demo", "--listen", "127.0.0.1:0", "--speed", "max"], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, env=os.environ | {"TMPDIR": folder})
    said = demo.stdout.readline()
    address = re.fullmatch(r"listening on (http://127\.0\.0\.1:\d+)\n", said)
    expect("the first line", bool(address), True)
    if not address:
        demo.kill()
        print(said, demo.communicate())
        sys.exit("0 passed, 1 failed")
    to = address[1]

    def get(path):
        with urllib.request.urlopen(to + path) as answer:
            return json.load(answer)

    end = time.monotonic() + 120
    while time.monotonic() < end:
        model = next(iter(get("/v1/models")), {})
        if model.get("labels", 0) > 30_000 and len(get("/v1/models/flights/windows")) >= 274:
            break
        time.sleep(0.2)
    def scored():
        return sum("roc_auc" in {m["metric"] for m in w.get("metrics", [])} for w in get("/v1/models/flights/windows"))

    expect("days of flights", len(get("/v1/models/flights/windows")) >= 274, True)
    expect("an incident", len(get("/v1/incidents")) > 0, True)
    while scored() <= 200 and time.monotonic() < end:
        time.sleep(0.2)
    expect("scores", scored() > 200, True)
    with urllib.request.urlopen(to + "/") as page:
        expect("the page", "flights" in page.read().decode(), True)

    status, out, err = doctor(to, "--json")
    expect("doctor", (status, err), (0, ""))
    found = json.loads(out)
    expect("its models", (found["command"], found["models"]), ("doctor", 1))
    # Sent a moment ago, so not silent; it has an owner, a runbook, labels and a reference.
    names = {f["finding"] for f in found["findings"]}
    expect("nothing is missing", names & {"silent", "unused", "no reference", "no labels", "nobody's"}, set())

    body = json.dumps({"id": "1", "features": {"a": 1}, "prediction": "yes"}).encode()
    urllib.request.urlopen(urllib.request.Request(to + "/v1/models/bare/predictions", body)).read()
    status, out, err = doctor(to, "--model", "bare", "--fail-on", "warning")
    expect("a bare model", (status, "warning  no reference:" in out, "hint     nobody's:" in out), (1, True, True))
    expect("only hints", doctor(to, "--model", "bare", "--fail-on", "fail")[0], 0)
    status, out, err = doctor(to, "--model", "flight")
    expect("a model that there is not", (status, out, "flights" in err), (2, "", True))

    demo.send_signal(signal.SIGTERM)
    demo.communicate(timeout=30)
    expect("its end", demo.returncode, 0)
    expect("what it leaves behind", os.listdir(folder), [])
    status, out, err = doctor(to)
    expect("nobody there", (status, out, err.count("\n")), (3, "", 1))

sys.exit(checks.end())
