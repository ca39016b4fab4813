#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Quality of data and of predictions that lie in an index of several shards: counted there, they are what `vigie compare` and
`vigie score` find of the same rows in a file, exactly or within the bound that is said.

usage: index_quality.py VIGIE [VERSION…]     nodes: of scripts/peers; exit status 77 where none is to be had
"""
import datetime
import json
import pathlib
import random
import subprocess
import sys
import tempfile

from search_nodes import Search, versions
from service import Checks, Service

vigie = str(pathlib.Path(sys.argv[1]).resolve())
checks = Checks()
expect = checks.expect
rng = random.Random(3)
START = datetime.datetime(2026, 2, 20, tzinfo=datetime.timezone.utc)
DAYS, DAY = 12, 300
FIELDS = {"ts": {"type": "date"}, "age": {"type": "double"}, "visits": {"type": "long"}, "member": {"type": "boolean"}, "score": {"type": "double"}} | {
    k: {"type": "keyword"} for k in ("plan", "region", "prediction", "label")} | {
    k: {"type": "double"} for k in ("amount", "guess", "truth")}
INDEPENDENT = "time_gaps", "order_violations"


def row(i, bad):
    at = START + datetime.timedelta(seconds=86400 * i / DAY)
    score = min(1, max(0, rng.gauss(.5, .2)))
    told = rng.random() < (score if not bad else .5)
    truth = rng.gauss(10, 3)
    return {"ts": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"), "age": None if rng.random() < (.4 if bad else .02) else round(rng.gauss(40, 9) * (30 if bad and rng.random() < .05 else 1), 3),
            "visits": rng.randrange(6), "member": rng.random() < .4, "plan": rng.choice(["free", "paid", "pro"] + ["trial", " "] * bad), "region": rng.choice(["eu", "us"]),
            "amount": round(rng.lognormvariate(3, 1), 2), "score": round(score, 6), "prediction": "yes" if score > .5 else "no", "label": None if rng.random() < .1 else "yes" if told else "no",
            "truth": round(truth, 1), "guess": round(truth + rng.gauss(2 if bad else 0, 1), 1)}


def table(path, rows):
    path.write_text("".join(json.dumps({k: v for k, v in r.items() if v is not None}) + "\n" for r in rows))


def run(*args):
    return subprocess.run([vigie, *map(str, args)], capture_output=True, text=True)


def said(*args):
    done = run(*args)
    if done.returncode not in (0, 1):
        raise SystemExit(f"FAILED: {args}: {done.returncode} {done.stderr}")
    return json.loads(done.stdout)


def fill(node, folder, index, fields, rows, shards=3):
    made = node.ask("PUT", f"/{index}", {"settings": {"number_of_shards": shards, "number_of_replicas": 0}, "mappings": {"properties": fields}})
    expect(f"{node.version}: {index} made", made[0], 200)
    put(node, folder, index, rows)


def put(node, folder, index, rows):
    log = folder / "rows.ndjson"
    table(log, rows)
    done = run("ship", log, "--to", node.url, "--index", index, "--by", "none", "--no-setup", "--timestamp", "ts")
    expect(f"{node.version}: {index} shipped", (done.returncode, done.stderr), (0, ""))
    node.ask("POST", f"/{index}/_refresh")


def near(a, b):
    both = isinstance(a, (int, float)) and isinstance(b, (int, float)) and not isinstance(a, bool)
    return abs(a - b) <= 1e-9 * max(1, abs(b)) if both else a == b


def same_quality(name, there, here):
    """Findings of both, but for what needs an order."""
    def found(windows):
        return {(w["start"], q["check"], q["column"]): q for w in windows for q in w["quality"] if q["check"] not in INDEPENDENT}
    there, here = found(there), found(here)
    expect(f"{name}: the same checks", sorted(map(str, set(there) ^ set(here))), [])
    expect(f"{name}: some fail", {q["verdict"] for q in here.values()} >= {"pass", "fail"}, True)
    for key, b in here.items():
        a = there.get(key, {})
        wrong = {k: (a.get(k), v) for k, v in b.items() if not near(a.get(k), v)}
        expect(f"{name}: {key}", wrong, {})


def same_scores(name, there, here, without=()):
    """`without`: metrics of `here` that are not told there, so that p-values are corrected for fewer."""
    def found(window):
        return {(m["metric"], m.get("class"), m.get("segment")): {k: v for k, v in m.items() if k != "p_adjusted" or not without} for m in window["metrics"] if m["metric"] not in without}
    a, b = found(there), found(here)
    expect(f"{name}: the same metrics", sorted(map(str, set(a) ^ set(b))), [])
    for key, m in b.items():
        wrong = {k: (a.get(key, {}).get(k), v) for k, v in m.items() if not near(a.get(key, {}).get(k), v)}
        expect(f"{name}: {key}", wrong, {})
    expect(f"{name}: confusion", there.get("confusion"), here.get("confusion"))


def on_a_node(version, folder):
    node = Search(version, str(folder / version))
    past, current = [row(i, 0) for i in range(DAYS * DAY)], [row(i, i > 17 * DAY) for i in range(DAYS * DAY, 20 * DAY)]
    table(folder / "past.ndjson", past)
    table(folder / "current.ndjson", current)
    fill(node, folder, "logs", FIELDS, current)
    fill(node, folder, "old", FIELDS, past)
    there = lambda index, more="": f"elastic(to={node.url}, index={index}, time=ts{more})"

    # Checks of data quality, with a reference of a file and one of an index.
    by = ["--window", "day", "--timestamp", "ts", "--label", "label", "--prediction", "prediction", "--score", "score"]
    done = run("profile", folder / "past.ndjson", "-o", folder / "file.vpf", "--ignore", "guess,truth", "--segment", "region", *by)
    expect(f"{version}: profile", (done.returncode, "task binary" in done.stderr or True), (0, True))
    day = ["--reference", folder / "file.vpf", "--window", "day", "--timestamp", "ts", "--json"]
    here = said("compare", *day, "--current", folder / "current.ndjson")
    label = lambda windows: [{**w, "quality": [q for q in w["quality"] if q["column"] != "label"]} for w in windows]
    for buckets in 65535, 700:
        node.ask("PUT", "/_cluster/settings", {"transient": {"search.max_buckets": buckets}})
        found = said("compare", *day, "--current", there("logs"))
        same_quality(f"{version}, {buckets} buckets", found["windows"], label(here["windows"]))
    node.ask("PUT", "/_cluster/settings", {"transient": {"search.max_buckets": 2000}})
    done = run("profile", there("old"), "-o", folder / "index.vpf", "--ignore", "guess,truth", "--segment", "region", *by[:2], *by[4:])
    expect(f"{version}: profile of an index", (done.returncode, done.stderr), (0, done.stderr if "how good" not in done.stderr else ""))
    if done.returncode:
        raise SystemExit(f"FAILED: {done.stderr}")
    found = said("compare", "--reference", folder / "index.vpf", "--window", "day", "--json", "--current", there("logs"))
    bad = {(q["check"], q["column"]) for q in found["windows"][-1]["quality"] if q["verdict"] in ("fail", "warn")}
    expect(f"{version}: a reference of an index", {("missing", "age"), ("new_categories", "plan"), ("out_of_range", "age")} <= bad, True)

    # What a service finds of windows with labels in the same documents is what `vigie score` finds of the file.
    scored = said("score", folder / "current.ndjson", "--reference", folder / "file.vpf", "--task", "binary", "--json", *by, "--segment", "region")
    services = []
    for name, profile in ("file", folder / "file.vpf"), ("index", folder / "index.vpf"):
        service = Service(vigie, str(folder / f"{version} {name} data"), said=subprocess.DEVNULL,
                          more=["--source", f"elastic(to={node.url}, index=logs, time=ts, model=credit, every=1s, from=2026-01-01)"])
        services.append(service)
        expect(f"{version}: reference", service.ask("POST", "/v1/models/credit/reference", profile.read_bytes())[0], 202)
        windows = lambda: [w for w in service.ask("GET", "/v1/models/credit/windows?limit=100")[1] if w.get("metrics")]
        all_of = checks.until(f"{version}: scored windows, {name}", windows, lambda w: len(w) >= 8)
        for window, want in zip(all_of, scored["windows"]):
            same_scores(f"{version}: {name}, {want['start']}", window, want)
            expect(f"{version}: how it was counted", (window["answers"]["exact"], window["coverage"], window["preliminary"]), (
                True, want["labelled"] / want["rows"], False))
        checked = [{**w, "quality": w["quality"]} for w in service.ask("GET", "/v1/models/credit/windows?limit=100")[1]]
        if name == "file":
            same_quality(f"{version}: service", checked, label(here["windows"]))
        verdicts = {w["metrics"][0]["verdict"] for w in all_of}
        expect(f"{version}: good days and bad ones", verdicts >= {"ok"}, True)
        incidents = {i["model"] for i in service.ask("GET", "/v1/incidents")[1]}
        expect(f"{version}: an incident", incidents, {"credit"})
        newest = service.ask("GET", "/v1/indexes")[1][0]["newest"]
        expect(f"{version}: newest", newest[:16], current[-1]["ts"][:16])
    for service in services:
        service.end()
    numbers(node, folder, there, current)
    many(node, folder, there)
    node.kill()


def numbers(node, folder, there, current):
    """Predicted numbers: errors of pairs that are told one by one."""
    version = node.version
    by = ["--window", "day", "--timestamp", "ts", "--label", "truth", "--prediction", "guess", "--task", "regression"]
    done = run("profile", folder / "past.ndjson", "-o", folder / "numbers.vpf", "--features", "age", *by)
    expect(f"{version}: profile of numbers", done.returncode, 0)
    want = said("score", folder / "current.ndjson", "--reference", folder / "numbers.vpf", "--json", *by)
    service = Service(vigie, str(folder / f"{version} numbers data"), said=subprocess.DEVNULL,
                      more=["--source", f"elastic(to={node.url}, index=logs, time=ts, model=m, every=1s, from=2026-01-01)"])
    service.ask("POST", "/v1/models/m/reference", (folder / "numbers.vpf").read_bytes())
    windows = lambda: [w for w in service.ask("GET", "/v1/models/m/windows?limit=100")[1] if w.get("metrics")]
    for found, one in zip(checks.until(f"{version}: numbers", windows, lambda w: len(w) == 8), want["windows"]):
        same_scores(f"{version}: numbers, {one['start']}", found, one)
    service.end()


def many(node, folder, there):
    """More answers in a window than are told one by one, and more categories than are told apart, on three shards."""
    version = node.version
    fields = {"ts": {"type": "date"}, "score": {"type": "double"}, "label": {"type": "keyword"}, "name": {"type": "keyword"}}
    def some(i, fresh):
        score = rng.random()
        return {"ts": (START + datetime.timedelta(seconds=86400 * i / 60_000)).isoformat(), "score": score, "label": "yes" if rng.random() < score else "no",
                "name": f"n{rng.randrange(8000)}" if fresh and rng.random() < .5 else rng.choice("abc")}
    past = [some(i, False) for i in range(5 * 60_000) if i % 20 == 0]
    current = [some(5 * 60_000 + i, True) for i in range(60_000)]
    table(folder / "past many.ndjson", past)
    table(folder / "many.ndjson", current)
    fill(node, folder, "many", fields, current)
    by = ["--window", "day", "--timestamp", "ts", "--label", "label", "--score", "score", "--task", "binary"]
    done = run("profile", folder / "past many.ndjson", "-o", folder / "many.vpf", *by)
    expect(f"{version}: profile of many", done.returncode, 0)
    want = said("score", folder / "many.ndjson", "--reference", folder / "many.vpf", "--json", *by)["windows"][0]
    for buckets in 65535, 900:
        node.ask("PUT", "/_cluster/settings", {"transient": {"search.max_buckets": buckets}})
        service = Service(vigie, str(folder / f"{version} many {buckets}"), said=subprocess.DEVNULL,
                          more=["--source", f"elastic(to={node.url}, index=many, time=ts, model=m, every=1s, from=2026-01-01)"])
        service.ask("POST", "/v1/models/m/reference", (folder / "many.vpf").read_bytes())
        if buckets == 900:  # the thousand new categories alone are more than that
            checks.until(f"{version}: too few buckets", lambda: service.ask("GET", "/v1/indexes")[1][0], lambda s: "too_many_buckets" in (s["trouble"] or ""))
            service.end()
            continue
        windows = lambda: [w for w in service.ask("GET", "/v1/models/m/windows")[1] if w.get("metrics")]
        found = checks.until(f"{version}: many", windows, lambda w: len(w) == 1, 60)[0]
        told, bound = found["answers"], found["answers"]["roc_auc_bound"]
        expect(f"{version}: in cells", (told["exact"], told["cells"] > 100, 0 < bound < .01, set(told["not_told"]) >= {"brier", "pr_auc"}), (False, True, True, True))
        same_scores(f"{version}: by the counts of cells", {**found, "metrics": [m for m in found["metrics"] if m["metric"] not in ("roc_auc", "gini")]}, want,
                    {*told["not_told"], "roc_auc", "gini"})
        value = lambda window, name: next(m["value"] for m in window["metrics"] if m["metric"] == name)
        for name, times in ("roc_auc", 1), ("gini", 2):
            off = abs(value(found, name) - value(want, name))
            expect(f"{version}: {name} within its bound", off <= times * bound, True)
        notes = service.ask("GET", "/v1/indexes")[1][0]["notes"]
        expect(f"{version}: said", [sum(part in n for n in notes) for part in ("scores are counted in", 'new categories of "name" are counted shard by shard')], [1, 1])
        # What shards do not tell: as much as they say, of what really is there.
        names = {}
        for r in current:
            names[r["name"]] = names.get(r["name"], 0) + 1
        fresh = sorted((n for name, n in names.items() if len(name) > 1), reverse=True)
        counted = found["counted"]["columns"][0]
        told = sum(fresh) - counted["sum_other_doc_count"]
        expect(f"{version}: bounds", (counted["column"], counted["doc_count_error_upper_bound"] > 0, 0 < told <= sum(fresh[:1000]), told >= sum(fresh[:1000]) - 1000 * counted["doc_count_error_upper_bound"]),
               ("name", True, True, True))
        expect(f"{version}: share of others", counted["share_of_others"], counted["sum_other_doc_count"] / 60_000)
        service.end()


with tempfile.TemporaryDirectory() as made:
    for one in versions(sys.argv[2:]):
        (pathlib.Path(made) / one).mkdir()
        on_a_node(one, pathlib.Path(made) / one)
sys.exit(checks.end())
