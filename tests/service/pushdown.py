#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Rows that lie in an index of a real node are compared without moving them: what `vigie compare` finds of them by counting
there is what it finds of the same rows in a file.

usage: pushdown.py VIGIE [VERSION…]     nodes: of scripts/peers; exit status 77 where none is to be had
"""
import bisect
import csv
import datetime
import json
import math
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import time

from search_nodes import Search, versions
from service import Checks, Service

vigie = str(pathlib.Path(sys.argv[1]).resolve())
checks = Checks()
expect = checks.expect
rng = random.Random(1)
START = datetime.datetime(2026, 2, 20, tzinfo=datetime.timezone.utc)
NAMES = [f"n{i:04d}" for i in range(2500)]


def row(i, shift):
    at = START + datetime.timedelta(minutes=7 * i)
    return {"id": f"r{i}", "ts": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "age": None if rng.random() < (.2 if shift else .02) else round(rng.gauss(40 + 8 * shift, 12), 3),
            "income": round(rng.lognormvariate(10, .4) * (1e6 if shift and rng.random() < .01 else 1), 2), "visits": min(9, int(rng.expovariate(.5))),
            "plan": rng.choices(["free", "paid", "pro", "trial"], [5, 3, 1, 3 * shift])[0], "member": rng.random() < .4 + .2 * shift,
            "name": NAMES[min(2499, int(rng.expovariate(.002)))], "constant": 7, "region": rng.choices(["eu", "us", "asia", "mars", None], [40, 40, 40, .5, 10])[0], "note": f"text {rng.random()} of {rng.random()}",
            "score": round(rng.random(), 4), "prediction": rng.choice(["yes", "no"]), "grade": rng.choice([0, 1, 2])}


def table(path, rows):
    with open(path, "w", newline="") as out:
        writer = csv.DictWriter(out, rows[0].keys())
        writer.writeheader()
        writer.writerows({k: "" if v is None else str(v).lower() if isinstance(v, bool) else v for k, v in r.items()} for r in rows)


def run(*args):
    return subprocess.run([vigie, *map(str, args)], capture_output=True, text=True)


def compared(*args):
    done = run("compare", "--json", *args)
    if done.returncode:
        raise SystemExit(f"FAILED: {args}: {done.returncode} {done.stderr}")
    return json.loads(done.stdout)


def same(name, there, here):
    """What was found of each column in each window."""
    def found(said):
        return {(w.get("start"), c["column"], c["segment"], c["method"]): c for w in said["windows"] for c in w["columns"]}
    there, here = found(there), found(here)
    expect(f"{name}: the same results", sorted(map(str, there)), sorted(map(str, here)))
    expect(f"{name}: some are no drift and some are", {c["verdict"] for c in here.values()} >= {"ok", "drift"}, True)
    for key in here:
        a, b = there.get(key, {}), here[key]
        for field, value in b.items():
            got = a.get(field)
            near = isinstance(value, float) and isinstance(got, (int, float)) and abs(got - value) <= 1e-6 * max(1, abs(value))
            if got != value and not near:
                expect(f"{name}: {key} {field}", got, value)
        checks.count += 1


FIELDS = {"ts": {"type": "date"}, "note": {"type": "text"}, "member": {"type": "boolean"}} | {
    k: {"type": "keyword"} for k in ("id", "plan", "name", "region", "prediction")} | {
    k: {"type": "double"} for k in ("age", "income", "score", "grade")} | {k: {"type": "long"} for k in ("visits", "constant")}


def fill(node, folder, index, fields, rows):
    """An index of those fields with those rows."""
    expect(f"{node.version}: {index} made", node.ask("PUT", f"/{index}", {"mappings": {"properties": fields}})[0], 200)
    put(node, folder, index, rows)


def put(node, folder, index, rows):
    log = folder / "rows.ndjson"
    log.write_text("".join(json.dumps({k: v for k, v in r.items() if v is not None}) + "\n" for r in rows))
    done = run("ship", log, "--to", node.url, "--index", index, "--by", "none", "--no-setup", "--timestamp", "ts")
    expect(f"{node.version}: {index} shipped", (done.returncode, done.stderr), (0, ""))
    node.ask("POST", f"/{index}/_refresh")


def on_a_node(version, folder):
    node = Search(version, str(folder / version))
    fill(node, folder, "logs-1", FIELDS, current)
    there = f"elastic(to={node.url}, index=logs-*, time=ts)"
    for window in "day", "":
        args = ["--reference", reference, "--segment", "region"] + (["--window", window, "--timestamp", "ts"] if window else [])
        here = compared(*args, "--current", folder / "current.csv")
        found = compared(*args, "--current", there)
        same(f"{version}, {window}", found, here)
        expect(f"{version}, {window}: windows", [(w.get("start"), w["rows"], w.get("partial")) for w in found["windows"]],
               [(w.get("start"), w["rows"], w.get("partial")) for w in here["windows"]])
    # A text is counted by its length and its words, which an index does not have.
    done = run("profile", folder / "past.csv", "-o", folder / f"{version} text.vpf", "--ignore", "id")
    found = compared("--reference", folder / f"{version} text.vpf", "--current", there)
    expect(f"{version}: what is not compared is said", (done.returncode, [n for n in found["notes"] if "is not compared" in n]),
           (0, [f'logs-*: "{c}" is not compared: a cluster cannot count a column of {k}' for c, k in (("ts", "timestamp"), ("note", "text"))]))
    methods = ["--method", "psi", "--method", "age=js", "--method", "income=ks", "--method", "score=wasserstein", "--method", "plan=chi2"]
    args = ["--reference", reference, "--window", "day", "--timestamp", "ts", *methods]
    some = "from=2026-03-01, until=2026-03-04"
    found = compared(*args, "--current", there[:-1] + f", {some})")
    expect(f"{version}: some days", [w["start"] for w in found["windows"]], [f"2026-03-0{d}T00:00:00Z" for d in (1, 2, 3)])
    here = compared(*args, "--current", folder / "current.csv")
    here["windows"] = [w for w in here["windows"] if w["start"] in {f["start"] for f in found["windows"]}]
    same(f"{version}: methods by bins", found, here)
    found = compared("--reference", reference, "--window", "day", "--timestamp", "ts", "--current", there[:-1] + ', query="region:eu", fields="age=income")')
    expect(f"{version}: a query", sum(w["rows"] for w in found["windows"]), sum(r["region"] == "eu" for r in current))
    node.ask("PUT", "/_cluster/settings", {"transient": {"search.max_buckets": 3000}})
    found = compared("--reference", reference, "--current", there)
    same(f"{version}: few buckets", found, compared("--reference", reference, "--current", folder / "current.csv"))
    for wrong, said in ((there.replace("logs-*", "none-*"), "there is no such index"), (there.replace("time=ts", "time=age"), '"age" is no field of dates'),
                        (there.replace("time=ts", "tme=ts"), "did you mean"), ("elastic(index=a)", "to"), (there[:-1] + ", from=x)", "expected a time")):
        done = run("compare", "--reference", reference, "--window", "day", "--timestamp", "ts", "--current", wrong)
        expect(f"{version}: {wrong[-30:]}", (done.returncode, said in done.stderr, done.stderr.count("\n")), (2, True, 1))
    done = run("compare", "--reference", reference, "--window-rows", "100", "--current", there)
    expect(f"{version}: by rows", (done.returncode, "an index has no order" in done.stderr), (2, True))
    node.kill()


def referred(version, folder):
    """A reference that is counted in an index is that of the same rows in a file."""
    node = Search(version, str(folder / f"{version} past"))
    many = [{"ts": (START + datetime.timedelta(seconds=20 * i)).isoformat(), "amount": rng.lognormvariate(3, 1), "cents": rng.choice([0, 99, rng.randint(1, 10**6)]),
             "single": rng.random(), "half": 10 ** rng.uniform(-4, 4)} for i in range(50_000)]
    many[7]["list"], many[8]["list"] = [1, 2], 3
    flat = {"list": {"type": "long"}, "ts": {"type": "date"}, "amount": {"type": "double"}, "cents": {"type": "long"}, "single": {"type": "float"}, "half": {"type": "half_float"}}
    for index, fields, rows in ("past", FIELDS, past), ("now", FIELDS, current), ("many", flat, many):
        fill(node, folder, index, fields, rows)
    there = lambda index, more="": f"elastic(to={node.url}, index={index}, time=ts{more})"
    roles = ["--window", "day", "--segment", "region", "--prediction", "prediction", "--score", "score", "--schema", folder / "schema.yaml"]
    # Simulated p-values are of a column's place.
    table(folder / "sorted.csv", [dict(sorted(r.items())) for r in past])
    counted, read = folder / f"{version}.vpf", folder / f"{version} file.vpf"
    for data, to, more in (there("past"), counted, ["--ignore", "id"]), (folder / "sorted.csv", read, ["--ignore", "id,note,name", "--timestamp", "ts"]):
        done = run("profile", data, "-o", to, *roles, *more)
        expect(f"{version}: profile of {data}", (done.returncode, "20,000 rows, 10 columns, 97 healthy windows" in done.stderr), (0, True))
        if to == counted:
            for said in ('"note" is not compared: a cluster cannot count a field of text', '"name" is not compared: more than 1000 categories'):
                expect(f"{version}: {said}", said in done.stderr, True)
    args = ["--current", folder / "current.csv", "--window", "day", "--timestamp", "ts", "--segment", "region"]
    here = compared("--reference", read, *args)
    same(f"{version}, reference", compared("--reference", counted, *args), here)
    same(f"{version}, both", compared("--reference", there("past"), "--current", there("now"), *roles, "--ignore", "id"), here)
    some = run("profile", there("past", ", until=2026-02-21"), "-o", folder / f"{version} day.vpf", "--features", "age")
    expect(f"{version}: a day", (some.returncode, f"{sum(r['ts'] < '2026-02-21' for r in past)} rows, 1 column" in some.stderr), (0, True))
    # More values than are asked for one by one: bins that hold as many rows each as they should, and exactly those that they say.
    done = run("profile", there("many"), "-o", folder / f"{version} many.vpf")
    expect(f"{version}: many", (done.returncode, [f'cells of "{c}" are chosen by approximate quantiles' in done.stderr for c in ("amount", "cents", "single", "half")]), (0, [True] * 4))
    expect(f"{version}: lists", '"list" is not compared: some rows have several values of it' in done.stderr, True)
    said = json.loads(run("show", folder / f"{version} many.vpf", "--json").stdout)
    for column in said["columns"]:
        counts, cuts = column["bins"]["counts"], column["bins"]["cuts"]
        values = sorted(r[column["column"]] for r in many)
        if digits := {"single": "f", "half": "e"}.get(column["column"]):  # as the index holds them
            values = [struct.unpack(digits, struct.pack(digits, v))[0] for v in values]
        at = [bisect.bisect_left(values, cut) for cut in cuts]
        expect(f"{version}: rows of the bins of {column['column']}", counts, [end - begin for begin, end in zip([0] + at, at + [len(values)])])
        own = {cell for cell, cut in enumerate(cuts[1:], 1) if cut == math.nextafter(cuts[cell - 1], math.inf)}
        largest = max(n for cell, n in enumerate(counts) if cell not in own)
        expect(f"{version}: no bin of {column['column']} has many", (largest < 1.3 * 50_000 / 128, len(counts) > 40), (True, True))
        expect(f"{version}: values with many rows", [values[at[cell - 1]] for cell in sorted(own)], [0, 99] if column["column"] == "cents" else [])
    for wrong, why in ((["profile", there("none-*")], "there is no such index"), (["profile", there("past", ", until=2020-01-01")], "no rows there have a time"),
                       (["profile", there("past"), "--window-rows", "100"], "an index has no order"), (["profile", there("past"), "--segment", "age"], "one field of keywords"),
                       (["profile", there("past"), "--prediction", "predicton"], 'did you mean "prediction"?'), (["profile", there("past", ', fields="a=b"')], 'has no field "b"')):
        done = run(*wrong, "-o", folder / "none.vpf")
        expect(f"{version}: {wrong[1:]}", (done.returncode, why in done.stderr, done.stderr.count("\n")), (2, True, 1))
    node.kill()


def odd(version, folder):
    """Rows as they should not be, and numbers that an index rounds."""
    node = Search(version, str(folder / f"{version} odd"))
    there = lambda index, more="": f"elastic(to={node.url}, index={index}, time=ts{more})"
    rows = [{"ts": (START + datetime.timedelta(minutes=i)).isoformat(), "single": rng.choice([.1, .7, -.3, 1e-3, 123.456]), "half": rng.choice([.1, -.7, 2.3]),
             "zero": rng.choice([-0., 0., 1.5, -2.]), "int": rng.randrange(10), "long": rng.randrange(10)} for i in range(3000)]
    fields = {"int": {"type": "integer"}, "long": {"type": "long"}, "ts": {"type": "date"}, "single": {"type": "float"}, "half": {"type": "half_float"}, "zero": {"type": "double"}}
    fill(node, folder, "rounded", fields, rows)
    table(folder / "rounded.csv", rows)
    here, counted = folder / f"{version} rounded.vpf", folder / f"{version} rounded there.vpf"
    for data, to, more in (folder / "rounded.csv", here, ["--timestamp", "ts"]), (there("rounded"), counted, []):
        done = run("profile", data, "-o", to, "--window", "day", *more)
        expect(f"{version}: profile of {data}", (done.returncode, "3,000 rows, 5 columns" in done.stderr), (0, True))
    bins = {path: {c["column"]: (c["bins"]["counts"], len(c["bins"]["cuts"])) for c in json.loads(run("show", path, "--json").stdout)["columns"]} for path in (here, counted)}
    expect(f"{version}: bins of rounded numbers", bins[counted], bins[here])
    for reference in here, counted:
        found = compared("--reference", reference, "--current", there("rounded"))
        expect(f"{version}: equal rows do not differ", [(c["statistic"], c["verdict"]) for w in found["windows"] for c in w["columns"]], [(0, "ok")] * 5)
        expect(f"{version}: what is rounded is said", 
               [(n.count('"single"'), n.count('"half"')) for n in found["notes"] if "fewer digits are kept there" in n], [(1, 1)])

    # A wrong date at either end: no window in between is asked for.
    late = [{**rows[0], "ts": "1970-01-01T00:00:00Z"}, *rows, {**rows[0], "ts": "9999-12-31T00:00:00Z"}]
    fill(node, folder, "dates", fields, late)
    for number in 1771545600000000, 1780113600000000000:  # µs and ns that were taken for ms
        expect(f"{version}: {number}", node.ask("POST", "/dates/_doc?refresh=true", {**rows[0], "ts": number})[0], 201)
    done = run("profile", there("dates"), "-o", folder / f"{version} months.vpf", "--window", "month")
    expect(f"{version}: no date", (done.returncode, "3,002 rows, 5 columns" in done.stderr), (0, True))
    table(folder / "dates.csv", late)
    said = [run("profile", data, "-o", folder / f"{version} dates {len(more)}.vpf", "--window", "hour", *more).stderr.split(": ")[-1].rsplit(",", 1)[0]
            for data, more in ((there("dates"), []), (folder / "dates.csv", ["--timestamp", "ts"]))]
    expect(f"{version}: wrong dates", said, ["3,002 rows, 5 columns, 50 healthy windows"] * 2)
    windows = compared("--reference", here, "--window", "day", "--timestamp", "ts", "--current", there("dates"))["windows"]
    expect(f"{version}: windows of wrong dates", [windows[0]["start"], windows[-1]["start"], sum(w["rows"] for w in windows)],
           ["1970-01-01T00:00:00Z", "9999-12-31T00:00:00Z", 3002])

    # Indexes that do not agree on a field.
    for index, kind in ("mixed-1", "long"), ("mixed-2", "keyword"):
        fill(node, folder, index, {**fields, "zero": {"type": kind}}, [{**r, "zero": i % 3} for i, r in enumerate(rows)])
    done = run("profile", there("mixed-*"), "-o", folder / f"{version} mixed.vpf")
    expect(f"{version}: several types", (done.returncode, '"zero" is not compared: a cluster cannot count a field of several types: keyword, long' in done.stderr), (0, True))
    notes = compared("--reference", here, "--current", there("mixed-*"))["notes"]
    expect(f"{version}: several types in compare", [n for n in notes if '"zero"' in n], [
        'mixed-*: "zero" is not compared: the field zero is of several types: keyword, long'])

    # What rows have otherwise than the reference, or not at all, is no all-clear, as in a file.
    for index, kind in ("mixed-2", "the field zero is of keyword"), ("bare", "no field is called so"):
        if index == "bare":
            fill(node, folder, index, {k: v for k, v in fields.items() if k != "zero"}, [{k: v for k, v in r.items() if k != "zero"} for r in rows])
        found = compared("--reference", here, "--current", there(index))["windows"][0]["quality"]
        expect(f"{version}: {index}", [(q["check"], q["column"], q["verdict"], kind in q["reason"]) for q in found if q["column"] == "zero"], [("schema", "zero", "fail", True)])

    # Values that a field does not keep, numbers that a double has not, and what stands beside its row.
    strange = {"ts": {"type": "date"}, "age": {"type": "double"}, "text": {"type": "keyword", "ignore_above": 20}, "huge": {"type": "long"},
               "nest": {"type": "nested", "properties": {"k": {"type": "keyword"}}}, "flat": {"type": "flat_object" if version.startswith("opensearch") else "keyword"}}
    fill(node, folder, "strange", strange, [{"ts": r["ts"], "age": i % 40, "text": "long " * 9 if i % 2 else "short", "huge": 2**60 + i % 5, "nest": [{"k": "a"}],
                                            "flat": {"x": "y"} if version.startswith("opensearch") else "y"} for i, r in enumerate(rows)])
    done = run("profile", there("strange"), "-o", folder / f"{version} strange.vpf")
    for said in ('values of "text" above 20 characters count as missing: the field text does not keep them', 'numbers of "huge" above 2^53 are counted as the nearest', '"nest.k" is not compared: it is in a nested object'):
        expect(f"{version}: {said}", said in done.stderr, True)
    expect(f"{version}: no insides of objects", '"flat."' in done.stderr, False)
    notes = compared("--reference", folder / f"{version} strange.vpf", "--current", there("strange"))["notes"]
    expect(f"{version}: said again", sum("count as missing" in n for n in notes), 1)

    # An index that others fill, where a model's answer is called as records have it.
    answers = [{**r, "prediction": "yes" if i % 3 else "no", "score": (i % 100) / 100, "label": "yes"} for i, r in enumerate(rows)]
    fill(node, folder, "foreign", {**fields, "prediction": {"type": "keyword"}, "score": {"type": "double"}, "label": {"type": "keyword"}}, answers)
    service = Service(vigie, str(folder / f"{version} foreign data"), more=["--source", f"elastic(to={node.url}, index=foreign, time=ts, model=credit, every=1s)"],
                      said=subprocess.DEVNULL)
    status, said = service.ask("POST", "/v1/models/credit/reference", b'{"from": "2026-01-01"}')
    expect(f"{version}: a reference of it", (status, said["rows"], said["window"], said["columns"]), (202, 3000, "hour", 7))
    found = checks.until(f"{version}: its windows", lambda: service.ask("GET", "/v1/models/credit/windows")[1], lambda found: len(found) >= 49)
    expect(f"{version}: what is what", {c["column"]: c["role"] for c in found[3]["columns"] if c["column"] in ("prediction", "score", "zero", "label")},
           {"prediction": "prediction", "score": "score", "zero": "feature"})
    service.end()

    # What says nothing there is not passed over.
    done = run("profile", there("rounded"), "-o", folder / "none.vpf", "--task", "binary")
    expect(f"{version}: a task without answers", (done.returncode, done.stderr), (2, "rounded: no label, or no prediction and score, are named\n"))
    for option, why in (["--strict"], "no file is read"), (["--timestamp", "when"], 'the time of rows is "ts"'):
        done = run("profile", there("rounded"), "-o", folder / "none.vpf", *option)
        expect(f"{version}: {option}", (done.returncode, done.stderr.startswith(f"{option[0]}: {why}"), done.stderr.count("\n")), (2, True, 1))
    done = run("compare", "--reference", here, "--current", there("rounded"), "--timestamp", "when")
    expect(f"{version}: another time", (done.returncode, done.stderr.startswith('--timestamp: the time of rows is "ts"')), (2, True))
    done = run("profile", there("rounded", ", from=2027-01-01"), "-o", folder / "none.vpf")
    expect(f"{version}: no rows of a time", done.stderr, "rounded: no rows there have a time in ts from 2027-01-01T00:00:00Z\n")
    done = run("profile", there("rounded"), "-o", folder / f"{version} label.vpf", "--label", "half")
    expect(f"{version}: a label", (done.returncode, "4 columns" in done.stderr), (0, True))
    node.kill()


def watched(version, folder):
    """A service that watches the index: the windows that `compare` finds there, each once, over a kill -9."""
    node = Search(version, str(folder / f"{version} again"))
    rows = [row(i, int(i > 1230)) for i in range(1440)]
    log = folder / "watched.ndjson"
    log.write_text("".join(json.dumps({"id": r["id"], "timestamp": r["ts"], "prediction": r["prediction"], "score": r["score"], "features": {
        k: r[k] for k in ("age", "income", "visits", "plan", "member", "region") if r[k] is not None}}) + "\n" for r in rows))
    expect(f"{version}: shipped", run("ship", log, "--to", node.url, "--model", "credit", "--id", "id").returncode, 0)
    node.ask("POST", "/_refresh")
    where = "vigie-prediction-credit-*"
    there = f"to={node.url}, index={where}"
    node.ask("PUT", "/hollow", {"mappings": {"properties": {"@timestamp": {"type": "date"}, "prediction": {"type": "keyword"}}}})
    node.ask("PUT", "/bare")
    more = ["--source", f"elastic({there}, model=credit, every=1s)"]
    for index in "hollow", "bare", "nowhere":
        more += ["--source", f"elastic(to={node.url}, index={index}, model={index}, every=1s)"]
    logs = [folder / f"{version} {i}.log" for i in range(2)]
    service = Service(vigie, str(folder / f"{version} data"), more=more, said=logs[0].open("w"))
    model = "/v1/models/credit"
    indexes = lambda at=0: service.ask("GET", "/v1/indexes")[1][at]
    of_credit = lambda log: [line.split(": ", 1)[1] for line in log.read_text().splitlines() if line.startswith(f"credit, watched in {where}: ")]

    def findings(of):
        """What doctor says of a model, but for who owns it."""
        found = json.loads(run("doctor", service.url, "--json").stdout)["findings"]
        return {f["finding"]: (f["grade"], f["reason"]) for f in found if f["model"] == of and f["finding"] != "nobody's"}
    checks.until(f"{version}: no reference", indexes, lambda said: "has no reference yet" in (said["trouble"] or ""))
    expect(f"{version}: doctor, of none", findings("credit"), {"no reference": ("warning", f"there is no reference: nothing of {where} is counted")})
    reference = (folder / "past.vpf").read_bytes()
    expect(f"{version}: reference", service.ask("POST", f"{model}/reference", reference)[0], 202)
    for at, (index, why) in enumerate([("hollow", "there are no rows yet"), ("bare", "there are no rows yet"), ("nowhere", "nowhere: there is no such index, or it is empty")], 1):
        expect(f"{version}: reference of {index}", service.ask("POST", f"/v1/models/{index}/reference", reference)[0], 202)
        checks.until(f"{version}: {index}", lambda: indexes(at), lambda said: said["trouble"] == why)
        expect(f"{version}: doctor of {index}", findings(index), {"index": ("fail", f"{index} is not counted on: {why.removeprefix(f'{index}: ')}")})
        expect(f"{version}: {index} takes nothing from the reference", indexes(at)["left_out"], [])
    days = 1440 * 7 // (24 * 60)
    windows = lambda: service.ask("GET", f"{model}/windows")[1]
    found = checks.until(f"{version}: windows", windows, lambda found: len(found) >= days)
    said = checks.until(f"{version}: state", indexes, lambda said: said["windows"] >= days and not said["trouble"])
    expect(f"{version}: notes", any('"name" is not compared' in note for note in said["notes"]), True)
    lacks = ["name", "constant", "grade"]
    columns = {"columns": ("warning", f"of its reference these are not watched in {where}: {', '.join(lacks)}")}
    expect(f"{version}: left out", (said["left_out"], findings("credit")), (lacks, columns))
    expect(f"{version}: said once that it goes on", of_credit(logs[0]), ["it has no reference yet: POST /v1/models/credit/reference", "goes on, windows by day"])
    expect(f"{version}: rows", (said["rows"], sum(w["rows"] for w in found)), (1440, 1440))
    here = compared("--reference", folder / "past.vpf", "--window", "day", "--timestamp", "ts", "--segment", "region", "--current", f"elastic({there})")
    drop = lambda c: {k: v for k, v in c.items() if k not in ("p_adjusted", "detectable_effect", "reason", "verdict", "effect")}
    expect(f"{version}: what compare finds", [[drop(c) for c in w["columns"]] for w in found], [[drop(c) for c in w["columns"]] for w in here["windows"]])
    expect(f"{version}: counted as predictions", service.ask("GET", model)[1]["predictions"], 1440)
    incidents = service.ask("GET", "/v1/incidents")[1]
    expect(f"{version}: the last day changed", [i["model"] for i in incidents], ["credit"])
    service.process.kill()
    service.process.wait()
    service = Service(vigie, str(folder / f"{version} data"), more=more, said=logs[1].open("w"))
    checks.until(f"{version}: said at a start anew", lambda: of_credit(logs[1]), lambda said: said == ["windows by day"])
    expect(f"{version}: left out before", (indexes()["left_out"], findings("credit")), (lacks, columns))
    # The same reference as often as anybody likes.
    for times in 1, 2:
        expect(f"{version}: again", service.ask("POST", f"{model}/reference", reference)[0], 202)
        checks.until(f"{version}: left out again", lambda: logs[1].read_text().count('"constant" is not compared'), lambda count: count == times)
    later = START + datetime.timedelta(days=days)
    new = [{"id": f"n{i}", "timestamp": (later + datetime.timedelta(minutes=7 * i)).isoformat(), "prediction": "yes", "score": .5, "features": {"age": 30, "plan": "free"}}
           for i in range(205)]
    log.write_text("".join(json.dumps(r) + "\n" for r in new))
    expect(f"{version}: more", run("ship", log, "--to", node.url, "--model", "credit", "--id", "id").returncode, 0)
    node.ask("POST", "/_refresh")
    found = checks.until(f"{version}: a day more", windows, lambda found: len(found) == days + 1)
    expect(f"{version}: none twice", (len({w["start"] for w in found}), service.ask("GET", model)[1]["predictions"]), (days + 1, 1440 + 205))
    new = [{**r, "id": f"late {r['id']}"} for r in new[:30]]
    log.write_text("".join(json.dumps(r) + "\n" for r in new))
    expect(f"{version}: late", run("ship", log, "--to", node.url, "--model", "credit", "--id", "id").returncode, 0)
    node.ask("POST", "/_refresh")
    late = lambda: [indexes()["late_rows"], service.ask("GET", model)[1]["late_rows"]]
    checks.until(f"{version}: late rows", late, lambda found: found == [30, 30])
    expect(f"{version}: doctor, of late rows", findings("credit"), {
        "late": ("warning", f"30 rows came to {where} when their window was counted, and are in none"), **columns})
    # What came before is the reference from now on: it is counted there.
    post = lambda said: service.ask("POST", f"{model}/reference", json.dumps(said).encode())
    expect(f"{version}: no version", (post({"version": "3"})[0], post({"from": "2020-01-01", "to": "2020-01-02"})[0]), (400, 400))
    expect(f"{version}: segments", service.ask("PUT", model, json.dumps({"segments": ["plan"], "maintenance": [
        {"from": "2026-02-21T06:00:00Z", "to": "2026-02-21T09:00:00Z"}]}).encode())[0], 200)
    status, said = post({"from": "2026-02-20", "to": "2026-02-26"})
    kept = [r for r in rows if r["ts"] < "2026-02-26" and not "2026-02-21T06" <= r["ts"] < "2026-02-21T09"]
    expect(f"{version}: a reference of the index", (status, said["rows"], said["window"], said["columns"]), (202, len(kept), "hour", 8))
    expect(f"{version}: less the maintenance", said["in_maintenance"], sum(r["ts"] < "2026-02-26" for r in rows) - len(kept))
    expect(f"{version}: what is to come", (post({"from": "2100-01-01"}), post({"to": "2026-02-20"})[0]), ((400, {
        "error": "from, to: of no time between them rows are whole: they may still come", "where": "body"}), 400))
    last = later + datetime.timedelta(days=1)
    new = [{"id": f"m{i}", "timestamp": (last + datetime.timedelta(minutes=i)).isoformat(), "prediction": "yes", "score": .5, "features": {"age": 30, "plan": "free"}}
           for i in range(180)]
    log.write_text("".join(json.dumps(r) + "\n" for r in new))
    expect(f"{version}: more again", run("ship", log, "--to", node.url, "--model", "credit", "--id", "id").returncode, 0)
    node.ask("POST", "/_refresh")
    found = checks.until(f"{version}: hours", windows, lambda found: len(found) == days + 4)
    expect(f"{version}: hours with rows", [w["rows"] for w in found[-3:]], [60] * 3)
    expect(f"{version}: compared by segments of then", {"plan=free", None} <= {c["segment"] for c in found[-1]["columns"]}, True)
    expect(f"{version}: late rows of all windows", late(), [30, 30])
    node.kill()
    checks.until(f"{version}: it is gone", indexes, lambda said: "onnect" in (said["trouble"] or ""))
    gone = findings("credit").get("index", ("", ""))
    expect(f"{version}: doctor, of a node that is gone", (gone[0], gone[1].startswith(f"{where} is not counted on: {node.url}: ")), ("fail", True))
    time.sleep(3)
    expect(f"{version}: said once that it is gone", of_credit(logs[1])[1:], [indexes()["trouble"]])
    service.end()


def lagging(version, folder):
    """A reference that is posted while what was accepted waits for the store, and one of longer windows: each row is counted, once."""
    node = Search(version, str(folder / f"{version} lag"))
    way, road = node.relay(), node.relay()
    fill(node, folder, "late", FIELDS, [row(i, 0) for i in range(720)])
    service = Service(vigie, str(folder / f"{version} lag data"), more=[
        "--store", f"elastic(to={way.url}, index=lag)", "--source", f"elastic(to={road.url}, index=late, time=ts, model=m, every=1s, from=2026-01-01)"])
    model, index = "/v1/models/m", lambda: service.ask("GET", "/v1/indexes")[1][0]
    hours = [folder / f"{version} {name}.vpf" for name in ("hours", "other")]
    for profile, ignored in zip(hours, ("id,note", "id,note,visits")):
        done = run("profile", folder / "past.csv", "-o", profile, "--timestamp", "ts", "--window", "hour", "--ignore", ignored)
        expect(f"{version}: hours", done.returncode, 0)
    post = lambda profile: service.ask("POST", f"{model}/reference", profile.read_bytes())[0]
    counted = lambda: [index()["rows"], service.ask("GET", model)[1]["predictions"], service.ask("GET", "/healthz")[1].get("lost")]
    expect(f"{version}: a reference of hours", post(hours[0]), 202)
    checks.until(f"{version}: counted by hours", counted, lambda found: found == [720, 720, None])
    way.close()
    expect(f"{version}: another one, that waits", post(hours[1]), 202)
    put(node, folder, "late", [row(i, 0) for i in range(720, 840)])
    checks.until(f"{version}: counted by the old one", index, lambda said: said["until"] > (START + datetime.timedelta(minutes=7 * 830)).isoformat())
    way.open = True
    checks.until(f"{version}: counted by the new one", counted, lambda found: found == [840, 840, None], 90)
    # A row is told as counted a moment before its window is.
    told = lambda: service.ask("GET", f"{model}/windows?limit=1000")[1]
    windows = checks.until(f"{version}: all windows", told, lambda all: sum(w["rows"] for w in all) == 840)
    expect(f"{version}: each window once", len({w["start"] for w in windows}), len(windows))
    # The first day begins within hours that were counted, and is not counted before all of it is there.
    road.close()
    expect(f"{version}: a reference of days", post(reference), 202)
    put(node, folder, "late", [row(i, 0) for i in range(840, 1140)])
    road.open = True
    checks.until(f"{version}: counted by days", counted, lambda found: found == [1140, 1140, None], 60)
    days = [w for w in service.ask("GET", f"{model}/windows?limit=1000")[1] if w["rows"] > 60]
    expect(f"{version}: days are whole", {w["rows"] for w in days[:-1]} <= {205, 206}, True)
    service.end()
    node.kill()


with tempfile.TemporaryDirectory() as made:
    folder = pathlib.Path(made)
    past = [row(i, 0) for i in range(20_000)]
    table(folder / "past.csv", past)
    current = [row(i, int(i > 1500)) for i in range(1440, 4320)]
    table(folder / "current.csv", current)
    (folder / "schema.yaml").write_text("columns: {grade: category}\n")  # of numbers, in a field of numbers
    reference = folder / "past.vpf"
    done = run("profile", folder / "past.csv", "-o", reference, "--timestamp", "ts", "--window", "day", "--ignore", "id,note", "--segment", "region",
               "--prediction", "prediction", "--score", "score", "--schema", folder / "schema.yaml")
    if done.returncode:
        raise SystemExit(f"FAILED: {done.stderr}")
    for one in versions(sys.argv[2:]):
        on_a_node(one, folder)
        referred(one, folder)
        odd(one, folder)
        watched(one, folder)
        lagging(one, folder)
sys.exit(checks.end())
