#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Windows of `vigie serve` whose rows come late, of several versions of a model, over a kill -9; references made of what
came before.

usage: windows.py VIGIE     the last line says what was found
"""
import datetime
import json
import random
import signal
import subprocess
import sys
import tempfile

from service import Checks, Service

START = datetime.datetime(2026, 3, 2, tzinfo=datetime.timezone.utc)
ROWS = 200
rng = random.Random(1)
checks = Checks()
expect, until = checks.expect, checks.until


def hour(number, version="3", x=0.0, prefix="p", share=0.4):
    rows = []
    for i in range(ROWS):
        at = START + datetime.timedelta(hours=number, seconds=i * 3600 / ROWS)
        truth = rng.random() < share
        score = min(1, max(0, (0.7 if truth else 0.3) + rng.gauss(0, 0.15)))
        rows.append({"id": f"{prefix}{number}-{i}", "timestamp": at.isoformat(), "version": version,
                     "features": {"x": rng.gauss(x, 1), "kind": rng.choice("abc")},
                     "prediction": "yes" if score > 0.5 else "no", "score": round(score, 4), "label": truth})
    return rows


def lines(rows, drop=("label",)):
    return "\n".join(json.dumps({k: v for k, v in row.items() if k not in drop}) for row in rows).encode()


def labels(rows):
    return "\n".join(json.dumps({"id": row["id"], "label": "yes" if row["label"] else "no"}) for row in rows).encode()


def iso(number):
    return (START + datetime.timedelta(hours=number)).strftime("%Y-%m-%dT%H:%M:%SZ")


vigie = sys.argv[1]
with tempfile.TemporaryDirectory() as folder:
    service = Service(vigie, folder)
    model = "/v1/models/m"

    def post(rows, what="predictions", body=None):
        expect(what, service.ask("POST", f"{model}/{what}", body or lines(rows))[0], 202)

    def windows():
        return service.ask("GET", f"{model}/windows")[1]

    def hours(found):
        return {w["start"]: w for w in found}

    expect("a lateness that is none", service.ask("PUT", model, b'{"allowed_lateness": "soon"}')[0], 400)
    expect("PUT", service.ask("PUT", model, b'{"window": "hour", "positive": "yes", "allowed_lateness": "2h"}')[0], 200)

    # Nothing is known yet: what came is made the reference.
    past = [hour(n - 50, version="2") for n in range(50)]
    for rows in past:
        post(rows)
    post([row for rows in past for row in rows], "labels", labels([row for rows in past for row in rows]))
    service.counted("m", 2 * 50 * ROWS)
    status, said = service.ask("POST", f"{model}/reference", json.dumps({"from": iso(-48), "to": iso(0)}).encode())
    expect("a reference of what came", (status, said.get("rows"), said.get("windows"), said.get("window")),
           (202, 48 * ROWS, 48, "hour"))
    expect("its score", said.get("task"), "binary")
    status, said = service.ask("POST", f"{model}/reference", json.dumps({"version": "7"}).encode())
    expect("a version that never came", (status, "other versions" in said.get("error", "")), (400, True))
    status, said = service.ask("POST", f"{model}/reference", json.dumps({"from": "soon"}).encode())
    expect("a time that is none", (status, said.get("error")), (400, 'from: expected a time, as ISO 8601 or an epoch number, got "soon"'))
    status, said = service.ask("POST", f"{model}/reference", json.dumps({"from": iso(-48), "till": iso(0)}).encode())
    expect("a key that is none", (status, "till" in said.get("error", "")), (400, True))

    first, second, third = hour(0), hour(1), hour(2, version="4")
    late = first[::4]
    post([row for row in first if row not in late])
    post(second[:100])
    found = hours(until("the first hour", windows, lambda w: len(w) >= 1))
    expect("without its late rows", (found[iso(0)]["rows"], "late_rows" in found[iso(0)]), (150, False))
    expect("its version", found[iso(0)]["versions"], {"3": 150})
    post(late)
    found = hours(until("restated", windows, lambda w: any(one.get("late_rows") for one in w)))
    expect("with its late rows", (found[iso(0)]["rows"], found[iso(0)]["late_rows"], found[iso(0)]["restated"]), (200, 50, 1))
    expect("its version again", found[iso(0)]["versions"], {"3": 200})

    service.end(signal.SIGKILL)
    service = Service(vigie, folder)
    post(second[100:])
    mixed = [row | {"version": "4" if i % 2 else "3"} for i, row in enumerate(third)]
    post(mixed)
    post([row | {"id": "more" + row["id"]} for row in first[:20]])
    found = hours(until("restated after a kill", windows,
                        lambda w: len(w) >= 2 and hours(w)[iso(0)]["rows"] == 220))
    expect("late twice", (found[iso(0)]["late_rows"], found[iso(0)]["restated"]), (70, 2))
    expect("whole after a kill", (found[iso(1)]["rows"], "late_rows" in found[iso(1)], found[iso(1)]["versions"]),
           (200, False, {"3": 200}))
    post(hour(6))
    found = hours(until("the mixed hour", windows, lambda w: len(w) >= 3))
    expect("two versions", found[iso(2)]["versions"], {"3": 100, "4": 100})
    # All of one version's answers turn out right, of the other's none: together they are a coin.
    truth = [{"id": row["id"], "label": row["prediction"] if i % 2 == 0 else "no" if row["prediction"] == "yes" else "yes"}
             for i, row in enumerate(mixed)]
    post(mixed, "labels", "\n".join(map(json.dumps, truth)).encode())
    found = hours(until("a score of each", windows, lambda w: any("scores_by_version" in one for one in w)))
    by = {version: {m["metric"]: m["value"] for m in one["metrics"]}
          for version, one in found[iso(2)]["scores_by_version"].items()}
    expect("accuracy by version", {v: m["accuracy"] for v, m in by.items()}, {"3": 1, "4": 0})
    expect("of one version there is one score", "scores_by_version" in found[iso(1)], False)
    post([row | {"id": "far" + row["id"]} for row in first[:30]])
    told = until("rows that are too late", lambda: service.ask("GET", model)[1], lambda m: m.get("late_rows"))
    expect("counted", (told["late_rows"], told["watched"]), (30, True))
    expect("and not in their window", hours(windows())[iso(0)]["rows"], 220)
    ahead = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=30)
    post([row | {"id": "soon" + row["id"], "timestamp": ahead.isoformat()} for row in first[:5]])

    # An hour of which nothing came in time.
    post(hour(8))
    post(hour(9))
    until("the hour behind it", windows, lambda w: iso(8) in hours(w))
    post(hour(7))
    post(hour(7), "labels", labels(hour(7)))
    found = hours(until("an hour that was late as a whole", windows,
                        lambda w: "accuracy" in {m["metric"] for m in hours(w).get(iso(7), {}).get("metrics", [])}))
    expect("its rows and their labels", (found[iso(7)]["rows"], found[iso(7)].get("coverage")), (200, 1))
    service.end(signal.SIGKILL)
    service = Service(vigie, folder)
    told = until("after a kill", lambda: service.ask("GET", model)[1], lambda m: m.get("early_rows"))
    expect("counted once", (told["late_rows"], told["early_rows"]), (30, 5))

    # A change that only the rows of a version have is found against the other version's.
    status, said = service.ask("POST", f"{model}/reference", json.dumps({"version": "2"}).encode())
    expect("a reference of one version", (status, said.get("rows")), (202, 50 * ROWS))
    post(hour(10, version="5", x=1.5))
    post(hour(11, version="5", x=1.5))
    found = until("another version", windows, lambda w: any(one["start"] == iso(10) for one in w))
    expect("its drift", hours(found)[iso(10)]["verdict"], "drift")

    # More of them turn out true than ever, and the model says so: its metrics are as good as they were.
    post(moved := hour(13, version="2", share=0.9))
    post(hour(14, version="2"))
    until("its hour", windows, lambda w: iso(13) in hours(w))
    post(moved, "labels", labels(moved[:150]))
    found = hours(until("labels that moved", windows, lambda w: hours(w)[iso(13)].get("labelled") == 150))
    drift = found[iso(13)]["label_drift"]
    expect("of the labels alone", [(d["column"], d["role"], d["method"], d["n_current"], d["verdict"]) for d in drift],
           [("label", "label", "omnibus", 150, "drift")])
    expect("how many have one", drift[0]["reason"].endswith("; 150 of 200 rows have a label"), True)
    incidents = until("an incident of it", lambda: service.ask("GET", "/v1/incidents?model=m")[1],
                      lambda found: any(c["column"] == "label" for i in found for c in i["causes"]))
    expect("is critical", {c["severity"] for i in incidents for c in i["causes"] if c["column"] == "label"}, {"critical"})
    exported = service.ask("GET", f"/v1/export/scores?model=m&from={iso(13)}&to={iso(14)}", read=bytes.decode)[1]
    expect("is exported", [json.loads(line)["label_drift"][0]["verdict"] for line in exported.splitlines()], ["drift"])
    scraped = service.ask("GET", "/metrics", read=bytes.decode)[1]
    expect("is scraped", 'vigie_drift_detected{model="m",feature="label",test="omnibus"} 1' in scraped, True)

    # What is hidden is not drawn either, by whichever of its names it was hidden; categories that look alike once they are masked are one.
    names = ["Ana 1", "Bea 2", "Cid 3", "Dora 4"]

    def applicant(i):
        return {"ts": (START + datetime.timedelta(minutes=i)).isoformat(), "age": rng.randint(20, 60), "secret": rng.randint(1, 9), "n": 10_000 + i,
                "name": f"Eva {i // 300 % 10}" if i % 300 == 0 else names[rng.randrange(4)], "plan": "gold" if i % 3 else "free", "approved": "yes" if rng.random() < .4 else "no", "risk": rng.random()}

    past = [applicant(i - 3000) for i in range(3000)]
    with open(f"{folder}/past.csv", "w", encoding="utf-8") as out:
        out.write("\n".join([",".join(past[0])] + [",".join(str(v) for v in row.values()) for row in past]) + "\n")
    made = subprocess.run([vigie, "profile", f"{folder}/past.csv", "-o", f"{folder}/past.vpf", "--timestamp", "ts", "--window", "hour",
                           "--prediction", "approved", "--score", "risk"], capture_output=True, text=True)
    expect("a profile", made.returncode, 0)
    with open(f"{folder}/past.vpf", "rb") as profile:
        expect("is the reference", service.ask("POST", "/v1/models/q/reference", profile.read())[0], 202)

    def drawn(start, privacy):
        expect("privacy", service.ask("PUT", "/v1/models/q", json.dumps({"window": "hour", "privacy": privacy}).encode())[0], 200)
        rows = [applicant(60 * start + i) | {"secret": rng.randint(30, 39)} for i in range(70)]
        body = lines([{"id": f"q{start} {i}", "timestamp": r.pop("ts"), "prediction": r.pop("approved"), "score": r.pop("risk"), "features": r} for i, r in enumerate(rows)])
        expect("rows of it", service.ask("POST", "/v1/models/q/predictions", body)[0], 202)
        found = until("their window", lambda: service.ask("GET", "/v1/models/q/windows")[1], lambda w: any(one["start"] == iso(start) for one in w))
        window = hours(found)[iso(start)]
        sentences.update({c["column"]: c["reason"] for c in window["columns"] if c["method"] != "missing_share"})
        sentences["range"] = [(q["reason"], q["expected"]) for q in window["quality"] if q["column"] == "secret" and q["check"] == "out_of_range"]
        sentences["row"] = service.ask("GET", f"/v1/models/q/rows?window={window['key']}")[1]["samples"][0]["rows"][0]
        return {d["column"]: d for d in window["distributions"]}

    sentences = {}
    found = drawn(0, {})
    expect("what is drawn", sorted(found), ["age", "approved", "name", "plan", "risk", "secret"])
    expect("a sentence", ("median" in sentences["secret"], sentences["range"][0][1] != ""), (True, True))
    expect("names that few have", sorted(found["name"]["cells"]), sorted([*names, "Xxx 9"]))
    expect("nor are they quoted", [r for r in sentences.values() if "Eva" in str(r)], [])
    expect("their shares", [abs(sum(found["name"][of]) - 1) < .001 for of in ("reference", "current")], [True, True])
    found = drawn(2, {"features.secret": "hash", "prediction": "mask", "scores.risk": "drop", "tags.age": "mask", "features.name": "show"})
    expect("and what is left", sorted(found), ["name", "plan"])
    expect("sentences of what is hidden", (sentences["secret"].startswith("moved "), sentences["range"]), (True, [("its values are hidden", "")]))
    expect("a row of it", [sentences["row"].get(k) for k in ("prediction", "score")], ["xx" if sentences["row"]["prediction"] == "xx" else "xxx", None])
    expect("by name", len([c for c in found["name"]["cells"] if c.startswith("Eva")]) >= 10, True)
    # Of a window that is too small to say anything of, nor does what was expected say it.
    few = [applicant(240 + i) | {"secret": 35} for i in range(8)] + [applicant(300)]
    body = lines([{"id": f"few {i}", "timestamp": r.pop("ts"), "prediction": r.pop("approved"), "score": r.pop("risk"), "features": r} for i, r in enumerate(few)])
    expect("a few rows", service.ask("POST", "/v1/models/q/predictions", body)[0], 202)
    found = until("their window", lambda: service.ask("GET", "/v1/models/q/windows")[1], lambda w: any(one["start"] == iso(4) for one in w))
    expect("and their bounds", [q["expected"] for q in hours(found)[iso(4)]["quality"] if q["column"] in ("secret", "age", "risk") and q["check"] == "out_of_range"], ["", "", ""])

    # Windows of minutes, by the same words; one that does not divide an hour is none.
    def windows_of(name):
        return service.ask("GET", f"/v1/models/{name}/windows")[1]

    status, said = service.ask("PUT", "/v1/models/quarters", b'{"window": "60m"}')
    expect("an hour by another name", (status, said.get("error")), (400, "window: windows of 60m do not divide an hour; did you mean hour?"))
    expect("PUT", service.ask("PUT", "/v1/models/quarters", b'{"window": "15m", "timezone": "Asia/Kathmandu"}')[0], 200)
    past = lines([row for n in range(-48, 0) for row in hour(n)])
    status, said = service.ask("POST", "/v1/models/quarters/reference", past)
    expect("a reference of minutes", (status, said.get("windows"), said.get("window")), (202, 48 * 4, "15m (Asia/Kathmandu)"))
    expect("an hour", service.ask("POST", "/v1/models/quarters/predictions", lines(hour(0) + hour(1, x=2.0)))[0], 202)
    expect("and a row of the next", service.ask("POST", "/v1/models/quarters/predictions", lines(hour(2)[:1]))[0], 202)
    found = until("eight quarters", lambda: windows_of("quarters"), lambda w: len(w) >= 8)
    found = sorted(found, key=lambda w: w["start"])
    expect("where they begin", [w["start"][:16] for w in found[:3]], ["2026-03-02T05:45", "2026-03-02T06:00", "2026-03-02T06:15"])
    expect("their rows", [w["rows"] for w in found], [50] * 8)
    expect("what they found", [w["verdict"] for w in found[4:]], ["drift"] * 4)
    expect("and before", [w["verdict"] for w in found[:4] if w["verdict"] == "drift"], [])

    # What is over after so many rows or with the hour, over a kill -9.
    config = {"window": {"rows": 80, "time": "hour"}, "positive": "yes"}
    expect("PUT", service.ask("PUT", "/v1/models/parts", json.dumps(config).encode())[0], 200)
    past = lines([row | {"label": "yes" if row["label"] else "no"} for n in range(-48, 0) for row in hour(n)], drop=())
    status, said = service.ask("POST", "/v1/models/parts/reference", past)
    expect("a reference by time", (status, said.get("windows"), said.get("window")), (202, 48, "hour or 80 rows"))

    def sent(rows, what="predictions"):
        expect(what, service.ask("POST", f"/v1/models/parts/{what}", lines(rows) if what == "predictions" else labels(rows))[0], 202)

    def clock(minute, second, number=0):
        return (START + datetime.timedelta(hours=number, minutes=minute, seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ")

    first = hour(0)
    sent(first[:100])
    until("a full one before its hour is over", lambda: windows_of("parts"), lambda w: len(w) == 1)
    service.end(signal.SIGKILL)
    service = Service(vigie, folder)
    sent(first[100:])
    sent(first, "labels")
    until("a second", lambda: windows_of("parts"), lambda w: len(w) == 2)
    sent(hour(1, prefix="r")[:10])
    found = until("what the hour left over", lambda: windows_of("parts"), lambda w: len(w) == 3)
    found = sorted(found, key=lambda w: w["start"])
    expect("where they begin", [w["start"] for w in found], [clock(0, 0), clock(24, 0), clock(48, 0)])
    expect("where they end", [w["end"] for w in found], [clock(23, 42), clock(47, 42), clock(0, 0, 1)])
    expect("their rows", [w["rows"] for w in found], [80, 80, 40])
    expect("they are whole", [w["partial"] for w in found if "partial" in w and w["partial"]], [])
    expect("of their volume nothing is said", [q for w in found for q in w["quality"] if q["check"] == "volume"], [])
    expect("each is its own", len({w["key"] for w in found}), 3)
    found = until("their scores", lambda: windows_of("parts"), lambda w: all(one.get("coverage") == 1 for one in w))
    expect("of all of them", len(found), 3)
    sent([row | {"id": "late" + row["id"]} for row in first[:30]])
    told = until("rows whose hour is over", lambda: service.ask("GET", "/v1/models/parts")[1], lambda m: m.get("late_rows"))
    expect("are late", told["late_rows"], 30)
    expect("and in no window", sorted(w["rows"] for w in windows_of("parts")), [40, 80, 80])
    # A profile with windows of that time fits.
    with open(f"{folder}/past.vpf", "rb") as profile:
        expect("PUT", service.ask("PUT", "/v1/models/q2", b'{"window": {"rows": 500, "time": "hour"}}')[0], 200)
        status, said = service.ask("POST", "/v1/models/q2/reference", profile.read())
    expect("a profile", (status, said.get("window")), (202, "hour or 500 rows"))
    expect("its end", service.end(), 0)

sys.exit(checks.end())
