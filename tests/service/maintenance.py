#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Planned maintenance of a model: what its windows and its people see of it, and what is learnt from it.

usage: maintenance.py VIGIE     the last line says what was found
"""
import datetime
import json
import pathlib
import random
import signal
import sys
import tempfile

from service import Checks, Hook, Service

START = datetime.datetime(2026, 3, 2, tzinfo=datetime.timezone.utc)
ROWS = 60
rng = random.Random(1)
checks = Checks()
expect, until = checks.expect, checks.until


def hour(number, age=40):
    return "\n".join(json.dumps({
        "id": f"{number}-{i}", "timestamp": (START + datetime.timedelta(hours=number, seconds=i * 3600 / ROWS)).isoformat(),
        "features": {"age": rng.gauss(age, 10)}, "score": round(rng.random(), 4)}) for i in range(ROWS)).encode()


def at(number):
    return (START + datetime.timedelta(hours=number)).strftime("%Y-%m-%dT%H:%M:%SZ")


def main():
    vigie = sys.argv[1]
    hook = Hook.start()
    with tempfile.TemporaryDirectory() as folder:
        data, settings = str(pathlib.Path(folder) / "data"), pathlib.Path(folder) / "vigie.yaml"
        settings.write_text(f"notify: webhook(url={hook})\nmaintenance:\n"
                            "  backups: {days: [tue], at: \"02:00\", for: 1h}\n")
        more = ["--config", str(settings)]
        service = Service(vigie, data, more=more)
        model = "/v1/models/credit"

        def get(path):
            return service.ask("GET", path)[1]

        def post(path, body=None):
            return service.ask("POST", path, body)

        def windows():
            return {w["start"]: w for w in get(model + "/windows")}

        def is_over(number):
            return until(f"the window of hour {number}", windows, lambda w: at(number) in w)[at(number)]

        expect("PUT of what is none", service.ask("PUT", model, '{"maintenance": [{"at": "02:00"}]}'),
               (400, {"error": "maintenance[0]: lacks for", "where": "body"}))
        expect("POST of an unknown model", post("/v1/models/crdit/maintenance", '{"for": "1h"}')[0], 404)
        # Hours 5 to 8 of the reference were worked on: all of age is another then, and it has no part in it.
        reference = 24 * 7
        config = {"window": "hour", "maintenance": [{"from": at(5), "to": at(9), "note": "move"},
                                                    {"from": at(reference + 3), "for": "2h", "note": "new features"}]}
        expect("PUT", service.ask("PUT", model, json.dumps(config))[0], 200)
        rows = b"\n".join(hour(h, age=90 if 5 <= h < 9 else 40) for h in range(reference))
        status, said = post(model + "/reference", rows)
        # Hour 26, Tuesday at two, is that of the backups.
        expect("reference", (status, said.get("in_maintenance"), said.get("windows")), (202, 5 * ROWS, reference - 5))

        # Two hours are as ever, two are worked on and are others, and one is as ever again.
        for h in range(reference, reference + 6):
            post(model + "/predictions", hour(h, age=90 if h in (reference + 3, reference + 4) else 40))
        post(model + "/predictions", hour(reference + 6))
        worked = is_over(reference + 4)
        expect("a window of it", (worked["verdict"], worked["maintenance"]["verdict"], worked["maintenance"]["note"]),
               ("maintenance", "drift", "new features"))
        expect("one after it", is_over(reference + 5)["verdict"], "ok")
        expect("state", get(model)["state"], "ok")
        expect("incidents", get("/v1/incidents"), [])

        # Then it is worked on unforeseen, by the clock: what goes wrong is written down, and told of when that is over.
        status, planned = post(model + "/maintenance", '{"for": "2h", "note": "a new host", "by": "ana"}')
        expect("POST", (status, [(p["note"], p["by"]) for p in planned][:1]), (200, [("a new host", "ana")]))
        expect("now", get(model)["maintenance"]["note"], "a new host")
        page = service.ask("GET", "/", read=bytes)[1]
        expect("page", (b"in maintenance until" in page, b"v-maintenance" in page), (True, True))
        for h in range(reference + 7, reference + 10):
            post(model + "/predictions", hour(h, age=70))
        incident = until("an incident", lambda: get("/v1/incidents"), bool)[0]
        expect("it is open", (incident["state"], incident["since"]), ("open", at(reference + 7)))
        is_over(reference + 8)
        service.end(signal.SIGKILL)
        service = Service(vigie, data, more=more)
        expect("after a kill", get(model)["maintenance"]["note"], "a new host")
        expect("nobody was told", Hook.told, [])
        status, left = service.ask("DELETE", model + "/maintenance")
        expect("DELETE", (status, [p for p in left if p["note"] == "a new host"]), (200, []))
        told = until("a notice", lambda: Hook.told, bool)
        expect("of what is told", [(t["status"], t["alerts"][0]["labels"].get("model")) for t in told], [("firing", "credit")])
        expect("by the audit log", [(e["by"], "ended" in e["details"]) for e in get("/v1/audit?event=maintenance&model=credit")],
               [("ana", False), (None, True)])
        expect("of all models", [list(e["details"]["of_all"]) for e in get("/v1/audit?event=maintenance") if e["model"] is None],
               [["backups"]] * 2)
        backups = get(model + f"/maintenance?from={at(24)}&to={at(24 * 15)}")
        expect("what was planned", [(p["from"], p["note"]) for p in backups],
               [(at(26), "backups"), (at(reference + 3), "new features"), (at(24 * 7 + 26), "backups"), ][:len(backups)])

        # A reload plans anew.
        settings.write_text(settings.read_text().replace("[tue]", "[wed]"))
        service.process.send_signal(signal.SIGHUP)
        until("a reload", lambda: get(model + f"/maintenance?from={at(24)}&to={at(24 * 4)}"), lambda p: [t["from"] for t in p] == [at(50)])
        until("what it took over", lambda: get("/v1/audit?event=settings_changed"),
              lambda entries: [e["details"] for e in entries] == [{"settings": ["maintenance"]}])
        expect("graceful end", service.end(signal.SIGTERM), 0)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
