#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A model of `vigie serve` whose windows are compared with windows of its own: those before, of the same hour, of another
version.

usage: references.py VIGIE     the last line says what was found
"""
import datetime
import hashlib
import json
import pathlib
import random
import signal
import subprocess
import sys
import tempfile

from service import Checks, Service

START = datetime.datetime(2026, 3, 2, tzinfo=datetime.timezone.utc)
ROWS = 60
rng = random.Random(1)
checks = Checks()
expect, until = checks.expect, checks.until


def hour(number, age=40, kind="abc", version="1"):
    return "\n".join(json.dumps({
        "id": f"{number}-{version}-{i}", "timestamp": (START + datetime.timedelta(hours=number, seconds=i * 3600 / ROWS)).isoformat(),
        "features": {"age": rng.gauss(age, 10), "kind": rng.choice(kind)}, "score": round(rng.random(), 4),
        "version": version}) for i in range(ROWS)).encode()


def talk(number, among=False):
    rows = []
    for i in range(ROWS):
        own = {"text": " ".join(rng.choices(("red", "green", "blue", "grey"), k=rng.randint(3, 9))), "embedding": [round(rng.gauss(0, 1), 3) for _ in range(4)]}
        features = {"age": rng.gauss(40, 10)}
        (features if among else own).update(own)
        rows.append({"id": f"{number}-{i}", "timestamp": (START + datetime.timedelta(hours=number, seconds=i * 3600 / ROWS)).isoformat(),
                     "version": i % 2 + 1, "features": features, **({} if among else own)})
    return "\n".join(map(json.dumps, rows)).encode()


def at(number):
    return (START + datetime.timedelta(hours=number)).strftime("%Y-%m-%dT%H:%M:%SZ")


def main():
    vigie = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        data = str(pathlib.Path(folder) / "data")
        service = Service(vigie, data)

        def get(path):
            return service.ask("GET", path)[1]

        def post(path, body=None):
            return service.ask("POST", path, body)

        def window_of(model, number):
            found = until(f"the window of hour {number} of {model}", lambda: {w["start"]: w for w in get(f"/v1/models/{model}/windows")},
                          lambda w: at(number) in w)
            return found.get(at(number), {})

        def begin(model, reference, hours=24):
            expect("PUT " + model, service.ask("PUT", f"/v1/models/{model}", json.dumps({"window": "hour", "reference": reference}))[0], 200)
            expect("reference of " + model, post(f"/v1/models/{model}/reference", b"\n".join(hour(h) for h in range(-hours, 0)))[0], 202)

        def send(model, first, last, **more):
            for h in range(first, last):
                post(f"/v1/models/{model}/predictions", hour(h, **more))

        for said, why in (('"movng"', 'reference: unknown kind "movng"; did you mean "moving"?'),
                          ('{"kind": "moving", "weeks": 2}', "reference.weeks: is of the kind same_time"),
                          ('{"kind": "version"}', "reference.version: expected that of the model which the others are compared with, got null"),
                          ('{"kind": "moving", "length": "7"}', 'reference.length: expected a length of at most 400 days, as 12h or 7d, got "7"')):
            expect("PUT of " + said, service.ask("PUT", "/v1/models/none", f'{{"reference": {said}}}'), (400, {"error": why, "where": "body"}))

        # Applicants became older by half and stayed so: for the posted reference that goes on and on, for windows before
        # it is usual after a day; what then comes is judged by those, and over a kill.
        begin("moving", {"kind": "moving", "length": "12h", "gap": "2h"})
        send("moving", 0, 3)
        first = window_of("moving", 1)["reference"]
        expect("too few", (first["kind"], "five are needed" in first["why"]), ("posted", True))
        send("moving", 3, 24, age=60, kind="abcd")
        expect("at first", window_of("moving", 4)["verdict"], "drift")
        until("a day later", lambda: window_of("moving", 22), lambda w: w.get("verdict") == "ok")
        service.end(signal.SIGKILL)
        service = Service(vigie, data)
        send("moving", 24, 26, age=60, kind="abcd")
        send("moving", 26, 29, age=85, kind="abcd")
        usual, later = window_of("moving", 24), window_of("moving", 26)
        of = usual["reference"]
        expect("what it was compared with", (of["kind"], of["from"], of["to"], of["windows"], of["rows"]), ("moving", at(10), at(22), 12, 12 * ROWS))
        expect("its verdicts", (usual["verdict"], later["verdict"]), ("ok", "drift"))
        incidents = get("/v1/incidents?model=moving&state=open")
        expect("of the incident", [i["compared_with"] for i in incidents][:1] != [None], True)

        # The window before: a step is seen once.
        begin("previous", "previous")
        send("previous", 0, 12)
        send("previous", 12, 18, age=70)
        step, after = window_of("previous", 12), window_of("previous", 14)
        expect("previous", (step["reference"]["kind"], step["reference"]["from"], step["reference"]["windows"]), ("previous", at(11), 1))
        expect("a step", step["verdict"], "drift")
        expect("and after it", (after["verdict"], after["reference"]["from"]), ("ok", at(13)))

        # Nights are others than days: that is no drift for the same hour of the week before.
        begin("season", {"kind": "same_time", "weeks": 2})
        for day in range(8):
            for h in range(24):
                post("/v1/models/season/predictions", hour(24 * day + h, age=30 if h < 8 else 60))
        night = window_of("season", 24 * 7 + 3)
        expect("the same hour", (night["reference"]["kind"], night["reference"]["from"], night["verdict"]), ("same_time", at(3), "ok"))
        expect("of the week before there is none", window_of("season", 24 * 6 + 3)["reference"]["kind"], "posted")

        # A new version answers other than the one before it: not by the posted reference, but beside it.
        begin("versions", {"kind": "version", "version": "1"})
        for h in range(0, 4):
            post("/v1/models/versions/predictions", hour(h, version="1"))
            post("/v1/models/versions/predictions", hour(h, age=40 if h < 2 else 60, version="2"))
        service.end(signal.SIGKILL)
        service = Service(vigie, data)
        post("/v1/models/versions/predictions", hour(4, version="2"))
        post("/v1/models/versions/predictions", hour(5, version="2"))
        same, other, alone = (window_of("versions", h) for h in (1, 3, 4))
        expect("versions", same["reference"], {"kind": "version", "version": "1", "rows": ROWS, "compared_rows": ROWS})
        expect("alike, and not", (same["verdict"], same["rows"], other["verdict"]), ("ok", 2 * ROWS, "drift"))
        expect("alone", (alone["reference"]["kind"], alone["reference"]["why"]), ("posted", "it has no row of version 1"))
        expect("its incident", [i["compared_with"] for i in get("/v1/incidents?model=versions")][:1], ["version 1 at the same time"])

        # What a model was compared with is kept, once each, and the file of it is one of vigie profile.
        kept = "/v1/models/previous/references"
        expect("the past as reference", post("/v1/models/previous/reference", json.dumps({"from": at(0), "to": at(12)}))[0], 202)
        found = until("two references", lambda: get(kept), lambda r: len(r) == 2 and r[0]["in_use"])
        expect("of which rows", [(r["kind"], r["in_use"], r["from"], r["rows"]) for r in found],
               [("past", True, at(0), 12 * ROWS), ("posted", False, at(-24), 24 * ROWS)])
        file = pathlib.Path(folder) / "first.vpf"
        file.write_bytes(service.ask("GET", f"{kept}/{found[1]['id']}", read=bytes)[1])
        expect("its name", (hashlib.sha256(file.read_bytes()).hexdigest(), file.stat().st_size), (found[1]["id"], found[1]["bytes"]))
        rows = pathlib.Path(folder) / "rows.csv"
        rows.write_text("age,kind,score\n" + "".join(f"{rng.gauss(40, 10)},{rng.choice('abc')},{rng.random()}\n" for _ in range(1000)))
        done = subprocess.run([vigie, "compare", "--reference", file, "--current", rows, "--json"], capture_output=True, text=True)
        expect("compare takes it", (done.returncode, done.stderr), (0, ""))
        post("/v1/models/previous/reference", file.read_bytes())
        again = until("the first again", lambda: get(kept), lambda r: r[0]["kind"] == "posted" and r[0]["in_use"])
        expect("twice is once", [(r["id"], r["in_use"]) for r in again], [(found[1]["id"], True), (found[0]["id"], False)])
        expect("by pages", [r["id"] for r in get(f"{kept}?limit=1&after={again[0]['id']}")], [again[1]["id"]])
        expect("none of that name", service.ask("GET", f"{kept}/5f")[0], 404)
        expect("exported", [json.loads(line)["id"] for line in service.ask("GET", "/v1/export/references?model=previous", read=bytes.decode)[1].splitlines()],
               [r["id"] for r in again])
        expect("exported by pages", [json.loads(line)["id"] for line in service.ask(
            "GET", f"/v1/export/references?model=previous&limit=1&after=previous/{again[0]['id']}", read=bytes.decode)[1].splitlines()], [again[1]["id"]])
        status, said = service.ask("GET", "/v1/export/references?format=parquet", read=bytes)
        expect("as Parquet", (status, said[:4]) if status != 406 else (200, b"PAR1"), (200, b"PAR1"))
        names = [m["model"] for m in get("/v1/models")]
        expect("models by pages", [m["model"] for m in get(f"/v1/models?limit=2&after={names[0]}")], names[1:3])

        # Texts and embeddings stand beside the features or among them; a version is a segment as a tag is.
        expect("PUT talk", service.ask("PUT", "/v1/models/talk", '{"window": "hour", "segments": ["version"]}')[0], 200)
        expect("reference of talk", post("/v1/models/talk/reference", b"\n".join(talk(h) for h in range(-24, 0)))[0], 202)
        for h in range(4):
            post("/v1/models/talk/predictions", talk(h, among=h > 1))
        for h in (0, 2):
            window = window_of("talk", h)
            counted = {(c["column"], c["segment"]): c["n_current"] for c in window["columns"]}
            expect(f"columns of talk, hour {h}", counted, {(c, v): ROWS if v is None else ROWS // 2
                                                           for c in ("age", "text", "embedding") for v in (None, "version=1", "version=2")})
            expect(f"quality of talk, hour {h}", [c for c in window["quality"] if c["verdict"] == "fail"], [])
        expect("incidents of talk", get("/v1/incidents?model=talk"), [])

        # Nobody posts anything: what came in the first day is made the reference, once what is late of it may have come.
        config = {"window": "hour", "reference": {"kind": "first", "length": "24h"}}
        expect("PUT first", service.ask("PUT", "/v1/models/first", json.dumps(config))[0], 200)
        send("first", 0, 12)
        service.end(signal.SIGKILL)
        service = Service(vigie, data)
        send("first", 12, 24)
        service.counted("first", 24 * ROWS)
        expect("before its end", get("/v1/models/first")["watched"], False)
        send("first", 24, 26)
        until("what came first", lambda: get("/v1/models/first"), lambda model: model["watched"])
        send("first", 26, 28)
        send("first", 28, 31, age=70)
        expect("compared with it", [window_of("first", h)["verdict"] for h in (26, 29)], ["ok", "drift"])
        by_hand = [entry for entry in get("/v1/audit?model=first") if entry["event"] == "reference_set"]
        expect("it is made once", len(by_hand), 1)

        # By levels and methods of its own, also of windows that are open, and of a reference that is posted anew.
        begin("judged", "posted")
        send("judged", 0, 2, age=70)
        expect("by the usual levels", window_of("judged", 0)["verdict"], "drift")
        compare = {"watch": 8, "major": 9, "methods": ["psi", {"column": "age", "method": "ks"}]}
        for said, why in (({"compare": {"watch": 1}}, "compare.major: is missing: watch and major go together"),
                          ({"compare": {"watch": 3, "major": 2}}, "compare.watch: expected at most compare.major, got 3"),
                          ({"compare": {"alpha": 1}}, "compare.alpha: expected a level between 0 and 1, got 1"),
                          ({"compare": {"methods": ["psy"]}}, 'compare.methods[0]: unknown method "psy"; did you mean "psi"?'),
                          ({"compare": {"methods": [{"column": "kind", "method": "ks"}]}}, "compare.methods kind=ks: ks does not take categorical columns"),
                          ({"compare": {"methods": [{"column": "aeg", "method": "ks"}]}}, 'compare.methods: no column "aeg"')):
            found = service.ask("PUT", "/v1/models/judged", json.dumps(said))
            expect(f"PUT {said}", (found[0], found[1]["error"].startswith(why) or found[1]["error"]), (400, True))
        expect("PUT compare", service.ask("PUT", "/v1/models/judged", json.dumps({"window": "hour", "compare": compare}))[0], 200)
        send("judged", 2, 5, age=70)
        window = window_of("judged", 3)
        expect("by its own", window["verdict"], "ok")
        expect("methods", sorted({(c["column"], c["method"]) for c in window["columns"]}), [("age", "ks"), ("kind", "psi"), ("score", "psi")])
        # Also of one that needs no more than its axes just now.
        service.end(signal.SIGKILL)
        service = Service(vigie, data)
        expect("PUT while it rests", service.ask("PUT", "/v1/models/judged", json.dumps({"window": "hour", "compare": compare}))[0], 200)
        send("judged", 5, 7, age=70)
        expect("behind a start", window_of("judged", 5)["verdict"], "ok")

        # Who is worked on is no measure: its hours are in no reference.
        config = {"window": "hour", "reference": "previous", "maintenance": [{"from": at(20), "for": "2h"}]}
        expect("PUT with maintenance", service.ask("PUT", "/v1/models/previous", json.dumps(config))[0], 200)
        send("previous", 18, 25, age=70)
        expect("past maintenance", window_of("previous", 22)["reference"]["from"], at(19))
        expect("graceful end", service.end(signal.SIGTERM), 0)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
