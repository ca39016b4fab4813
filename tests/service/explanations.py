#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What explains answers: a linear model is trained, each answer comes with what its features had of it (for such a model
that is exact: weight times distance from the mean), and then with a model that was trained on other data.

usage: explanations.py VIGIE
"""
import datetime
import json
import pathlib
import random
import signal
import sys
import tempfile

from service import Checks, Service

FEATURES = ["income", "age", "debt", "tenure", "visits"]
ROWS = 60  # of an hour
START = datetime.datetime(2026, 3, 2, tzinfo=datetime.timezone.utc)
rng = random.Random(11)
checks = Checks()
expect, until = checks.expect, checks.until


def train(truth, steps=3000):
    """Logistic regression by stochastic gradients."""
    weights = [0.0] * len(FEATURES)
    for step in range(steps):
        x = [rng.gauss(0, 1) for _ in FEATURES]
        y = rng.random() < 1 / (1 + 2.718 ** -sum(w * v for w, v in zip(truth, x)))
        p = 1 / (1 + 2.718 ** -sum(w * v for w, v in zip(weights, x)))
        weights = [w + 20 / (200 + step) * (y - p) * v for w, v in zip(weights, x)]
    return weights


def hour(number, weights):
    """Predictions of an hour and their explanations, which have no time of their own."""
    rows, explanations = [], []
    for i in range(ROWS):
        x = dict(zip(FEATURES, (rng.gauss(0, 1) for _ in FEATURES)))
        had = {name: w * x[name] for name, w in zip(FEATURES, weights)}
        at = START + datetime.timedelta(hours=number, seconds=i * 3600 / ROWS)
        name = f"{number}-{i}"
        rows.append({"id": name, "timestamp": at.isoformat(), "features": x, "score": 1 / (1 + 2.718 ** -sum(had.values()))})
        explanations.append({"id": name, "attributions": had})
    return rows, explanations


def together(rows, explanations):
    return [{**row, "attributions": e["attributions"]} for row, e in zip(rows, explanations)]


def lines(rows):
    return "\n".join(json.dumps(row) for row in rows).encode()


def main():
    vigie = sys.argv[1]
    first, second = train([2, 1.2, 0.7, 0.4, 0.1]), train([0.1, 1.2, 0.7, 0.4, 2])
    with tempfile.TemporaryDirectory() as folder:
        data = str(pathlib.Path(folder) / "data")
        service = Service(vigie, data)
        model = "/v1/models/credit"

        def get(path):
            return service.ask("GET", path)[1]

        def windows(of=model):
            return get(of + "/attributions")

        # What is no explanation is told.
        status, said = service.ask("POST", "/v1/models/other/explanations", lines([
            {"id": "a", "attributions": {"age": 1}}, {"id": "b"}, {"id": "c", "attributions": {"age": "much"}}, {"attributions": {"age": 1}},
            {"id": "d", "attributions": 3}, {"id": "a", "attributions": {"age": 2}}, {"id": "e", "attributions": {"age": 1}, "timestamp": "soon"}]))
        missing = '"attributions" is missing: an object with a number for each feature'
        expect("rejected", (status, said), (202, {"accepted": 1, "duplicates": 1, "rejected": [
            {"index": 1, "error": missing}, {"index": 2, "error": '"attributions": that of "age" is no number'},
            {"index": 3, "error": '"id" is missing'}, {"index": 4, "error": missing},
            {"index": 6, "error": '"timestamp" is no time: ISO 8601 or epoch numbers'}]}))
        many = {"id": "m", "attributions": {f"f{i}": 1 for i in range(1001)}}
        status, said = service.ask("POST", "/v1/models/other/explanations", lines([many]))
        expect("too many features", (status, said["error"]), (400, "attributions: there are 1,001 features, and 1,000 are admitted"))
        expect("no such model", service.ask("GET", "/v1/models/credti/attributions")[0], 404)
        expect("a parameter that is none", service.ask("GET", "/v1/models/other/attributions?form=1")[0], 400)

        # A reference with attributions, and a day and more of healthy hours; the explanations come later than the answers.
        service.ask("PUT", model, json.dumps({"window": "hour", "owner": "ana"}))
        status, said = service.ask("POST", model + "/reference", lines(sum((together(*hour(h, first)) for h in range(-48, 0)), [])))
        expect("reference", (status, said.get("windows"), said.get("attributions"), said.get("columns")), (202, 48, True, 6))
        healthy = 30
        for h in range(healthy):
            rows, explanations = hour(h, first)
            service.ask("POST", model + "/predictions", lines(rows))
            status, said = service.ask("POST", model + "/explanations", lines(explanations))
            expect("explanations", (status, said["accepted"], said["duplicates"]), (202, ROWS, 0))
        status, said = service.ask("POST", model + "/explanations", lines(explanations))
        expect("they come again", (status, said["accepted"], said["duplicates"]), (202, 0, ROWS))
        found = until("healthy windows", windows, lambda w: len(w) == healthy and all(one["n"] == ROWS for one in w))
        expect("their times", (found[0]["start"], found[0]["end"]), ("2026-03-02T00:00:00Z", "2026-03-02T01:00:00Z"))
        expect("they are ok", {w["verdict"] for w in found}, {"ok"})
        expect("NDCG", all(w["ndcg"] > 0.95 for w in found), True)
        expect("first and last", (found[0]["features"][0]["feature"], found[0]["features"][-1]["feature"]), ("income", "visits"))
        expect("nothing is wrong", get("/v1/incidents"), [])
        expect("pages", [w["start"] for w in get(model + "/attributions?limit=2&from=2026-03-02T05:00:00Z")],
               ["2026-03-02T05:00:00Z", "2026-03-02T06:00:00Z"])

        # Another model, whose explanations come with its answers; and a kill in between.
        service.ask("POST", model + "/predictions", lines(together(*hour(healthy, second))))
        service.counted("credit", (healthy + 1) * ROWS)
        service.end(signal.SIGKILL)
        service = Service(vigie, data)
        service.ask("POST", model + "/predictions", lines(together(*hour(healthy + 1, second))))
        opened = until("an incident", lambda: [i for i in get("/v1/incidents") if any(c["what"] == "attribution_drift" for c in i["causes"])], bool)
        cause = next(c for c in opened[0]["causes"] if c["what"] == "attribution_drift")
        expect("its cause", (cause["severity"], '"income" fell from 1st to 5th in what explains answers' in cause["reason"]
                             or '"visits" rose from 5th to 1st in what explains answers' in cause["reason"] or cause["reason"]), ("warning", True))
        expect("since", opened[0]["since"], "2026-03-03T06:00:00Z")
        found = until("after a kill", windows, lambda w: len(w) == healthy + 2 and w[-1]["n"] == ROWS)
        expect("each is counted once", [w["n"] for w in found], [ROWS] * (healthy + 2))
        expect("drift", found[healthy]["verdict"], "drift")

        # What came before may be the reference; a new one begins anew.
        status, said = service.ask("POST", model + "/reference", json.dumps({"from": "2026-03-02", "to": "2026-03-03T06:00:00Z"}))
        expect("past rows", (status, said.get("rows"), said.get("attributions")), (202, healthy * ROWS, True))
        until("begun anew", windows, lambda w: w == [])

        # A model without a reference learns from its first windows.
        plain = "/v1/models/plain"
        for h in range(18):
            service.ask("POST", plain + "/predictions", lines(together(*hour(h, first))))
        service.ask("POST", plain + "/predictions", lines(together(*hour(18, second))))
        service.ask("POST", plain + "/predictions", lines(together(*hour(19, second))[:1]))
        found = until("learnt", lambda: windows(plain), lambda w: len(w) == 20 and w[18]["verdict"] == "drift")
        expect("verdicts", [w["verdict"] for w in found], ["no_data"] * 15 + ["ok"] * 3 + ["drift", "no_data"])
        expect("why", found[0]["reason"], "later windows are compared with this one")
        said = service.ask("GET", "/metrics", read=bytes)[1].decode()
        expect("/metrics", 'vigie_ingest_records_total{kind="explanations",outcome="accepted"}' in said, True)
        expect("graceful end", service.end(), 0)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
