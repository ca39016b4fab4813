#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Three services that share a store, of which one is killed, find what a single one finds.

usage: shared.py VIGIE [VERSION…]     status 77: no node is to be had
"""
import datetime
import json
import math
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

from search_nodes import Search, versions
from service import Checks, Hook, Service

START = datetime.datetime(2026, 3, 2, tzinfo=datetime.timezone.utc)
ROWS, HOURS, BAD = 300, 24, range(8, 16)
KILLED, BACK = 11, 14  # hours
AT_ONCE = {17: 0, 19: 1, 20: 2}
MODEL = "/v1/models/m"
os.environ.pop("VIGIE_TEST_STORE", None)
vigie = str(pathlib.Path(sys.argv[1]).resolve())


def hour(rng, number):
    rows = []
    for i in range(ROWS):
        at = START + datetime.timedelta(hours=number, seconds=i * 3600 / ROWS)
        truth = rng.random() < 0.4
        score = min(1, max(0, (0.7 if truth else 0.3) + rng.gauss(0, 0.15)))
        if number in BAD:
            truth = rng.random() < 0.4
        row = {"id": f"{number}-{i}", "timestamp": at.isoformat(), "version": rng.choice("34"),
               "features": {"x": rng.gauss(1.5 * (number in BAD), 1), "kind": rng.choice("abc" if number < 4 else "abcd"),
                            "y": rng.expovariate(1) if rng.random() > 0.05 else None, "text": " ".join(rng.choices("red green blue grey".split(), k=5))},
               "tags": {"country": rng.choice(["FR", "DE"])}, "latency_ms": rng.expovariate(0.1),
               "prediction": "yes" if score > 0.5 else "no", "score": round(score, 4), "label": "yes" if truth else "no"}
        rows.append(row)
    return rows


def body(rows, *keys, drop=()):
    return "\n".join(json.dumps({k: v for k, v in row.items() if (not keys or k in keys) and k not in drop}) for row in rows).encode()


def same(a, b):
    """As numbers are whose sums were made in another order."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float) or isinstance(b, float):
        return isinstance(a, (int, float)) and isinstance(b, (int, float)) and math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12)
    return a == b


def told(window):
    """A window without what tells how it came to be, as the numbers that rows have in their services."""
    quality = [q | {"reason": q["reason"].split(", row ")[0]} for q in window.get("quality", [])]
    return {k: v for k, v in window.items() if k not in ("late_rows", "restated", "ops")} | {"quality": quality}


def differences(a, b, path=""):
    if isinstance(a, dict) and isinstance(b, dict):
        for key in sorted(a.keys() | b.keys()):
            yield from differences(a.get(key), b.get(key), f"{path}.{key}")
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for i, (x, y) in enumerate(zip(a, b)):
            yield from differences(x, y, f"{path}[{i}]")
    elif not same(a, b):
        yield f"{path}: {str(a)[:200]}, alone {str(b)[:200]}"


def shared(node, folder):
    checks, rng, hook = Checks(), random.Random(7), Hook.start()
    Hook.told.clear()
    store = ["--store", f"elastic(to={node.url}, index=shared)", "--notify", f"webhook(url={hook})"]
    alone = Service(vigie, f"{folder}/alone")
    three = [Service(vigie, f"{folder}/{name}", more=store, said=subprocess.DEVNULL) for name in "abc"]
    a, b, c = three

    # One is told what to watch, and all know it.
    rules = {"x": {"range": [-8, 8], "unique": True}, "y": {"missing_at_most": 0.2}, "kind": {"set": list("abc"), "at_most": 0.5}}
    config = json.dumps({"window": "hour", "positive": "yes", "owner": "ann", "segments": ["country"], "checks": {"columns": rules}}).encode()
    reference = body([row for n in range(-60, 0) for row in hour(rng, n)])
    for service in alone, a:
        checks.expect("configured", service.ask("PUT", MODEL, config)[0], 200)
        checks.expect("reference", service.ask("POST", f"{MODEL}/reference", reference)[0], 202)
    for service in three:
        checks.expect("known by all", service.ask("GET", MODEL)[1].get("watched"), True)
        checks.until("known by all", lambda: service.ask("GET", MODEL)[1], lambda m: m.get("watched") and m["config"].get("owner") == "ann")

    def windows(service):
        status, found = service.ask("GET", f"{MODEL}/windows?limit=1000")
        return {w["start"]: w for w in found} if status == 200 else {}

    waiting = []
    for number in range(HOURS + 1):
        if number == KILLED:
            c.process.kill()
            c.process.wait()
        if number == BACK:
            c = three[2] = Service(vigie, f"{folder}/c", more=store, said=subprocess.DEVNULL)
            for what, late in waiting:
                checks.expect(what, c.ask("POST", f"{MODEL}/{what}", late)[0], 202)
            waiting.clear()
        if number in AT_ONCE:  # begins anew with what it had
            i = AT_ONCE[number]
            three[i].process.kill()
            three[i].process.wait()
            three[i] = Service(vigie, f"{folder}/{'abc'[i]}", more=store, said=subprocess.DEVNULL)
            a, b, c = three
        rows = hour(rng, number)
        checks.expect("alone", alone.ask("POST", f"{MODEL}/predictions", body(rows, drop=("label",)))[0], 202)
        checks.expect("alone", alone.ask("POST", f"{MODEL}/labels", body(rows, "id", "label"))[0], 202)
        # Each gets some of the predictions, and the labels of another one's.
        for i, service in enumerate(three):
            for what, some in (("predictions", body(rows[i::3], drop=("label",))), ("labels", body(rows[(i + 1) % 3::3], "id", "label"))):
                if i == 2 and KILLED <= number < BACK:
                    waiting.append((what, some))
                else:
                    checks.expect(what, service.ask("POST", f"{MODEL}/{what}", some)[0], 202)
        time.sleep(0.3)
        if number == BAD[0] + 1:  # whom one told of an incident another one hears
            for service in alone, c:
                found = checks.until("an incident", lambda: service.ask("GET", "/v1/incidents")[1], lambda found: found)
                status, said = service.ask("POST", f"/v1/incidents/{found[0]['id']}/ack", b'{"by": "ann"}')
                # 202: of a loaded machine, which applies it a little later.
                checks.expect("acknowledged", (status in (200, 202), said.get("state", "acknowledged")), (True, "acknowledged"))
            for service in alone, a, b, c:
                checks.until("by all", lambda: service.ask("GET", "/v1/incidents")[1],
                             lambda found: [(i["state"], i["answered_by"]) for i in found] == [("acknowledged", "ann")])

    def all_there(found):
        return len(found) >= HOURS and all(w["rows"] == ROWS and w.get("coverage") == 1 for w in list(found.values())[:HOURS])
    wanted = checks.until("alone", lambda: windows(alone), all_there, 60)
    for name, service in zip("abc", three):
        found = checks.until(f"{name}: windows", lambda: windows(service), all_there, 120)
        checks.expect(f"{name}: as many", sorted(found)[:HOURS], sorted(wanted)[:HOURS])
    time.sleep(5)
    found = windows(a)
    for start in sorted(wanted)[:HOURS]:
        wrong = list(differences(told(found.get(start, {})), told(wanted[start])))
        checks.expect(f"window {start}", wrong, [])
        checks.expect(f"rules of {start}", [q["check"] for q in wanted[start]["quality"]][-4:], ["range", "unique", "not_null", "set"])

    for service in three:
        counts = service.counted("m", 2 * (HOURS + 1) * ROWS)
        checks.expect("counted by all of them", counts, alone.counted("m", 2 * (HOURS + 1) * ROWS))

    # A metric that was bad by some of a window's labels and is not by all is a cause where those were looked at by themselves.
    scores = [m for w in windows(alone).values() for m in w.get("metrics", [])]
    passing = {m["metric"] for m in scores} - {m["metric"] for m in scores if m["verdict"] not in ("ok", "no_data")}

    def incidents(service):
        return [(i["id"], i["since"], i["state"], i["severity"], i["owner"], i["answered_by"], i["windows"], sorted({c["column"] or c["what"] for c in i["causes"]} - passing)) for i in service.ask("GET", "/v1/incidents")[1]]
    checks.expect("incidents", incidents(b), incidents(alone))
    checks.expect("the chain holds", a.ask("GET", "/v1/audit/verify")[1]["broken"], None)
    notices = sorted((told["incident"]["id"], told["incident"]["notices"]) for told in Hook.told)
    print(notices)
    checks.expect("told once each", len(notices), len(set(notices)))
    for service in [alone, *three]:
        service.end()
    return checks


passed = failed = 0
for version in versions(sys.argv[2:]):
    with tempfile.TemporaryDirectory() as folder:
        node = Search(version, folder)
        checks = shared(node, folder)
        node.kill()
    for line in checks.wrong:
        print(f"{version}: FAILED {line}")
    passed, failed = passed + checks.count - len(checks.wrong), failed + len(checks.wrong)
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
