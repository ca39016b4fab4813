#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Detectors on the streams of a model of `vigie serve`: a healthy one, one whose errors rise, and the same over kills.

usage: streams.py VIGIE     the last line says what was found
"""
import datetime
import json
import pathlib
import random
import signal
import sys
import tempfile

from service import Checks, Service

START = datetime.datetime(2026, 3, 2, tzinfo=datetime.timezone.utc)
ROWS, HEALTHY, BAD = 120, 96, 48
MODEL = "/v1/models/credit"
rng = random.Random(1)
checks = Checks()
expect, until = checks.expect, checks.until


def hour(number, wrong=0.1):
    """Predictions of an hour, and their labels."""
    rows, labels = [], []
    for i in range(ROWS):
        answer = rng.random() < 0.4
        truth = answer != (rng.random() < wrong)
        at = START + datetime.timedelta(hours=number, seconds=i * 3600 / ROWS)
        rows.append({"id": f"{number}-{i}", "timestamp": at.isoformat(),
                     "features": {"income": rng.lognormvariate(3, 1), "kind": rng.choice("abc")},
                     "prediction": "yes" if answer else "no",
                     "score": round(min(1, max(0, rng.gauss(0.7 if answer else 0.3, 0.1))), 4)})
        labels.append({"id": f"{number}-{i}", "label": "yes" if truth else "no"})
    return rows, labels


REFERENCE = [hour(h - 200) for h in range(24 * 8)]


def lines(rows):
    return "\n".join(json.dumps(row) for row in rows).encode()


def run(vigie, data, hours, config, kills=()):
    """The service, and what its detectors say, once the hours were read. It is killed before the hours that `kills` names,
    as soon as it has acknowledged the last one, and in the midst of them, before their labels."""
    service = Service(vigie, data)

    def killed():
        service.end(signal.SIGKILL)
        return Service(vigie, data)

    expect("PUT", service.ask("PUT", MODEL, json.dumps(config))[0], 200)
    reference = [dict(row, label=label["label"]) for rows, labels in REFERENCE for row, label in zip(rows, labels)]
    expect("reference", service.ask("POST", MODEL + "/reference", lines(reference))[0], 202)
    for number, (rows, labels) in enumerate(hours):
        service = killed() if number in kills else service
        # Some labels come before their predictions, and all of them twice.
        service.ask("POST", MODEL + "/labels", lines(labels[:10]))
        service.ask("POST", MODEL + "/predictions", lines(rows))
        service = killed() if number in kills else service
        service.ask("POST", MODEL + "/labels", lines(labels))
        service.ask("POST", MODEL + "/labels", lines(labels))
    expect("counts", service.counted("credit", 2 * ROWS * len(hours)), (ROWS * len(hours),) * 2)
    found = until("detectors", lambda: service.ask("GET", MODEL + "/detectors")[1],
                  lambda d: d and all(one["values"] >= ROWS * len(hours) for one in d))
    expect("each value once", [one["values"] for one in found], [ROWS * len(hours)] * len(found))
    return service, found


def causes_of_streams(service):
    return [cause for incident in service.ask("GET", "/v1/incidents")[1] for cause in incident["causes"]
            if cause["what"] in ("error", "score", "income")]


def refused(vigie, data):
    service = Service(vigie, data)
    error = {"on": "error"}
    for detectors, said in [
            ([{"on": "score", "detector": "hddm"}], 'detectors[0].detector: unknown detector "hddm"; did you mean "ddm"?'),
            ([{"on": "error", "detektor": "ddm"}], 'detectors[0]: unknown key "detektor"; did you mean "detector"?'),
            ([{"on": "score", "detector": "ddm"}],
             "detectors[0].detector: ddm: is for errors of 0 and 1, and score is a stream of numbers"),
            ([{"on": "score", "detector": "pelt"}], "detectors[0].detector: pelt: works on a whole series, not on a stream"),
            ([{"on": "error", "detector": "adwin(on_drift=hold)"}], "detectors[0].detector: adwin: on_drift=hold would end it"),
            ([error, error], "detectors[1]: adwin on error is there twice"),
            ([{"detector": "ddm"}], "detectors[0].on: expected error, residual, score or the name of a numeric feature"),
            ([error, {"on": "residual"}], "detectors: a model has errors or residuals, of classes or of numbers, not both")]:
        expect(f"PUT {detectors}", service.ask("PUT", MODEL, json.dumps({"detectors": detectors})), (400, {"error": said, "where": "body"}))
    status, said = service.ask("PUT", MODEL, json.dumps({"detectors": [{"on": f"x{i}"} for i in range(21)]}))
    expect("too many", (status, said["error"].partition(", got")[0]), (400, "detectors: expected a list of at most 20"))
    expect("no such model", service.ask("GET", "/v1/models/credti/detectors")[0], 404)
    expect("end", service.end(), 0)


def healthy_one(vigie, data, hours):
    config = {"window": "day", "positive": "yes",
              "detectors": [{"on": "error"}, {"on": "score", "detector": "cusum"}, {"on": "income"}]}
    service, found = run(vigie, data, hours, config)
    expect("causes of a healthy one", causes_of_streams(service), [])
    expect("its detectors", [(d["on"], d["detector"], d["state"], d["reason"]) for d in found],
           [("error", "adwin", "stable", None), ("score", "cusum", "stable", None), ("income", "adwin", "stable", None)])
    error = found[0]
    expect("its level", 0.07 < error["level"] < 0.13, True)
    expect("rate", abs(error["values_per_30_days"] / (ROWS * 24 * 30) - 1) < 0.02, True)
    # One of 30 days in five shares, of windows, scores, windows put together, requests and detectors, and a third of that
    # for each of them.
    expect("shares", [round(d["false_alarms"] * 15, 9) for d in found], [1, 1, 1])
    # 86,400 values a month by the reference, whose eighth day is cut off, one alarm in a year, and a margin.
    expect(f"run length {error['target_arl']} of {error['values_per_30_days']}", (error["values_per_update"], 3.2e6 < error["target_arl"] < 4e6), (1, True))
    # What was corrected was seen.
    service.ask("POST", MODEL + "/labels", lines([dict(label, label="no") for label in hours[-1][1]]))
    service.ask("POST", MODEL + "/predictions", lines([{"id": "last", "features": {"income": 20}}]))
    until("one more", lambda: service.ask("GET", MODEL + "/detectors")[1][2]["values"], lambda n: n == ROWS * HEALTHY + 1)
    expect("corrections", service.ask("GET", MODEL + "/detectors")[1][0], error)

    for put, said in [({"detectors": [{"on": "incme"}]}, 'detectors[0].on: unknown numeric feature "incme"; did you mean "income"?'),
                      ({"monitors": [{"what": "erorr"}]},
                       'monitors[0].what: unknown metric, check or method "erorr"; did you mean "error"?')]:
        expect(f"PUT {put}", service.ask("PUT", MODEL, json.dumps(dict(config, **put))), (400, {"error": said, "where": "body"}))
    expect("PUT none", service.ask("PUT", MODEL, json.dumps(dict(config, detectors=[])))[0], 200)
    until("none", lambda: service.ask("GET", MODEL + "/detectors")[1], lambda d: d == [])
    expect("end", service.end(), 0)


def bad_one(vigie, data, hours, kills):
    """Detectors that nobody named: errors."""
    config = {"window": "day", "positive": "yes", "owner": "ana", "false_alarms": 10, "monitors": [{"what": "error", "owner": "bob"}]}
    service, found = run(vigie, data, hours, config, kills)
    expect("one detector", [(d["on"], d["detector"], d["state"]) for d in found], [("error", "adwin", "changed")])
    causes = causes_of_streams(service)
    expect("one cause", [(c["what"], c["severity"]) for c in causes], [("error", "critical")])
    for cause in causes:
        since = (datetime.datetime.fromisoformat(cause["since"]) - START).total_seconds() / 3600
        # The time of the first alarm is within the hour after, and that of its window is HEALTHY itself.
        expect(f"since {since:.1f} h", HEALTHY - 3 < since < HEALTHY, True)
        reason = cause["reason"]
        expect(reason, (reason.startswith("its rate rose from 0.1"), " to 0.2" in reason, " UTC (adwin, " in reason, reason.endswith(" labels)")),
               (True,) * 4)
    expect("incidents", len(service.ask("GET", "/v1/incidents")[1]), 1)
    page = service.ask("GET", "/", read=bytes.decode)[1]
    expect("the page", f"<strong>error</strong></bdi> {found[0]['reason']}" in page, True)
    return service, found, causes


def main():
    vigie = sys.argv[1]
    healthy = [hour(h) for h in range(HEALTHY)]
    bad = [hour(HEALTHY + h, wrong=0.25) for h in range(BAD)]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        refused(vigie, str(folder / "refused"))
        healthy_one(vigie, str(folder / "healthy"), healthy)
        service, *found = bad_one(vigie, str(folder / "bad"), healthy + bad, ())
        expect("end", service.end(), 0)
        kills = {1, HEALTHY - 1, HEALTHY + 2, HEALTHY + 3, HEALTHY + 5, HEALTHY + 20}
        service, *again = bad_one(vigie, str(folder / "killed"), healthy + bad, kills)
        expect("the same over kills", again, found)

        # It ends when the errors are as before.
        for rows, labels in [hour(HEALTHY + BAD + h) for h in range(24)]:
            service.ask("POST", MODEL + "/predictions", lines(rows))
            service.ask("POST", MODEL + "/labels", lines(labels))
        until("recovered", lambda: service.ask("GET", MODEL + "/detectors")[1][0]["state"], lambda s: s == "stable")
        expect("end", service.end(), 0)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
