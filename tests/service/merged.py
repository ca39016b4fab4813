#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Hours of `vigie serve` put together by the day: a change too small for each of them, over a kill -9.

usage: merged.py VIGIE     the last line says what was found
"""
import datetime
import json
import random
import signal
import sys
import tempfile

from service import Checks, Service

START = datetime.datetime(2026, 3, 2, tzinfo=datetime.timezone.utc)  # a Monday
ROWS = 40
rng = random.Random(1)
checks = Checks()
expect, until = checks.expect, checks.until


def iso(hour):
    return (START + datetime.timedelta(hours=hour)).strftime("%Y-%m-%dT%H:%M:%SZ")


def hours(first, last, moved=0.0):
    rows = []
    for hour in range(first, last):
        for i in range(ROWS):
            at = START + datetime.timedelta(hours=hour, seconds=i * 3600 / ROWS)
            rows.append({"id": f"{hour}-{i}", "timestamp": at.isoformat(),
                         "features": {"x": rng.gauss(moved, 1), "kind": rng.choice("abc")}, "prediction": rng.choice(["yes", "no"])})
    return "\n".join(json.dumps(row) for row in rows).encode()


vigie = sys.argv[1]
with tempfile.TemporaryDirectory() as folder:
    service = Service(vigie, folder)
    model = "/v1/models/m"

    def days(query=""):
        return service.ask("GET", f"{model}/windows?merged=true{query}")[1]

    def of_x(day):
        return next(c for c in day["columns"] if c["column"] == "x" and c["segment"] is None)

    expect("PUT", service.ask("PUT", model, b'{"window": "hour"}')[0], 200)
    status, said = service.ask("POST", f"{model}/reference", hours(-28 * 24, 0))
    expect("a reference of four weeks", (status, said.get("windows"), said.get("window")), (202, 28 * 24, "hour"))

    service.ask("POST", f"{model}/predictions", hours(0, 26))
    until("the first day", days, lambda found: len(found) == 1)
    day = days()[0]
    expect("the first day", (day["start"], day["end"], day["merged"], day["rows"], day["quality"]), (iso(0), iso(24), 24, 24 * ROWS, []))
    expect("nothing of it", (of_x(day)["verdict"], of_x(day)["n_current"]), ("ok", 24 * ROWS))

    # A shift that no hour of 40 rows shows; and an end in the middle of a day.
    service.ask("POST", f"{model}/predictions", hours(26, 40, 0.25))
    until("fifteen hours more", lambda: service.ask("GET", f"{model}/windows?limit=1000")[1], lambda found: len(found) >= 39)
    service.end(signal.SIGKILL)
    service = Service(vigie, folder)
    for first in range(40, 98, 8):
        service.ask("POST", f"{model}/predictions", hours(first, min(first + 8, 98), 0.25))
    found = until("four days", days, lambda found: len(found) == 4)
    expect("each is whole", [(d["merged"], d["rows"]) for d in found], [(24, 24 * ROWS)] * 4)
    expect("it is seen", sorted({of_x(d)["verdict"] for d in found[1:]} & {"warning", "drift"}) != [], True)
    status, windows = service.ask("GET", f"{model}/windows?limit=1000")
    incidents = until("an incident", lambda: service.ask("GET", "/v1/incidents?model=m")[1], lambda found: len(found) > 0)
    causes = [c for i in incidents for c in i["causes"] if "24 windows together" in c["reason"]]
    expect("which says what it is of", {c["column"] for c in causes}, {"x"})

    expect("page by page", [d["start"] for d in days("&limit=2")] + [d["start"] for d in days(f"&after={found[1]['key']}")],
           [d["start"] for d in found])
    status, said = service.ask("GET", f"{model}/windows?merged=perhaps")
    expect("neither true nor false", (status, said.get("error")), (400, 'merged: expected true or false, got "perhaps"'))
    expect("hours by themselves", len(service.ask("GET", f"{model}/windows?merged=false&limit=1000")[1]), len(windows))
    status, exported = service.ask("GET", "/v1/export/merged?model=m", read=bytes)
    lines = [json.loads(line) for line in exported.splitlines()]
    expect("they are exported", [(line["model"], line["merged"]) for line in lines], [("m", 24)] * 4)

    # Hours of maintenance have no part in a day, and where too few are left there is none.
    expect("maintenance", service.ask("PUT", model, b'{"window": "hour", "maintenance": [{"at": "06:00", "for": "2h"}]}')[0], 200)
    service.ask("POST", f"{model}/predictions", hours(98, 122))
    found = until("a day without two hours", days, lambda found: len(found) == 5)
    expect("which has the others", found[4]["merged"], 22)
    service.ask("POST", f"{model}/predictions", hours(122, 130))
    service.ask("POST", f"{model}/predictions", hours(143, 170))
    until("two days more", days, lambda found: len(found) == 6)
    expect("too little of a day is none", [d["start"] for d in days()][5:], [iso(144)])

    # What is compared with windows before goes along with slow changes, as it is asked to.
    expect("PUT of another reference", service.ask("PUT", model, b'{"window": "hour", "reference": "previous"}')[0], 200)
    service.ask("POST", f"{model}/predictions", hours(170, 200))
    until("more hours", lambda: service.ask("GET", f"{model}/windows?limit=1000&from={iso(198)}")[1], lambda found: len(found) > 0)
    expect("no more days", len(days()), 6)
    expect("it ends", service.end(), 0)
sys.exit(checks.end())
