#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Windows of `vigie serve` that overlap: what they hold, over a kill -9 and with late rows; their scores, and the incident
of a change that lasts for twenty minutes.

usage: sliding.py VIGIE     the last line says what was found
"""
import datetime
import json
import random
import signal
import sys
import tempfile

from service import Checks, Service

START = datetime.datetime(2026, 3, 2, tzinfo=datetime.timezone.utc)
EACH = 10  # seconds between rows
rng = random.Random(1)
checks = Checks()
expect, until = checks.expect, checks.until


def minutes(first, last, x=0.0, version="3"):
    """Rows of those minutes; with x moved."""
    rows = []
    for i in range(first * 60 // EACH, last * 60 // EACH):
        truth = rng.random() < 0.4
        score = min(1, max(0, (0.7 if truth else 0.3) + rng.gauss(0, 0.15)))
        rows.append({"id": f"p{i}", "timestamp": (START + datetime.timedelta(seconds=i * EACH)).isoformat(), "version": version,
                     "features": {"x": rng.gauss(x, 1), "kind": rng.choice("abc")},
                     "prediction": "yes" if score > 0.5 else "no", "score": round(score, 4), "label": truth})
    return rows


def lines(rows, drop=("label",)):
    return "\n".join(json.dumps({k: v for k, v in row.items() if k not in drop}) for row in rows).encode()


def labels(rows):
    return "\n".join(json.dumps({"id": row["id"], "label": "yes" if row["label"] else "no"}) for row in rows).encode()


def iso(minute):
    return (START + datetime.timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%M:%SZ")


vigie = sys.argv[1]
with tempfile.TemporaryDirectory() as folder:
    service = Service(vigie, folder)

    def put(model, window, **more):
        return service.ask("PUT", f"/v1/models/{model}", json.dumps({"window": window, "positive": "yes"} | more).encode())

    for window, why in (
            ({"time": "hour", "every": "7m"}, "window.every: windows of 7m do not divide an hour; did you mean 6m?"),
            ({"time": "15m", "every": "10m"}, "window.every: 10m does not divide 15m"),
            ({"time": "hour", "every": "hour"}, "window.every: hour does not divide hour"),
            ({"time": "hour", "every": 5}, "window.every: expected hour, day or minutes as 5m, which divide window.time, got 5"),
            ({"time": "day", "every": "1m"}, "window.every: 1m divides day into 1,440 parts, of which 300 are the most"),
            ({"time": "hour", "every": "5m", "rows": 100}, "window.every: not beside rows: it is of time alone, of which it is a part"),
            ({"every": "5m"}, "window: lacks time: it is of rows and time, whichever ends it first")):
        status, said = put("none", window)
        expect(f"{window}", (status, said.get("error")), (400, why))

    past = lines([row | {"label": "yes" if row["label"] else "no"} for row in minutes(-48 * 60, 0, version="2")], drop=())
    slides = ({"time": "hour", "every": "10m"}, "hour each 10m")
    models = {"slides": slides, "hours": ("hour", "hour"), "before": slides}
    for model, (window, text) in models.items():
        expect("PUT", put(model, window, **({"reference": "previous"} if model == "before" else {}))[0], 200)
        status, said = service.ask("POST", f"/v1/models/{model}/reference", past)
        expect("a reference of hours", (status, said.get("windows"), said.get("window")), (202, 48, text))

    def post(rows, what="predictions"):
        for model in models:
            body = lines(rows) if what == "predictions" else labels(rows)
            expect(what, service.ask("POST", f"/v1/models/{model}/{what}", body)[0], 202)

    def windows(model="slides"):
        """By the minute of their end."""
        found = service.ask("GET", f"/v1/models/{model}/windows?limit=1000")[1]
        return {round((datetime.datetime.fromisoformat(w["end"].replace("Z", "+00:00")) - START).total_seconds() / 60): w
                for w in found}

    # Within an hour there are none until it is three quarters full, and then one each ten minutes.
    day = minutes(0, 120)
    post(day[:500])
    found = until("the first ones", windows, lambda w: 80 in w)
    expect("when they end", sorted(found), [50, 60, 70, 80])
    expect("where they begin", [found[m]["start"] for m in (60, 70, 80)], [iso(0), iso(10), iso(20)])
    expect("their rows", [found[m]["rows"] for m in (50, 60, 70, 80)], [300, 360, 360, 360])
    expect("the first is not whole", [found[m].get("partial", False) for m in (50, 60)], [True, False])

    # Nothing is lost with it, nor told of twice.
    service.end(signal.SIGKILL)
    service = Service(vigie, folder)
    late = day[590:600]  # of minutes 98 to 100
    post([row for row in day[500:] if row not in late])
    post(minutes(120, 121))
    found = until("until two hours", windows, lambda w: 120 in w)
    expect("when they end", sorted(found), list(range(50, 121, 10)))
    expect("rows over a kill", [found[m]["rows"] for m in (90, 100, 120)], [360, 350, 350])
    expect("versions over a kill", found[90]["versions"], {"3": 360})

    # Late rows are in all windows that have their pane.
    post(late)
    found = until("restated", windows, lambda w: all(w[m]["rows"] == 360 for m in (100, 110, 120)))
    expect("with how many", [(found[m].get("late_rows"), found[m].get("restated")) for m in (90, 100, 110, 120)],
           [(None, None)] + [(10, 1)] * 3)

    # Those of the calendar are what hours are.
    hours = until("hours", lambda: windows("hours"), lambda w: w.get(120, {}).get("rows") == 360)
    for m in (60, 120):
        for key in ("start", "end", "rows", "verdict", "columns", "quality", "distributions", "versions"):
            # How late rows stand to those of other panes is not looked at.
            of = lambda window: [q for q in window[key] if q["check"] != "order_violations"] if key == "quality" else window[key]
            expect(f"{key} of the calendar", of(found[m]), of(hours[m]))

    # A score of each, of the rows that it has.
    post(day, "labels")
    scored = until("scores", windows, lambda w: all(w[m].get("coverage") == 1 for m in range(60, 121, 10)))
    for m in range(60, 121, 10):
        rows = [row for row in day[(m - 60) * 6:m * 6]]
        right = sum((row["prediction"] == "yes") == row["label"] for row in rows) / len(rows)
        got = {one["metric"]: one["value"] for one in scored[m]["metrics"]}["accuracy"]
        expect(f"accuracy up to {m}", (round(got, 9), scored[m]["labelled"]), (round(right, 9), 360))
    hours = until("scores of hours", lambda: windows("hours"), lambda w: w[120].get("coverage") == 1)
    expect("those of the calendar", scored[120]["metrics"], hours[120]["metrics"])

    # What lasts for twenty minutes is one incident, from where it began.
    def incidents(state=None):
        found = service.ask("GET", "/v1/incidents?model=slides")[1]
        return [one for one in found if state in (None, one["state"])]

    expect("nothing yet", incidents(), [])
    post(minutes(121, 132) + minutes(132, 152, x=1.5))
    opened = until("an incident, in the middle of an hour", incidents, len)
    expect("when it is told of", [m for m, w in sorted(windows().items()) if w["verdict"] == "drift"][:1], [150])
    expect("since when", [one["since"] for one in opened], [iso(130)])
    expect("of what", opened[0]["causes"][0]["column"], "x")
    post(minutes(152, 301))
    until("hours behind it", windows, lambda w: 300 in w)
    found = windows()
    expect("bad are those that have it", [m for m, w in found.items() if w["verdict"] == "drift" and not 150 <= m <= 200], [])
    closed = until("it is over", lambda: incidents("resolved"), len)
    expect("and was one", ([one["id"] for one in incidents()], closed[0]["since"]), ([opened[0]["id"]], iso(130)))

    # What they are compared with instead are hours before them.
    found = until("windows by others before them", lambda: windows("before"), lambda w: 300 in w)
    for m, first, last in ((120, 0, 60), (150, 0, 60), (180, 60, 120), (230, 60, 120)):
        said = found[m]["reference"]
        expect(f"what was before {m - 60}", [said.get(key) for key in ("kind", "from", "to", "windows")],
               ["previous", iso(first), iso(last), 1])
    expect("nothing before the first", found[90]["reference"]["kind"], "posted")

    # Rows of a pause are nobody's.
    post(minutes(600, 661))
    found = until("behind a pause", windows, lambda w: 660 in w)
    expect("from three quarters on", [m for m in sorted(found) if m > 310], [650, 660])
    expect("and is no trouble", incidents("open"), [])
    expect("its end", service.end(), 0)

sys.exit(checks.end())
