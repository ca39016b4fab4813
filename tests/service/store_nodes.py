#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What holds with a file as the store, asked again with real nodes of OpenSearch and Elasticsearch: the tests of the store
itself, and whole services.

usage: store_nodes.py VIGIE STORE_TEST [VERSION…]     status 77: no node is to be had
"""
import datetime
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

from search_nodes import Search, versions
from service import Checks, Hook, Service

SERVICES = "windows", "incidents", "merged", "references", "ops", "maintenance", "killed"
START = datetime.datetime(2026, 3, 2, tzinfo=datetime.timezone.utc)
here = pathlib.Path(__file__).resolve().parent


def away(node, folder):
    """A cluster that is away: records are taken, nothing is told; when it is back nothing is lost, and nothing is there twice."""
    rng, checks, model = random.Random(1), Checks(), "/v1/models/m"
    hook = Hook.start()
    store = ["--store", f"elastic(to={node.url}, index=away)", "--notify", f"webhook(url={hook})"]

    def hour(number, shift=0.):
        return "\n".join(json.dumps({"id": f"{number}-{i}", "timestamp": (START + datetime.timedelta(hours=number, seconds=18 * i)).isoformat(),
                                     "features": {"x": rng.gauss(shift, 1)}}) for i in range(200)).encode()

    def windows():
        return service.ask("GET", f"{model}/windows")[1]
    service = Service(vigie, folder, more=store, said=subprocess.DEVNULL)
    checks.expect("configured", service.ask("PUT", model, b'{"window": "hour"}')[0], 200)
    checks.expect("reference", service.ask("POST", f"{model}/reference", b"\n".join(hour(n) for n in range(-60, 0)))[0], 202)
    for number in range(3):
        checks.expect("predictions", service.ask("POST", f"{model}/predictions", hour(number))[0], 202)
    checks.until("two hours", windows, lambda found: len(found) == 2)
    # One that takes connections and says nothing keeps nobody waiting for long.
    node.process.send_signal(signal.SIGSTOP)
    for _ in range(3):
        began = time.monotonic()
        status, said = service.ask("GET", f"{model}/windows")
        checks.expect("of a frozen one", (status, said["where"], said["error"].startswith(f"{node.url}: "), time.monotonic() - began < 13),
                      (503, "store", True, True))
    node.process.send_signal(signal.SIGCONT)
    checks.until("two hours again", lambda: service.ask("GET", f"{model}/windows"), lambda found: found[0] == 200 and len(found[1]) == 2)
    node.kill()
    for number in range(3, 6):
        checks.expect("taken while it is away", service.ask("POST", f"{model}/predictions", hour(number, 3 * (number == 4)))[0], 202)
    checks.expect("not read", service.ask("GET", f"{model}/windows")[0], 503)
    checks.until("health says so", lambda: service.ask("GET", "/healthz", read=bytes.decode), lambda said: said[0] == 503, 60)
    service.process.kill()
    service.process.wait()
    # It starts all the same.
    service = Service(vigie, folder, more=store, said=subprocess.DEVNULL)
    checks.expect("taken after a start without it", service.ask("POST", f"{model}/predictions", hour(6))[0], 202)
    node.start()
    found = checks.until("all is there", lambda: windows() if service.ask("GET", f"{model}/windows")[0] == 200 else [], lambda found: len(found) >= 6, 60)
    checks.expect("each once", sorted({w["start"] for w in found}), [(START + datetime.timedelta(hours=n)).strftime("%Y-%m-%dT%H:00:00Z") for n in range(6)])
    checks.expect("whole", [w["rows"] for w in found], [200] * 6)
    checks.until("one incident", lambda: service.ask("GET", "/v1/incidents")[1], lambda found: len(found) == 1)
    checks.expect("the chain holds", service.ask("GET", "/v1/audit/verify")[1]["broken"], None)
    checks.until("health", lambda: service.ask("GET", "/healthz", read=bytes.decode), lambda said: said[0] == 200, 30)
    checks.until("one notice", lambda: len(Hook.told), lambda told: told >= 1)

    def waiting():
        node.ask("POST", "/away-notice/_refresh")
        return node.ask("POST", "/away-notice/_count", {"query": {"term": {"fate": 0}}})[1].get("count")
    checks.until("none waits", waiting, lambda count: count == 0)
    told = len(Hook.told)
    service.end()
    service = Service(vigie, folder, more=store, said=subprocess.DEVNULL)
    checks.until("it is there again", lambda: service.ask("GET", "/v1/incidents")[0], lambda status: status == 200)
    time.sleep(2)
    checks.expect("told once", len(Hook.told), told)
    service.end()
    return checks


passed = failed = 0
vigie = str(pathlib.Path(sys.argv[1]).resolve())
for version in versions(sys.argv[3:]):
    with tempfile.TemporaryDirectory() as folder:
        node = Search(version, folder)
        runs = [("the store", [sys.argv[2], "--gtest_filter=*lastic*"])]
        runs += [(name, [sys.executable, here / f"{name}.py", sys.argv[1]]) for name in SERVICES]
        for name, command in runs:
            done = subprocess.run(command, env=os.environ | {"VIGIE_TEST_ELASTIC": node.url, "VIGIE_TEST_STORE": node.url},
                                  capture_output=True, text=True)
            good = done.returncode == 0 and "SKIPPED" not in done.stdout
            passed, failed = passed + good, failed + (not good)
            print(f"{version}: {name}: {done.stdout.splitlines()[-1] if good else done.stdout[-4000:] + done.stderr[-2000:]}")
        # A node that starts again is waited for until it has all its indexes.
        node.ask("DELETE", "/*")
        checks = away(node, str(pathlib.Path(folder) / "away"))
        for line in checks.wrong:
            print(f"{version}: FAILED {line}")
        passed, failed = passed + checks.count - len(checks.wrong), failed + len(checks.wrong)
        node.kill()
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
