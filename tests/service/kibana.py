#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`vigie setup kibana`: saved objects that hold together, how they are imported, and every query in them asked of real nodes
that hold what `vigie ship` sent and a service found, and of a demo run.

usage: kibana.py VIGIE [VERSION…]     nodes: of scripts/peers; exit status 77 where none is to be had
"""
import datetime
import http.server
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import threading
import uuid

from search_nodes import Search, versions
from service import Checks, Service
from ship_server import Node

vigie = str(pathlib.Path(sys.argv[1]).resolve())
checks = Checks()
expect = checks.expect
rng = random.Random(1)
START = datetime.datetime(2026, 2, 27, tzinfo=datetime.timezone.utc)


def setup(*args, **more):
    return subprocess.run([vigie, "setup", "kibana", *args], capture_output=True, text=True, **more)


class Kibana(http.server.BaseHTTPRequestHandler):
    asked, answer, rule = [], (200, {}), (200, {})

    def log_message(self, *args):
        pass

    def do_POST(self):
        self.asked.append((self.path, dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
        status, said = self.answer if "_import" in self.path or self.command == "PUT" else self.rule
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_PUT = do_POST


# What Kibana 8 and later know of each type; it refuses anything else.
KNOWN = {"index-pattern": {"title", "timeFieldName", "fields"},
         "visualization": {"title", "description", "version", "uiStateJSON", "visState", "kibanaSavedObjectMeta"},
         "lens": {"title", "description", "visualizationType", "state"},
         "search": {"title", "description", "hits", "columns", "sort", "version", "kibanaSavedObjectMeta"},
         "dashboard": {"title", "description", "hits", "version", "timeRestore", "timeFrom", "timeTo", "refreshInterval", "optionsJSON", "panelsJSON",
                       "kibanaSavedObjectMeta"}}


def held_together(objects):
    ids = {(o["type"], o["id"]) for o in objects}
    expect("each once", len(ids), len(objects))
    for o in objects:
        name = o["id"]
        versions = {"coreMigrationVersion", "typeMigrationVersion"} if o["type"] == "lens" else set()
        expect(f"{name}: keys", set(o), {"type", "id", "attributes", "references"} | versions)
        expect(f"{name}: attributes", set(o["attributes"]) <= KNOWN[o["type"]], True)
        expect(f"{name}: references", [r for r in o["references"] if (r["type"], r["id"]) not in ids], [])
        names = [r["name"] for r in o["references"]]
        expect(f"{name}: one name each", len(set(names)), len(names))
        if o["type"] == "index-pattern":
            continue
        if o["type"] == "lens":
            state = o["attributes"]["state"]
            layer = state["datasourceStates"]["formBased"]["layers"]["l1"]
            expect(f"{name}: columns", sorted(layer["columnOrder"]), sorted(layer["columns"]))
            used = {c for c in json.dumps(state["visualization"]).split('"') if c in layer["columns"]}
            expect(f"{name}: all columns are drawn", used, set(layer["columns"]))
            orders = [c["params"]["orderBy"]["columnId"] for c in layer["columns"].values() if c["operationType"] == "terms"]
            expect(f"{name}: orders", [c for c in orders if c not in layer["columns"]], [])
            expect(f"{name}: data", names, ["indexpattern-datasource-layer-l1"])
            continue
        source = json.loads(o["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"])
        expect(f"{name}: index", source.get("indexRefName") in (None, *names), True)
        if o["type"] == "visualization":
            state = json.loads(o["attributes"]["visState"])
            known = {a["id"] for a in state["aggs"]}
            expect(f"{name}: aggregations", (len(known), state["title"]), (len(state["aggs"]), o["attributes"]["title"]))
            expect(f"{name}: orders", [a["params"]["orderBy"] for a in state["aggs"] if a["type"] == "terms" and a["params"]["orderBy"] not in known | {"_key"}], [])
            expect(f"{name}: series", [s["data"]["id"] for s in state["params"].get("seriesParams", []) if s["data"]["id"] not in known], [])
        if o["type"] == "dashboard":
            panels = json.loads(o["attributes"]["panelsJSON"])
            expect(f"{name}: panels", [p["panelRefName"] for p in panels], [n.split(":")[-1] for n in names])
            taken = set()
            for p in panels:
                at = p["gridData"]
                cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
                expect(f"{name}: panel {p['panelIndex']} has room", (not cells & taken, max(x for x, _ in cells) < 48), (True, True))
                taken |= cells


def query_of(visualization):
    """What Kibana asks: buckets in their order, metrics in the innermost; and how deep they are."""
    state = json.loads(visualization["attributes"]["visState"])
    source = json.loads(visualization["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"])["query"]["query"]
    metrics, buckets = {}, []
    for a in state["aggs"]:
        p = a["params"]
        if a["type"] == "top_hits":
            metrics[a["id"]] = {"top_hits": {"size": p["size"], "sort": [{p["sortField"]: p["sortOrder"]}], "_source": [p["field"]]}}
        elif a["type"] in ("max", "min", "sum", "avg", "percentiles"):
            metrics[a["id"]] = {a["type"]: {k: p[k] for k in ("field", "percents") if k in p}}
        elif a["type"] == "date_histogram":
            buckets.append((a["id"], {"date_histogram": {"field": p["field"], "fixed_interval": "3h", "min_doc_count": 1}}))
        elif a["type"] == "histogram":
            buckets.append((a["id"], {"histogram": {"field": p["field"], "interval": p["interval"], "min_doc_count": 1}}))
        elif a["type"] == "terms":
            buckets.append((a["id"], {"terms": {"field": p["field"], "size": p["size"], "order": {"_count": "desc"}}}))
    aggs = metrics
    for name, bucket in reversed(buckets):
        aggs = {name: bucket | ({"aggs": aggs} if aggs else {})}
    return {"size": 0, "query": filter_of(source), "aggs": aggs}, [n for n, _ in buckets], list(metrics)


def lens_query_of(lens):
    """The same of a Lens."""
    state = lens["attributes"]["state"]
    layer = state["datasourceStates"]["formBased"]["layers"]["l1"]
    metrics, buckets = {}, []
    for name in layer["columnOrder"]:
        column = layer["columns"][name]
        how, field = column["operationType"], column["sourceField"]
        if how == "terms":
            # What has several fields is asked of Elasticsearch as multi_terms, which the oldest node here has not.
            for field in field, *column["params"].get("secondaryFields", []):
                buckets.append((name, {"terms": {"field": field, "size": column["params"]["size"]}}))
        elif how == "date_histogram":
            buckets.append((name, {"date_histogram": {"field": field, "fixed_interval": "1h", "min_doc_count": 1}}))
        elif how != "count":
            metrics[name] = {"avg" if how == "average" else how: {"field": field}}
    aggs = metrics
    for name, bucket in reversed(buckets):
        aggs = {name: bucket | ({"aggs": aggs} if aggs else {})}
    return {"size": 0, "query": filter_of(state["query"]["query"]), "aggs": aggs or {"all": {"filter": {"match_all": {}}}}}, [n for n, _ in buckets], list(metrics)


def vega_query_of(spec, start=START, end=START + datetime.timedelta(days=30)):
    """What Vega asks: with what Kibana puts in place of its words, where nothing is chosen but a time. Of the machine no words
    stand there, as it is of no model."""
    words = {"%dashboard_context-must_clause%": {"match_all": {}}, "%dashboard_context-filter_clause%": {"match_all": {}},
             "%dashboard_context-must_not_clause%": {"match_none": {}}}
    text = json.dumps(spec["data"]["url"]["body"])
    for word, query in words.items():
        expect(f"{word} stands there", text.count(f'"{word}"'), "vigie.ops." not in text)
        text = text.replace(f'"{word}"', json.dumps(query))
    whole = '{"%timefilter%": true}'
    expect("the time stands there", text.count(whole), 1)
    return json.loads(text.replace(whole, json.dumps({"gte": start.isoformat(), "lte": end.isoformat(), "format": "strict_date_optional_time"})))


def filter_of(source):
    if source.startswith("not "):
        return {"bool": {"must_not": filter_of(source[4:])}}
    field, comparison, value = source.split(" ") if source else (None, None, None)
    if value == "*":
        return {"exists": {"field": field}}
    if value and "*" in value:
        return {"wildcard": {field: value}}
    return {"range": {field: {"gte": float(value)}}} if comparison == ">=" else {"term": {field: value}} if comparison else {"match_all": {}}


def serve(node, folder):
    """A service whose store the node is, with what is found of hours that change: drift, checks, performance, incidents. What
    performance it says of all rows of its windows, by metric."""
    service = Service(vigie, str(pathlib.Path(folder) / "serve"), more=["--store", f"elastic(to={node.url})", "--sample", "host", "--ship", f"elastic(to={node.url}, index=vigie)"])
    model = "/v1/models/credit"

    def hour(number, broken):
        rows = []
        for i in range(200):
            truth, score = rng.random() < .4, 0
            score = min(1, max(0, (.7 if truth and not broken else .3) + rng.gauss(0, .15)))
            rows.append({"id": f"s{number}-{i}", "timestamp": (START + datetime.timedelta(hours=number, seconds=18 * i)).isoformat(), "version": "3",
                         "features": {"age": None if broken and i % 2 else rng.gauss(3 if broken else 0, 1), "kind": rng.choice("abc")},
                         "prediction": "yes" if score > .5 else "no", "score": score, "latency_ms": rng.expovariate(.1), "label": "yes" if truth else "no"})
        return rows

    def lines(rows, drop=()):
        return "\n".join(json.dumps({k: v for k, v in r.items() if k not in drop}) for r in rows).encode()

    expect("configured", service.ask("PUT", model, b'{"window": "hour", "positive": "yes", "owner": "ann", "segments": ["kind"]}')[0], 200)
    expect("reference", service.ask("POST", f"{model}/reference", lines([r for n in range(-60, 0) for r in hour(n, False)]))[0], 202)
    for number in range(6):
        rows = hour(number, number > 3)
        expect("predictions", service.ask("POST", f"{model}/predictions", lines(rows, ["label"]))[0], 202)
        expect("labels", service.ask("POST", f"{model}/labels", lines([{"id": r["id"], "label": r["label"]} for r in rows]))[0], 202)
    scored = lambda: [w for w in service.ask("GET", f"{model}/windows")[1] if w.get("metrics")]
    # What the cluster will not take, and does not pass over: a word where an object is.
    for i, note in enumerate(({"years": 3}, "three")):
        expect("odd ones", service.ask("POST", "/v1/models/odd/predictions", lines([{"id": f"odd{i}", "timestamp": START.isoformat(), "features": {"age": 3}, "prediction": "no",
                                                                                           "score": .5, "latency_ms": 1, "note": note}]))[0], 202)
        checks.until("one goes on", lambda: service.ask("GET", "/v1/shipping")[1], lambda s: s["stored"] + s["rejected"] > i and s["lag_records"] == 0, 60)
    checks.until("its dead letter", lambda: node.count("vigie-dead-letter-*"), lambda n: (n or 0) > 0, 60)
    windows = checks.until("scored", scored, lambda found: len(found) == 5, 60)
    checks.until("incidents", lambda: service.ask("GET", "/v1/incidents")[1], bool, 60)
    node.ask("POST", "/vigie-ops/_refresh")
    checks.until("minutes", lambda: node.ask("POST", "/vigie-ops/_search", {"query": {"exists": {"field": "vigie.ops.requests"}}})[1]["hits"]["hits"], bool, 60)
    service.end()
    performance = {}
    for window in windows:
        for metric in window["metrics"]:
            if metric.get("segment") is None and isinstance(metric["value"], (int, float)):
                performance.setdefault(metric["metric"], []).append(metric["value"])
    expect("segments are scored, too", any(m.get("segment") for w in windows for m in w["metrics"]), True)
    return performance


def asked_of(node, o, titles, **when):
    """What a panel's query finds: the status, its rows, and of each metric its values."""
    index = next((titles[r["id"]] for r in o["references"] if r["type"] == "index-pattern"), None)
    if o["type"] == "search":
        said = json.loads(o["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"])["query"]["query"]
        status, said = node.ask("POST", f"/{index}/_search", {"size": 500, "sort": [{o["attributes"]["sort"][0][0]: o["attributes"]["sort"][0][1]}],
                                                              "query": filter_of(said)})
        return status, [h["_source"] for h in said["hits"]["hits"]] if status == 200 else [], {}
    if o["type"] == "visualization" and not index:
        spec = json.loads(json.loads(o["attributes"]["visState"])["params"]["spec"])
        status, said = node.ask("POST", f"/{spec['data']['url']['index']}/_search", vega_query_of(spec, **when))
        for name in spec["data"]["format"]["property"].split(".") if status == 200 else ():
            said = said[name]
        return status, said if status == 200 else [], {}
    query, path, metrics = lens_query_of(o) if o["type"] == "lens" else query_of(o)
    status, said = node.ask("POST", f"/{index}/_search", query)
    found = (innermost(said, path) if path else [said["aggregations"]["all"]]) if status == 200 else []

    def values(metric, one):
        if "hits" in one:
            inner = query["aggs"]
            while metric not in inner:
                inner = next(iter(inner.values()))["aggs"]
            return [value_at(h["_source"], inner[metric]["top_hits"]["_source"][0]) for h in one["hits"]["hits"]]
        return list(one["values"].values()) if "values" in one else [one["value"]]
    return status, [b for b in found if b["doc_count"] > 0], {metric: [v for b in found for v in values(metric, b[metric])] for metric in metrics}


def value_at(source, path):
    for key in path.split("."):
        source = source.get(key) if isinstance(source, dict) else None
    return source


def drawn_by(objects):
    """All that ask something."""
    return [o for o in objects if o["type"] in ("lens", "search") or o["type"] == "visualization" and json.loads(o["attributes"]["visState"])["type"] != "markdown"]


# The demo's flights have no status, as nobody wrote down what failed; and all of them are taken.
NONE_IN_THE_DEMO = {"vigie-errors", "vigie-error-log", "vigie-dead-letters"}


def demo_on(node, objects, titles, folder):
    """What `vigie demo` sends to a service that ships and keeps, as deploy/ has it: each panel has rows, in the time that
    dashboards open at."""
    expect("nothing is left", node.ask("DELETE", "/vigie-*")[0], 200)
    to = f"elastic(to={node.url})"
    service = Service(vigie, str(pathlib.Path(folder) / "demo"), more=["--store", to, "--ship", to, "--sample", "host"])
    done = subprocess.run([vigie, "demo", "--to", service.url, "--speed", "max", "--until", "now"], capture_output=True, text=True)
    expect("the demo", (done.returncode, "accepted" in done.stdout), (0, True))
    for what in "prediction", "label":
        checks.until(f"{what}s are shipped", lambda: node.count(f"vigie-{what}-flights*"), lambda n: (n or 0) > 30_000, 120)
    checks.until("days", lambda: node.count("vigie-window"), lambda n: (n or 0) > 268, 180)
    checks.until("their scores", lambda: node.count("vigie-score"), lambda n: (n or 0) > 250, 180)
    checks.until("the machine", lambda: node.ask("POST", "/vigie-ops/_search", {"query": {"exists": {"field": "vigie.ops.cpu_cores"}}})[1]["hits"]["hits"], bool, 60)
    service.end()
    node.ask("POST", "/vigie-*/_refresh")
    now = datetime.datetime.now(datetime.timezone.utc)
    when = {"start": now - datetime.timedelta(days=300), "end": now + datetime.timedelta(days=1)}
    found = {o["id"]: asked_of(node, o, titles, **when) for o in drawn_by(objects)}
    expect("each is answered", {name: status for name, (status, _, _) in found.items() if status != 200}, {})
    expect("rows of the demo", {name for name, (_, rows, _) in found.items() if not rows}, NONE_IN_THE_DEMO)
    expect("values of the demo", [(name, metric) for name, (_, rows, metrics) in found.items() for metric, values in metrics.items()
                                  if name not in NONE_IN_THE_DEMO and not any(v is not None for v in values)], [])
    expect("one model, and its state", [(b["key"], b["latest"]["hits"]["hits"][0]["_source"]["vigie"]["window"]["verdict"] != "") for b in found["vigie-states"][1]], [("flights", True)])
    week = {"range": {"@timestamp": {"gte": "now-7d", "lte": "now"}}}
    for title in titles.values():
        if not title.startswith(("vigie-explanation", "vigie-incident", "vigie-dead-letter")):
            expect(f"{title}: of the last week", len(node.ask("POST", f"/{title}/_search", {"query": week})[1]["hits"]["hits"]) > 0, True)
    expect("nothing of a time to come", node.ask("POST", "/vigie-prediction-*/_search", {"query": {"range": {"@timestamp": {"gt": "now+1m"}}}})[1]["hits"]["hits"], [])


def innermost(answer, path):
    level = [answer["aggregations"]]
    for name in path:
        level = [bucket for one in level for bucket in one[name]["buckets"]]
    return level


def monitors_of(folder):
    """As `vigie setup elastic --rules` puts them, into one that has none, one that has them, and one that takes none."""
    cluster = Node({"number": "2.19.1", "distribution": "opensearch"})
    asked, there = [], []
    cluster.post = lambda n, path, body: (asked.append((path, json.loads(body))), (200, {"hits": {"hits": there}}) if path.endswith("_search") else (201, {"_id": "a"}))[1]

    def put():
        asked.clear()
        return subprocess.run([vigie, "setup", "elastic", "--rules", "--to", cluster.url], capture_output=True, text=True, cwd=folder)
    done = put()
    monitors = [body for path, body in asked if not path.endswith("_search")]
    expect("monitors", (done.returncode, done.stderr, [m["name"] for m in monitors], done.stdout.count("is there\n")),
           (0, "", ["vigie: a critical incident", "vigie: no predictions for an hour"], 2))
    expect("where", {path for path, _ in asked}, {"/_plugins/_alerting/monitors", "/_plugins/_alerting/monitors/_search"})
    for m in monitors:
        expect("what is said", (set(m), m["type"], m["monitor_type"], m["schedule"]["period"]["unit"], set(m["inputs"][0]), set(m["triggers"][0])),
               ({"type", "monitor_type", "name", "enabled", "schedule", "inputs", "triggers"}, "monitor", "query_level_monitor", "MINUTES", {"search"}, {"query_level_trigger"}))
        expect("a trigger", set(m["triggers"][0]["query_level_trigger"]), {"name", "severity", "condition", "actions"})
    there.append({"_id": "a"})
    done = put()
    expect("what is there stays", (done.returncode, done.stdout.count("is there already"), len(asked)), (0, 2, 2))
    cluster.post = lambda n, path, body: (400, {"error": "no handler found for uri [/_plugins/_alerting/monitors] and method [POST]"})
    done = put()
    expect("no such plugin", (done.returncode, "has no alerting plugin, of which --rules makes monitors" in done.stderr), (3, True))
    done = subprocess.run([vigie, "setup", "elastic", "--rules", "--to", Node().url], capture_output=True, text=True)
    expect("Elasticsearch has none", (done.returncode, done.stderr), (2, "--rules: are monitors of OpenSearch here; of Kibana: vigie setup kibana --rules\n"))
    said = subprocess.run([vigie, "setup", "elastic", "--rules", "--dry-run"], capture_output=True, text=True).stdout
    expect("--dry-run", [json.loads(part.split("\n")[1]) for part in said.split("POST /_plugins/_alerting/monitors")[1:]], monitors)
    return monitors


def fired(node, monitor, now):
    """What a monitor's condition says of what it finds at that time."""
    search = monitor["inputs"][0]["search"]
    query = json.loads(json.dumps(search["query"]).replace("{{period_end}}", str(int(now.timestamp() * 1000))))
    status, said = node.ask("POST", f"/{search['indices'][0]}/_search", query)
    condition = monitor["triggers"][0]["query_level_trigger"]["condition"]["script"]["source"]
    return status == 200 and eval(condition.replace("ctx.results[0].hits.total.value", str(said["hits"]["total"]["value"])))


def on_a_node(version, objects, rules, monitors, folder):
    node = Search(version, str(pathlib.Path(folder) / version))
    done = subprocess.run([vigie, "setup", "elastic", "--to", node.url], capture_output=True, text=True)
    expect(f"{version}: templates", (done.returncode, done.stderr, node.ask("GET", "/_index_template/vigie-label")[0]), (0, "", 200))
    for what, rows in (
            ("prediction", [{"id": f"r{i}", "timestamp": (START + datetime.timedelta(minutes=3 * i)).isoformat(), "prediction": rng.choice(["yes", "no"]),
                             "score": round(rng.random(), 3), "latency_ms": round(rng.expovariate(.1), 2), "status": 500 if i % 20 == 0 else 200,
                             "version": f"{1 + i // 1000}", "features": {"age": rng.randrange(18, 90)}} for i in range(2000)]),
            ("label", [{"id": f"r{i}", "timestamp": (START + datetime.timedelta(minutes=3 * i)).isoformat(), "label": rng.choice(["yes", "no"])} for i in range(1000)])):
        log = pathlib.Path(folder) / f"{what}.ndjson"
        log.write_text("".join(json.dumps(row) + "\n" for row in rows))
        for model in "credit", "fraud":
            done = subprocess.run([vigie, "ship", str(log), "--to", node.url, "--model", model, "--id", "id", "--index", f"vigie-{what}-{model}"],
                                  capture_output=True, text=True, cwd=folder)
            expect(f"{version}: {what} of {model}", (done.returncode, f"{len(rows):,} stored" in done.stdout), (0, True))
    performance = serve(node, folder)
    node.ask("POST", "/vigie-*/_refresh")
    for rule in rules:
        params = rule["params"]
        status, said = node.ask("POST", f"/{params['index'][0]}/_search", {"query": {"bool": {"filter": [
            json.loads(params["esQuery"])["query"], {"exists": {"field": params["timeField"]}}]}}})
        expect(f"{version}: {rule['name']}", (status, status == 200 and len(said["hits"]["hits"]) > 0), (200, True))
    critical, silent = monitors
    status, said = node.ask("POST", "/vigie-incident/_search", {"size": 1, "sort": [{"vigie.incident.opened": "desc"}],
                                                                "query": {"bool": {"filter": [{"term": {"vigie.incident.severity": "critical"}}]}}})
    opened = datetime.datetime.fromisoformat(said["hits"]["hits"][0]["_source"]["vigie"]["incident"]["opened"])
    expect(f"{version}: a critical incident", [fired(node, critical, opened + datetime.timedelta(minutes=m)) for m in (5, 60)], [True, False])
    expect(f"{version}: silence", [fired(node, silent, START + datetime.timedelta(hours=h)) for h in (50, 5_000)], [False, True])
    titles = {o["id"]: o["attributes"]["title"] for o in objects if o["type"] == "index-pattern"}
    for o in drawn_by(objects):
        name = f"{version}: {o['id']}"
        when = {"start": datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=1), "end": datetime.datetime.now(datetime.timezone.utc)} \
            if o["id"] == "vigie-machine" else {}
        status, rows, metrics = asked_of(node, o, titles, **when)
        expect(f"{name} has rows", (status, bool(rows)), (200, True))
        maybe = "456" if o["id"] == "vigie-intervals" else ""  # not each metric has an interval
        kinds = (int, float, str) if o["id"] == "vigie-latest" else (int, float)
        for metric, values in metrics.items():
            expect(f"{name}: values of {metric}", (bool(values), (any if metric in maybe else all)(isinstance(v, kinds) for v in values)), (True, True))
        if o["id"] == "vigie-intervals":  # of all rows, and not of segments among them
            expect(f"{name} is what the service says", {b["key"]: (b["doc_count"], round(b["1"]["value"], 9)) for b in rows},
                   {metric: (len(values), round(sum(values) / len(values), 9)) for metric, values in performance.items()})
        elif o["id"] == "vigie-performance-bands":
            said = {}
            for h in rows:
                p = h["_source"]["vigie"]["performance"]
                said.setdefault(p["metric"], []).append(p["value"])
            expect(f"{name} is what the service says", {m: sorted(v) for m, v in said.items()}, {m: sorted(v) for m, v in performance.items()})
            accuracy = [h["_source"]["vigie"]["performance"] for h in rows if h["_source"]["vigie"]["performance"]["metric"] == "accuracy"]
            expect(f"{name} has intervals", [p["low"] <= p["value"] <= p["high"] for p in accuracy], [True] * 5)
        elif o["id"] == "vigie-states":
            expect(f"{name}: each once", [(b["key"], b["latest"]["hits"]["hits"][0]["_source"]["vigie"]["window"]["verdict"]) for b in rows], [("credit", "drift")])
        elif o["id"] == "vigie-latest":
            expect(f"{name}: each once", ([b["key"] for b in rows], metrics["1"]), (["credit"], ["drift"]))
        elif o["id"] == "vigie-machine":
            means = [b for b in rows[0]["over_time"]["buckets"]]
            expect(f"{name}: memory", [b["key"] for b in rows if any(t["memory_used_bytes"]["value"] for t in b["over_time"]["buckets"])], ["host"])
            expect(f"{name}: times", bool(means), True)
        elif o["id"] == "vigie-distributions":
            spec = json.loads(json.loads(o["attributes"]["visState"])["params"]["spec"])
            hits = [h["_source"] for h in rows]
            expect(f"{name} has each feature once", (status, sorted(h["vigie"]["feature"]["name"] for h in hits)), (200, ["age", "kind", "prediction", "score"]))
            expect(f"{name} begins with what moved", [h["vigie"]["level"] for h in hits][:2], [2, 2])
            for h in hits:
                drawn = h["vigie"]["drift"]["distribution"]
                expect(f"{name}: cells", (len(drawn["cells"]), 2 <= len(drawn["cells"]) <= 26), (len(drawn["current"]), True))
                expect(f"{name}: shares", [abs(sum(drawn[of]) - 1) < .01 for of in ("reference", "current")], [True, True])
            # Another model's feature of the same name is another one; what was found in maintenance is not there.
            for model, drawn in ("other", "other/age"), ("worked on", None):
                other = json.loads(json.dumps(next(h for h in hits if h["vigie"]["feature"]["name"] == "age")))
                other["vigie"]["model"]["id"] = model
                other["vigie"]["drift"].pop("drawn")
                if drawn:
                    other["vigie"]["drift"]["drawn"] = drawn
                expect(f"{name}: {model}", node.ask("POST", f"/{spec['data']['url']['index'].replace('*', '')}/_doc?refresh=true", other)[0], 201)
            status, said = node.ask("POST", f"/{spec['data']['url']['index']}/_search", vega_query_of(spec))
            names = sorted(f"{h['_source']['vigie']['model']['id']} {h['_source']['vigie']['feature']['name']}" for h in said["hits"]["hits"])
            expect(f"{name} has each model's", (len(names), len(set(names)), "other age" in names), (len(hits) + 1, len(hits) + 1, True))
            said = {h["vigie"]["feature"]["name"]: h["vigie"]["drift"]["distribution"] for h in hits}
            expect(f"{name}: categories", sorted(said["kind"]["cells"]), ["a", "b", "c"])
            middle = {of: sum(i * share for i, share in enumerate(said["age"][of])) for of in ("reference", "current")}
            expect(f"{name}: what rose is to the right", middle["current"] > middle["reference"] + 5, True)
        elif o["type"] == "search":
            columns = o["attributes"]["columns"]
            never = [c for c in columns if not any(value_at(r, c) is not None for r in rows)]
            expect(f"{name} has its columns", never if o["id"].endswith(("changes", "audit")) else [c for c in columns for r in rows if value_at(r, c) is None], [])
    demo_on(node, objects, titles, folder)
    node.kill()


with tempfile.TemporaryDirectory() as folder:
    text = setup("--dry-run").stdout
    objects = [json.loads(line) for line in text.splitlines()]
    expect("the same each time", setup("--dry-run").stdout, text)
    held_together(objects)
    expect("types", {t: sum(o["type"] == t for o in objects) for t in KNOWN}, {"index-pattern": 9, "visualization": 26, "lens": 0, "search": 7, "dashboard": 4})
    more = [json.loads(line) for line in setup("--dry-run", "--lens").stdout.splitlines()]
    held_together(more)
    expect("Lens comes behind", more[:len(objects)], objects)
    expect("Lens", {t: sum(o["type"] == t for o in more[len(objects):]) for t in ("lens", "dashboard")}, {"lens": 6, "dashboard": 1})
    others = [json.loads(line) for line in setup("--dry-run", "--index", "logs", "--url", "https://vigie.example.org").stdout.splitlines()]
    held_together(others)
    expect("another prefix", ({o["id"].split("-")[0] for o in others}, others[0]["attributes"]["title"]), ({"logs"}, "logs-prediction-*"))
    expect("the page", "https://vigie.example.org" in setup("--dry-run", "--url", "https://vigie.example.org").stdout, True)
    expect("a file", (setup("-o", folder).returncode, (pathlib.Path(folder) / "vigie.ndjson").read_text()), (0, text))

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Kibana)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    to = f"http://127.0.0.1:{server.server_port}"
    Kibana.answer = 200, {"success": True, "successCount": len(objects)}
    done = setup("--to", to + "/", "--space", "ml ops", "--user", "ann", env=os.environ | {"VIGIE_ELASTIC_PASSWORD": "secret"})
    path, headers, body = Kibana.asked[-1]
    expect("imported", (done.returncode, f"{len(objects)} objects imported" in done.stdout), (0, True))
    expect("into a space", path, "/s/ml%20ops/api/saved_objects/_import?overwrite=true")
    expect("headers", [headers.get(h) for h in ("kbn-xsrf", "osd-xsrf", "Authorization")], ["true", "true", "Basic YW5uOnNlY3JldA=="])
    boundary = headers["Content-Type"].split("boundary=")[1]
    parts = body.decode().split(f"--{boundary}")
    expect("one file", (len(parts), parts[2]), (3, "--\r\n"))
    head, content = parts[1].split("\r\n\r\n", 1)
    expect("its name", ('name="file"; filename="vigie.ndjson"' in head, content), (True, text + "\r\n"))
    Kibana.answer = 200, {"success": False, "successCount": 1, "errors": [{"type": "search", "id": "vigie-label-log", "error": {"type": "unsupported_type"}}]}
    done = setup("--to", to)
    expect("some are refused", (done.returncode, 'search vigie-label-log: {"type":"unsupported_type"}' in done.stderr), (2, True))
    Kibana.answer = 401, {"statusCode": 401, "message": "Unauthorized"}
    done = setup("--to", to)
    expect("nobody is let in", (done.returncode, 'answers 401: "Unauthorized"' in done.stderr), (3, True))
    Kibana.answer = 200, {"success": True, "successCount": 1}
    for status, wanted in (200, ["POST", "POST"]), (409, ["POST", "PUT", "POST", "PUT"]):
        Kibana.asked.clear()
        Kibana.rule = status, {}
        done = setup("--to", to, "--rules")
        rules = [(path, json.loads(body)) for path, _, body in Kibana.asked[1:]]
        expect(f"rules, {status}", (done.returncode, len(rules), done.stdout.count("the rule")), (0, len(wanted), 2))
        ids = {uuid.UUID(path.rsplit("/", 1)[1]) for path, _ in rules}
        expect("two ids", (len(ids), {path.rsplit("/", 1)[0] for path, _ in rules}), (2, {"/api/alerting/rule"}))
        whole = {"name", "rule_type_id", "consumer", "schedule", "enabled", "tags", "actions", "params"}
        fixed = {"rule_type_id", "consumer", "enabled"}
        expect("what is said", [set(body) for _, body in rules], [whole if how == "POST" else whole - fixed for how in wanted])
    rules = [body for _, body in rules if "enabled" in body]
    Kibana.rule = 400, {"message": "no"}
    expect("a rule is refused", setup("--to", to, "--rules").returncode, 3)
    expect("no file holds rules", setup("--rules", "-o", folder).returncode, 2)
    expect("no address", setup("--to", "localhost:5601").returncode, 2)
    done = setup("--to", to.replace("127.0.0.1", "ann:secret@127.0.0.1"))
    expect("a password in an address", (done.returncode, done.stderr), (2, "--to: a password in an address is seen by others: --user and --password\n"))
    monitors = monitors_of(folder)
    expect("no name", setup("--index", "A b").returncode, 2)

    for one in versions(sys.argv[2:]):
        on_a_node(one, more, rules, monitors, folder)
sys.exit(checks.end())
