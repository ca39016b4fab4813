#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`vigie serve` that ships what it takes in to a server that is busy, refuses and goes away: each record is there once.

usage: shipping.py VIGIE     the last line says what was found
"""
import json
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

from service import Checks, Service
from ship_server import Node

vigie = sys.argv[1]
rng = random.Random(1)
checks = Checks()
expect, until = checks.expect, checks.until


def lines(rows):
    return "\n".join(map(json.dumps, rows)).encode()


def predictions(first, last, model="m"):
    return [{"id": f"{model}{i}", "timestamp": f"2026-03-{1 + i % 28:02d}T10:00:00Z", "features": {"age": rng.randrange(18, 90)}, "score": round(rng.random(), 3)}
            for i in range(first, last)]


with tempfile.TemporaryDirectory() as folder:
    node = Node()
    data = str(pathlib.Path(folder) / "data")
    more = ["--ship", f"elastic(to={node.url}, keep=30d)"]
    service = Service(vigie, data, more=more)

    def post(path, rows):
        expect(path, service.ask("POST", f"/v1/models/{path}", lines(rows))[0], 202)

    def state():
        return service.ask("GET", "/v1/shipping")[1]

    def of(index):
        return sorted((json.loads(text) for (name, _), text in list(node.stored.items()) if name.startswith(index)), key=lambda d: d["id"])

    # Predictions, labels and explanations, each in the index of its kind, model and month.
    post("m/predictions", predictions(0, 500))
    post("Other Model/predictions".replace(" ", "%20"), [{"id": "o1", "features": {"x": 1}}])
    post("m/labels", [{"id": "m1", "label": "yes", "timestamp": "2026-03-05T00:00:00Z"}, {"id": "m1", "label": "no", "timestamp": "2026-03-06T00:00:00Z"}])
    post("m/explanations", [{"id": "m1", "attributions": {"age": 0.5}, "timestamp": "2026-03-05T00:00:00Z"}])
    until("all is there", lambda: len(node.stored), lambda n: n == 504)
    expect("predictions", [d["id"] for d in of("vigie-prediction-m-2026.03")], sorted(f"m{i}" for i in range(500)))
    one = of("vigie-prediction-m-")[0]
    expect("one of them", (one["id"], one["@timestamp"], one["vigie"], sorted(one["features"])), ("m0", "2026-03-01T10:00:00Z", {"model": {"id": "m"}}, ["age"]))
    expect("both labels", [d["label"] for d in of("vigie-label-m-2026.03")], ["yes", "no"])
    expect("an explanation", [d["attributions"] for d in of("vigie-explanation-m-2026.03")], [{"age": 0.5}])
    expect("another model, by when it came", len([k for k, _ in node.stored if k.startswith("vigie-prediction-other-model-20")]), 1)
    said = until("it says so", state, lambda s: s["stored"] == 504 and s["lag_records"] == 0)
    expect("state", [said[k] for k in ("cluster", "there", "rejected", "dropped", "trouble")], ["Elasticsearch 8.19.0", 0, 0, 0, None])
    expect("set up", [path for path, _ in node.paths if "_index_template" in path],
           [f"/_index_template/vigie-{what}" for what in ("prediction-m", "prediction-other-model", "label-m", "explanation-m")])

    # A label that is corrected, and corrected back, each as it was said.
    for label in "A", "B", "A":
        post("m/labels", [{"id": "m2", "label": label}])
        until(label, lambda: len([d for d in of("vigie-label-m-") if d["id"] == "m2"]), lambda n: n > 0)
    post("m/labels", [{"id": "m3", "label": label} for label in "ABA"])
    until("three labels of one id, twice", lambda: len(node.stored), lambda n: n == 510)
    expect("the last of them is the last", [d["label"] for d in sorted((d for d in of("vigie-label-m-") if d["id"] == "m2"), key=lambda d: d["@timestamp"])], ["A", "B", "A"])
    expect("several at once", sorted(d["label"] for d in of("vigie-label-m-") if d["id"] == "m3"), ["A", "A", "B"])

    # What the command ships of the same records is there already.
    log = pathlib.Path(folder) / "log.ndjson"
    log.write_bytes(lines([d for d in predictions(0, 500)]))
    done = subprocess.run([vigie, "ship", str(log), "--to", node.url, "--model", "m", "--id", "id", "--json"], capture_output=True, text=True)
    expect("by the command", (json.loads(done.stdout)["stored"], json.loads(done.stdout)["there"]), (0, 500))

    # Where it was is kept: a start anew sends nothing again.
    time.sleep(1)
    expect("an end", service.end(), 0)
    before = node.requests
    service = Service(vigie, data, more=more)
    post("m/predictions", predictions(500, 510))
    until("ten more", lambda: len(node.stored), lambda n: n == 520)
    until("that they are there is known", state, lambda s: s["stored"] + s["there"] == 10)
    expect("and no others", (node.requests - before, state()["stored"], state()["there"]), (1, 10, 0))

    # kill -9 while it is busy, several times.
    node.trouble = lambda n, _: time.sleep(0.05)
    sent = 510
    for _ in range(4):
        for _ in range(8):
            post("m/predictions", predictions(sent, sent + 500))
            sent += 500
        time.sleep(0.1)
        service.end(signal.SIGKILL)
        service = Service(vigie, data, more=more)
    node.trouble = lambda n, _: None
    until("each is there", lambda: len(of("vigie-prediction-m-")), lambda n: n == sent)
    expect("once", len({d["id"] for d in of("vigie-prediction-m-")}), sent)

    # A server that goes away keeps nobody from anything.
    node.trouble = lambda n, _: "reset"
    post("m/predictions", predictions(sent, sent + 100))
    sent += 100
    said = until("it says that it waits", state, lambda s: s["trouble"])
    post("m/labels", [{"id": "m5", "label": "yes"}])
    expect("and goes on", service.ask("GET", "/healthz")[0], 200)
    expect("metrics say so", "vigie_ship_failing 1" in service.ask("GET", "/metrics", read=bytes)[1].decode(), True)
    node.trouble = lambda n, _: None
    until("it is back", lambda: len(of("vigie-prediction-m-")), lambda n: n == sent)
    until("nothing is wrong", state, lambda s: s["trouble"] is None)

    # An index that takes nothing keeps no other's documents back; what it keeps out is not forgotten by a kill.
    block = {"status": 403, "error": {"type": "cluster_block_exception", "reason": "index read-only"}}
    node.fate = lambda n, text: block if '"blocked' in text else None
    for i in range(6):
        post("b/predictions", predictions(5_000 * i, 5_000 * (i + 1), "blocked"))
        post("n/predictions", predictions(5_000 * i, 5_000 * (i + 1), "open"))
    until("all of the other", lambda: len(of("vigie-prediction-n-")), lambda n: n == 30_000)
    expect("what it waits for", until("it waits", state, lambda s: s["trouble"])["trouble"], "403: cluster_block_exception: index read-only")
    service.end(signal.SIGKILL)
    service = Service(vigie, data, more=more)
    post("n/predictions", predictions(30_000, 30_100, "open"))
    until("and after a kill", lambda: len(of("vigie-prediction-n-")), lambda n: n == 30_100)
    node.fate = lambda n, text: None
    until("and then the blocked ones", lambda: len(of("vigie-prediction-b-")), lambda n: n == 30_000, 60)
    until("all is well", state, lambda s: s["trouble"] is None)

    # It lets nobody in for a while.
    node.trouble = lambda n, _: (401, "Unauthorized")
    post("m/predictions", predictions(sent, sent + 100))
    sent += 100
    said = until("401", state, lambda s: s["trouble"])
    expect("401", (said["trouble"], said["trouble_since"][:2]), ('401: "Unauthorized"', "20"))
    expect("the process is well", [service.ask("GET", path)[0] for path in ("/healthz", "/readyz")], [200, 200])
    doctor = subprocess.run([vigie, "doctor", f"http://127.0.0.1:{service.port}", "--json"], capture_output=True, text=True)
    expect("doctor", [f["reason"].split(": ", 1)[1] for f in json.loads(doctor.stdout)["findings"] if f["finding"] == "shipping"], ['401: "Unauthorized"'])
    expect("the page", "<strong>Shipping waits:</strong> since " in service.ask("GET", "/", read=bytes)[1].decode(), True)
    node.trouble = lambda n, _: None
    until("it lets it in", lambda: len(of("vigie-prediction-m-")), lambda n: n == sent)

    # What it will never take.
    node.fate = lambda n, text: {"status": 400, "error": {"type": "mapper_parsing_exception", "reason": "no number"}} if '"high"' in text else None
    post("m/predictions", [{"id": "stamped", "@timestamp": "2026-03-03T00:00:00Z", "features": {"age": 3}}])
    stamped = until("one with a time of its own", lambda: [text for text in list(node.stored.values()) if '"stamped"' in text], lambda found: len(found) == 1)
    expect("its time once", stamped[0].count("@timestamp"), 1)
    post("m/predictions", [{"id": "bad", "features": {"age": "high"}}, {"id": "good", "features": {"age": 3}}])
    until("it is told", state, lambda s: s["rejected"] == 1)
    dead = json.loads((pathlib.Path(data) / "ship-rejected.ndjson").read_text())
    expect("where and why", (dead["reason"], dead["document"]["id"], dead["file"], dead["record"] > 0), ("no number", "bad", "journal", True))
    post("m/predictions", [{"id": "nan", "features": {"age": float("nan"), "of": [1, float("inf")]}, "vendor": "vigie"}])
    until("numbers that are none", lambda: [(d["features"], d["vigie"]) for d in of("vigie-prediction-m-") if d["id"] == "nan"],
          lambda found: found == [({"age": None, "of": [1, None]}, {"model": {"id": "m"}})])
    until("the good one beside it", lambda: [d["id"] for d in of("vigie-prediction-m-") if d["id"] == "good"], lambda found: found == ["good"])
    # Beside it a letter that says which, and why, and has none of it; of one that is refused itself there is none.
    letters = until("a dead letter", lambda: [(index, json.loads(text)) for (index, _), text in list(node.stored.items()) if "dead-letter" in index], lambda found: len(found) == 1)
    index, letter = letters[0]
    expect("its index", index, f"vigie-dead-letter-m-{letter['@timestamp'][:7].replace('-', '.')}")
    said = letter["vigie"]["dead_letter"]
    expect("what it says", (letter["vigie"]["kind"], letter["vigie"]["model"]["id"], said["record"], said["status"], said["type"], said["reason"]),
           ("dead_letter", "m", "bad", 400, "mapper_parsing_exception", "no number"))
    expect("where it was to go", (said["index"].startswith("vigie-prediction-m-"), bool(said["id"])), (True, True))
    expect("nothing of the record", "high" in json.dumps(letter), False)
    metrics = service.ask("GET", "/metrics", read=bytes)[1].decode()
    for wanted in ('vigie_ship_documents_total{outcome="rejected"} 1', "vigie_ship_lag_records", "vigie_ship_dropped_records_total 0"):
        expect(wanted, wanted in metrics, True)
    refused = {"status": 400, "error": {"type": "mapper_parsing_exception", "reason": "no. Preview of field's value: 'low'"}}
    node.fate = lambda n, text: refused if '"low"' in text or "dead_letter" in text else None
    post("m/predictions", [{"id": "bad2", "features": {"age": "low"}}])
    until("both are counted", state, lambda s: s["rejected"] == 3 and s["lag_records"] == 0)
    time.sleep(1.5)
    expect("and no more of it", (state()["rejected"], sum("dead-letter" in name for name, _ in node.stored)), (3, 1))
    expect("an end", service.end(), 0)

    # Nobody is there at all: it starts and ends all the same.
    service = Service(vigie, data, more=["--ship", "elastic(to=http://127.0.0.1:9)"])
    said = until("nobody", state, lambda s: s["trouble"])
    expect("who it is", (said["to"], "127.0.0.1" in said["trouble"], said["cluster"]), (["http://127.0.0.1:9"], True, None))
    began = time.monotonic()
    expect("it ends", (service.end(), time.monotonic() - began < 5), (0, True))
    service = Service(vigie, data, more=["--source", "elastic(to=http://127.0.0.1:9, index=logs, model=there)"])
    expect("nothing is shipped", service.ask("GET", "/v1/shipping")[0], 404)
    # What is counted in an index takes no rows besides.
    for what in "predictions", "labels", "explanations":
        expect(f"{what} of a model that is watched in an index", service.ask("POST", f"/v1/models/there/{what}", b'{"id":"a","label":1}'),
               (409, {"error": '"there" is watched in an index, where its rows are counted: it takes no others', "where": "path"}))
    expect("another one's", service.ask("POST", "/v1/models/m/predictions", b'{"id":"again"}')[0], 202)
    expect("a wrong path", service.ask("GET", "/v1/models/m/scores"), (404, {"error": "scores are in the windows: GET /v1/models/m/windows", "where": "path"}))
    expect("another one", service.ask("GET", "/v1/models/m/windoes"), (404, {"error": 'unknown part of a model "windoes"; did you mean "windows"?', "where": "path"}))
    service.end()
    for spec, error in (("elastic(to=es:9200)", "elastic.to: expected addresses as https://host:9200, without a password"),
                        ("elastic(to=http://a, by=moth)", 'elastic.by: unknown kind "moth"; did you mean "month"?'),
                        ("elastic(to=http://a, by=week)", 'elastic.by: unknown kind "week" (month, day, none, stream)'),
                        ("elastic(to=http://a, user=ann, password=b)", "elastic.password: a secret itself does not belong here: ${NAME} or file:PATH"),
                        ("elastic(to=http://a, api_key=a:b)", "elastic.api_key: a secret itself does not belong here: ${NAME} or file:PATH"),
                        ("elastic(to=http://a, user=ann)", "elastic.user: needs a password"),
                        ("elastic(to=http://a, password=file:/etc/hostname)", "elastic.password: needs a user"),
                        ("elastic(to=http://a, index=A)", 'elastic.index: "A" cannot be a name there: lower case'),
                        ("elastik(to=http://a)", 'unknown target "elastik"; did you mean "elastic"?')):
        done = subprocess.run([vigie, "serve", "--data", data, "--ship", spec], capture_output=True, text=True)
        expect(spec, (done.returncode, done.stderr.strip()), (2, f"--ship: {error}"))
    for more, error in (("password=file:/etc/hostname", "elastic.password: needs a user"), ('fields="age=x age=y"', 'elastic.fields: names "age" twice'),
                        ('time=""', "elastic.time: is empty"), ("index=-logs", 'elastic.index: "-logs" cannot be a name there: none of - _ + in front'),
                        ("index=_logs*", 'elastic.index: "_logs*" cannot be a name there: none of - _ + in front'), ("index=_all", None), ('index="logs-*,-logs-old"', None)):
        config = pathlib.Path(folder) / "check.yaml"
        config.write_text(f"data: {folder}/checked\nsource: 'elastic(to=http://a, model=m, {more if 'index' in more else 'index=a, ' + more})'\n")
        done = subprocess.run([vigie, "config", "--check", str(config)], capture_output=True, text=True)
        expect(more, (done.returncode, done.stderr.strip().endswith(error or "")), (2 if error else 0, True))
        if error:
            expect(f"{more} in one line", done.stderr.strip(), f"{config}:2: source: {error}")
sys.exit(checks.end())
