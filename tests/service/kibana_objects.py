#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `vigie setup kibana --lens` makes, in few words an object, beside what it was: tests/golden/kibana/objects.txt.

usage: kibana_objects.py VIGIE [--update]     --update writes what it is now, for reading before a commit
"""
import difflib
import json
import pathlib
import re
import subprocess
import sys

from service import Checks

vigie = str(pathlib.Path(sys.argv[1]).resolve())
GOLDEN = pathlib.Path(__file__).resolve().parents[1] / "golden" / "kibana" / "objects.txt"
checks = Checks()
expect = checks.expect


def setup(*args):
    return subprocess.run([vigie, "setup", "kibana", "--dry-run", *args], capture_output=True, text=True)


def aggregation(a):
    p = a["params"]
    more = [str(p[k]) for k in ("percents", "aggregate", "sortField", "sortOrder", "interval", "size", "orderBy", "order") if k in p]
    return " ".join([a["schema"], a["type"], p.get("field", ""), *more, f'"{p.get("customLabel", "")}"'])


def column(name, c):
    p = c.get("params", {})
    more = [*p.get("secondaryFields", []), *(str(p[k]) for k in ("size", "orderDirection") if k in p)]
    return " ".join([name, c["operationType"], c["sourceField"], *more, f'"{c["label"]}"'])


def within(spec, key):
    """What stands under a key, wherever it is."""
    found = []
    for name, value in spec.items() if isinstance(spec, dict) else enumerate(spec) if isinstance(spec, list) else ():
        found += [value] if name == key else within(value, key)
    return found


def lines(o):
    attributes = o["attributes"]
    yield f"{o['type']} {o['id']}: {attributes['title']}"
    source = json.loads(attributes.get("kibanaSavedObjectMeta", {}).get("searchSourceJSON", "{}"))
    if query := source.get("query", {}).get("query") or attributes.get("state", {}).get("query", {}).get("query"):
        yield f"  of: {query}"
    if o["type"] == "index-pattern":
        yield f"  time: {attributes['timeFieldName']}"
    if o["type"] == "visualization":
        state = json.loads(attributes["visState"])
        yield f"  draws: {state['type']}"
        for a in state["aggs"]:
            yield f"    {aggregation(a)}"
        if state["type"] == "markdown":
            yield from (f"    {line}" for line in state["params"]["markdown"].splitlines())
        if state["type"] == "vega":
            spec = json.loads(state["params"]["spec"])
            url = spec["data"]["url"]
            yield f"    asks {url['index']} {json.dumps(url['body'], sort_keys=True)}"
            yield f"    takes {spec['data']['format']['property']}"
            yield from (f"    {json.dumps(step, sort_keys=True, ensure_ascii=False)}" for step in spec["transform"])
            marks = [mark["type"] for mark in within(spec, "mark")]
            fields = sorted({field for block in within(spec.get("spec", {}), "encoding") + within(spec.get("layer", []), "encoding") + [spec.get("encoding", {}), spec.get("facet", {})]
                             for field in within(block, "field") + ([block["field"]] if "field" in block else []) if isinstance(field, str)})
            yield f"    as {', '.join(marks)} of {', '.join(fields)}"
    if o["type"] == "lens":
        state = attributes["state"]
        layer = state["datasourceStates"]["formBased"]["layers"]["l1"]
        yield f"  draws: {attributes['visualizationType']}"
        yield from (f"    {column(name, layer['columns'][name])}" for name in layer["columnOrder"])
    if o["type"] == "search":
        yield f"  columns: {', '.join(attributes['columns'])}"
        yield f"  sort: {attributes['sort']}"
    if o["type"] == "dashboard":
        yield f"  time: {attributes['timeFrom']} to {attributes['timeTo']}"
        ids = {r["name"].split(":")[-1]: r["id"] for r in o["references"]}
        for p in json.loads(attributes["panelsJSON"]):
            at = p["gridData"]
            yield f"    {at['x']:2} {at['y']:3} {at['w']:2} × {at['h']:2}  {ids[p['panelRefName']]}"
    elif o["references"]:
        yield f"  refers to: {', '.join(r['id'] for r in o['references'])}"


done = setup("--lens")
objects = [json.loads(line) for line in done.stdout.splitlines()]
text = "\n".join("\n".join(line.rstrip() for line in lines(o)) for o in objects) + "\n"
if "--update" in sys.argv:
    GOLDEN.parent.mkdir(parents=True, exist_ok=True)
    GOLDEN.write_text(text)
was = GOLDEN.read_text()
expect("the objects are as they were; else kibana_objects.py VIGIE --update",
       list(difflib.unified_diff(was.splitlines(), text.splitlines(), "was", "is", n=1, lineterm="")), [])

# Each line that goes into vigie.ndjson is an object, whatever else is asked for.
rules = setup("--lens", "--rules")
expect("rules are not among the objects", (rules.returncode, rules.stdout == done.stdout, done.stderr), (0, True, ""))
asked = rules.stderr.splitlines()
expect("but beside them", [re.sub(r"[0-9a-f-]{36}$", "ID", line) for line in asked[::2]], ["POST /api/alerting/rule/ID"] * 2)
expect("whole", [json.loads(line)["rule_type_id"] for line in asked[1::2]], [".es-query"] * 2)
sys.exit(checks.end())
