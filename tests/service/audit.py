#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `vigie serve` writes into its audit log over kill -9, that it shows what was altered, and what `vigie report`,
`vigie export` and the sampled rows make of what it keeps.

usage: audit.py VIGIE     the last line says what was found
"""
import datetime
import hashlib
import http.client
import json
import pathlib
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import urllib.parse

from service import Checks, Service

START = datetime.datetime(2026, 3, 2, tzinfo=datetime.timezone.utc)
ROWS = 120
rng = random.Random(1)
checks = Checks()
expect, until = checks.expect, checks.until


def hour(number, age=40.0):
    rows = []
    for i in range(ROWS):
        truth = rng.random() < 0.4
        answer = min(1, max(0, (0.7 if truth else 0.3) + rng.gauss(0, 0.15)))
        at = START + datetime.timedelta(hours=number, seconds=i * 3600 / ROWS)
        rows.append({"id": f"{number}-{i}", "timestamp": at.isoformat(), "version": "2.1",
                     "features": {"age": rng.gauss(age, 10), "kind": rng.choice("abc"), "mail": f"p{number}{i}@example.org"},
                     "prediction": "yes" if answer > 0.5 else "no", "score": round(answer, 4), "tags": {"shop": rng.choice(["north", "south"])},
                     "label": "yes" if truth else "no"})
    return rows


def lines(rows, without=()):
    return "\n".join(json.dumps({k: v for k, v in row.items() if k not in without}) for row in rows).encode()


def chain_of(path):
    """The log as somebody reads it who has no vigie: the number of the first entry that is not right, or 0."""
    database = sqlite3.connect(path)
    before, number = "0" * 64, 0
    for number_there, body in database.execute("SELECT number, body FROM audit ORDER BY number"):
        number += 1
        at = body.index(',"hash":"')
        said = json.loads(body)
        good = hashlib.sha256((body[:at] + "}").encode()).hexdigest() == said["hash"]
        if number_there != number or said["number"] != number or said["previous"] != before or not good:
            return number
        before = said["hash"]
    return 0


def main():
    vigie = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        data = str(pathlib.Path(folder) / "data")
        results = data + "/results.sqlite"

        def run(*arguments):
            return subprocess.run([vigie, *arguments], capture_output=True, text=True, check=False)

        service = Service(vigie, data)
        model = "/v1/models/credit"

        def get(path):
            return service.ask("GET", path)[1]

        config = {"owner": "ana", "window": "hour", "positive": "yes", "segments": ["shop"], "privacy": {"mail": "hash"}}
        expect("PUT", service.ask("PUT", model, json.dumps(config))[0], 200)
        expect("reference", service.ask("POST", model + "/reference", lines(r for h in range(24 * 14) for r in hour(h)))[0], 202)
        first = 24 * 14
        for h in range(first, first + 6):
            rows = hour(h)
            service.ask("POST", model + "/predictions", lines(rows, {"label"}))
            service.ask("POST", model + "/labels", lines({"id": r["id"], "label": r["label"]} for r in rows))
        service.ask("POST", model + "/predictions", lines(hour(first + 6, age=60), {"label"}))
        service.ask("POST", model + "/predictions", lines(hour(first + 7, age=60), {"label"}))
        service.ask("POST", model + "/predictions", lines(hour(first + 8, age=60), {"label"}))
        opened = until("an incident", lambda: get("/v1/incidents"), bool)
        one = "/v1/incidents/" + urllib.parse.quote(opened[0]["id"], safe="")

        # Killed while people say things, time and again: each is in the log once.
        for i in range(6):
            config["description"] = f"version {i}"
            service.ask("PUT", model, json.dumps(config))
            service.ask("POST", one + "/ack", json.dumps({"by": "bob", "note": f"look {i}"}))
            service.end(signal.SIGKILL)
            service = Service(vigie, data)
            until("what was said", lambda: len(get("/v1/audit?event=answered")), lambda n: n == i + 1)
        entries = get("/v1/audit")
        events = [e["event"] for e in entries]
        expect("events", [events.count(e) for e in ("model_created", "model_changed", "reference_set", "incident_opened", "answered")],
               [1, 7, 1, 1, 6])
        expect("started", (events.count("service_started"), events.count("service_stopped")), (7, 0))
        expect("notes in order", [e["details"]["note"] for e in entries if e["event"] == "answered"], [f"look {i}" for i in range(6)])
        expect("who", {e["by"] for e in entries if e["event"] == "answered"}, {"bob"})
        changed = [e["details"]["changed"] for e in entries if e["event"] == "model_changed"]
        expect("what changed", changed[1:3], [{"description": {"from": None, "to": "version 0"}},
                                              {"description": {"from": "version 0", "to": "version 1"}}])
        expect("an end without a stop", [e["details"]["last_run"] for e in entries if e["event"] == "service_started"],
               [None] + ["cut off"] * 6)
        expect("of one model", {e["model"] for e in get("/v1/audit?model=credit")}, {"credit"})
        expect("by pages", [get(f"/v1/audit?limit=1&after={e['number'] - 1}")[0] for e in entries], entries)
        expect("an unknown event", service.ask("GET", "/v1/audit?event=answer")[1]["error"],
               'event: unknown event "answer"; did you mean "answered"?')
        expect("the chain, read from outside", chain_of(results), 0)
        said = get("/v1/audit/verify")
        expect("verify", (said["broken"], said["last"], said["hash"]), (None, len(entries), entries[-1]["hash"]))
        noted = f"{entries[-1]['number']}:{entries[-1]['hash']}"
        for where in (["--data", data], ["--url", service.url]):
            done = run("audit", "verify", *where, "--entry", noted)
            expect("vigie audit verify", (done.returncode, done.stdout),
                   (0, f"{len(entries)} entries in one chain; the last is {noted}\n"))
        done = run("audit", "verify", "--data", data, "--entry", noted[:-1] + ("0" if noted[-1] != "0" else "1"))
        expect("another hash", (done.returncode, done.stdout.startswith(f"the chain breaks at entry {len(entries)}: its hash is")), (1, True))
        expect("no such folder", run("audit", "verify", "--data", folder).returncode, 2)

        # Rows to look at, as far as they may be.
        windows = get(model + "/windows")
        worst = next(w for w in windows if w["verdict"] == "drift")
        rows = get(f"{model}/rows?window={worst['key']}")
        expect("samples", [s["segment"] for s in rows["samples"]], [None, "shop=north", "shop=south"])
        expect("rows", [len(s["rows"]) for s in rows["samples"]], [20, 20, 20])
        expect("hashed", {(r["features"]["mail"][0], len(r["features"]["mail"])) for s in rows["samples"] for r in s["rows"]}, {("#", 17)})
        expect("no rows of a window that is none", service.ask("GET", f"{model}/rows?window=7")[0], 404)
        expect("no window", service.ask("GET", f"{model}/rows")[0], 400)
        stored = subprocess.run(["grep", "-c", "-a", "@example.org", results], capture_output=True, text=True, check=False)
        expect("no address in the results", stored.stdout, "0\n")

        # Everything, page by page.
        for what in ("windows", "scores", "incidents", "audit", "models"):
            done = run("export", what, "--url", service.url)
            exported = [json.loads(line) for line in done.stdout.splitlines()]
            pages, path = [], f"/v1/export/{what}?limit=2"
            while path:
                reply = service_page(service, path)
                pages += [json.loads(line) for line in reply[0].splitlines()]
                path = reply[1]
            expect(f"export {what} by pages", pages, exported)
            expect(f"export {what} has some", len(exported) > 0, True)
        expect("exported windows", [w["key"] for w in map(json.loads, run("export", "windows", "--url", service.url).stdout.splitlines())],
               [w["key"] for w in windows])
        expect("an unknown export", service.ask("GET", "/v1/export/window")[1]["error"], 'unknown export "window"; did you mean "windows"?')
        parquet(service)

        # The report.
        service.ask("POST", one + "/resolve", json.dumps({"by": "ana", "note": "a <campaign>"}))
        page, told = str(pathlib.Path(folder) / "r.html"), str(pathlib.Path(folder) / "r.json")
        common = ["report", "--model", "credit", "--url", service.url, "--from", "2026-03-15"]
        expect("vigie report", [run(*common, "-o", name).returncode for name in (page, told)], [0, 0])
        report = json.loads(pathlib.Path(told).read_text())
        expect("summary", [report["summary"][k] for k in ("incidents", "answered", "open")], [1, 1, 0])
        steps = report["incidents"][0]["steps"]
        # Rows of last spring, that came today, were answered for today.
        past = str(pathlib.Path(folder) / "past.json")
        expect("vigie report of the past", run(*common, "--to", report["incidents"][0]["until"], "-o", past).returncode, 0)
        then = json.loads(pathlib.Path(past).read_text())
        expect("answered", ([i["steps"] for i in then["incidents"]], then["summary"]["answered"]), ([steps], 1))
        expect("who answered", [(s["what"], s["by"]) for s in steps if s["by"]], [("ack", "bob")] * 6 + [("resolve", "ana")])
        expect("time to answer", report["summary"]["median_seconds_to_answer"] is not None, True)
        expect("reference", (len(report["what_ran"]["references"]), report["what_ran"]["references"][0]["rows"]), (1, 24 * 14 * ROWS))
        expect("versions", [(v["version"], v["rows"]) for v in report["what_ran"]["versions"]], [("2.1", report["summary"]["rows"])])
        expect("metrics", "roc_auc" in {m["metric"] for m in report["metrics"]}, True)
        expect("its audit log", (report["audit"]["broken"], report["audit"]["entries"]), (None, len(get("/v1/audit"))))
        text = pathlib.Path(page).read_text()
        expect("page", ("a &lt;campaign&gt;" in text, "<campaign>" in text, "@example.org" in text), (True, False, False))
        expect("no such model", run("report", "--model", "credid", "--url", service.url, "-o", page).stderr.strip().split(": ", 2)[2],
               'unknown model "credid"; did you mean "credit"?')
        expect("times", run(*common, "--to", "2026-03-01", "-o", page).returncode, 2)

        service = schemas(service, vigie, data, run, str(pathlib.Path(folder) / "s.json"))

        # What is altered is named.
        expect("graceful end", service.end(signal.SIGTERM), 0)
        last = json.loads(run("audit", "verify", "--data", data, "--json").stdout)
        database = sqlite3.connect(results)
        expect("stopped", database.execute("SELECT event FROM audit ORDER BY number DESC LIMIT 1").fetchone()[0], "service_stopped")
        kept = database.execute("SELECT body FROM audit WHERE number = 5").fetchone()[0]
        for statement, broken in ((("UPDATE audit SET body = ? WHERE number = 5", (kept.replace("2", "3", 1),)), 5),
                                  (("DELETE FROM audit WHERE number = 3", ()), 3),
                                  (("DELETE FROM audit WHERE number > ?", (last["last"] - 2,)), 3)):
            database.execute(*statement)
            database.commit()
            done = run("audit", "verify", "--data", data, "--json")
            expect(statement[0], (done.returncode, json.loads(done.stdout)["broken"]), (1, broken))
        expect("unreachable", run(*common, "-o", page).returncode, 3)
    return checks.end()


def schemas(service, vigie, data, run, told):
    """What the records of a model have, which has no reference: learnt, changed, and said. The service that goes on."""
    model = "/v1/models/shapes"

    def rows(start, **features):
        return lines({"id": str(start + i), "features": {"age": 40 + i % 9, "plan": "gold"} | features, "tags": {"shop": "north"}}
                     for i in range(1000))

    def schema():
        return service.ask("GET", model)[1].get("schema", {})

    def changes():
        return [e["details"] for e in service.ask("GET", "/v1/audit?model=shapes&event=schema_changed")[1]]

    service.ask("POST", model + "/predictions", rows(0, z=1))
    first = until("a schema", schema, bool)
    expect("of the first records", (first["version"], first["said"], first["columns"]),
           (1, False, {"age": "number", "plan": "text", "tags.shop": "text", "z": "number"}))
    expect("which is no change", changes(), [])
    service.ask("POST", model + "/predictions", rows(1000, age="40", zz=True))
    service.end(signal.SIGKILL)
    service = Service(vigie, data)
    second = until("another schema", schema, lambda s: s.get("version") == 2)
    expect("its columns", second["columns"], {"age": "text", "plan": "text", "tags.shop": "text", "zz": "boolean"})
    expect("what changed", [(c["from"], c["to"], c["added"], c["gone"], c["changed"]) for c in changes()],
           [(1, 2, {"zz": "boolean"}, ["z"], {"age": {"from": "number", "to": "text"}})])
    page = service.ask("GET", "/", read=bytes.decode)[1]
    expect("on the page", "version 2: &quot;zz&quot; is new (boolean)" in page or "version 2: \"zz\" is new (boolean)" in page, True)
    expect("a kind that is none", service.ask("PUT", model, '{"schema": {"age": "numbr"}}')[1]["error"],
           'schema.age: unknown kind "numbr"; did you mean "number"?')
    expect("none at all", service.ask("PUT", model, '{"schema": ["age"]}')[0], 400)
    expect("PUT", service.ask("PUT", model, '{"schema": {"age": "number", "plan": "text"}}')[0], 200)
    said = until("what was said", schema, lambda s: s.get("said"))
    expect("counts", (said["version"], said["columns"], said["departs"]),
           (3, {"age": "number", "plan": "text", "tags.shop": "text"}, {"age": "text", "zz": "new: boolean"}))
    expect("that is a change", [(c["to"], c["said"], c["gone"]) for c in changes()], [(2, False, ["z"]), (3, True, ["zz"])])
    done = run("report", "--model", "shapes", "--url", service.url, "--from", "2026-01-01", "-o", told)
    listed = json.loads(pathlib.Path(told).read_text())["audit"]["listed"] if done.returncode == 0 else []
    expect("in the report", [e["details"]["summary"].split(":")[0] for e in listed if e["event"] == "schema_changed"],
           ["schema version 1 → 2", "schema version 2 → 3"])
    return service


def service_page(service, path, accept=None):
    """A page as bytes, and the path of the next one, None at the end."""
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=10)
    connection.request("GET", path, headers={"Accept": accept} if accept else {})
    reply = connection.getresponse()
    body, link = reply.read(), reply.getheader("Link")
    connection.close()
    return body, link[1:link.index(">")] if link else None


def parquet(service):
    """Of a build that has Arrow, a page as a Parquet file."""
    status, body = service.ask("GET", "/v1/export/windows?format=parquet", read=bytes)
    if status == 406:
        expect("without Arrow", "cannot write Parquet" in body.decode(), True)
        return
    expect("parquet", (status, body[:4], body[-4:]), (200, b"PAR1", b"PAR1"))
    expect("parquet by its type", service_page(service, "/v1/export/audit", "application/vnd.apache.parquet")[0][:4], b"PAR1")


if __name__ == "__main__":
    sys.exit(main())
