#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`vigie ship` into a server that is busy, refuses, loses answers and goes away: each record is there once.

usage: ship.py VIGIE     the last line says what was found
"""
import datetime
import gzip
import hashlib
import hmac
import json
import pathlib
import random
import re
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

from service import Checks, free_port
from ship_server import Node

vigie = str(pathlib.Path(sys.argv[1]).resolve())
rng = random.Random(1)
checks = Checks()
expect = checks.expect
START = datetime.datetime(2026, 2, 20, tzinfo=datetime.timezone.utc)
BUSY = {"status": 429, "error": {"type": "es_rejected_execution_exception", "reason": "queue is full"}}


def records(count):
    return [{"id": f"r{i}", "timestamp": (START + datetime.timedelta(minutes=2 * i)).isoformat(), "features":
             {"age": rng.randrange(18, 90), "country": rng.choice(["FR", "DE"])}, "score": round(rng.random(), 4)} for i in range(count)]


def run(*args, env=None, text=None):
    return subprocess.run([vigie, "ship", *map(str, args)], capture_output=True, text=True, input=text, cwd=folder, env=env)


def signed(asked, secret):
    """Whether a request has the signature that AWS computes of it: of the path and the parameters encoded, these in order."""
    method, path, headers, body = asked
    path, _, query = path.partition("?")
    headers = {name.lower(): value for name, value in headers.items()}
    scope, names, signature = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=\w+/(\S+), SignedHeaders=(\S+), Signature=(\w+)", headers["authorization"]).groups()
    if not set(names.split(";")) <= set(headers) or "x-amz-content-sha256" not in names.split(";") or headers["x-amz-content-sha256"] != hashlib.sha256(body).hexdigest():
        return False
    pairs = sorted(tuple(urllib.parse.quote(urllib.parse.unquote(text), safe="-_.~") for text in (part.split("=", 1) + [""])[:2]) for part in query.split("&") if part)
    request = "\n".join([method, urllib.parse.quote(urllib.parse.unquote(path), safe="/-_.~"), "&".join(map("=".join, pairs)),
                         "".join(f"{name}:{headers[name]}\n" for name in names.split(";")), names, hashlib.sha256(body).hexdigest()])
    key = b"AWS4" + secret.encode()
    for text in (*scope.split("/"), "\n".join(["AWS4-HMAC-SHA256", headers["x-amz-date"], scope, hashlib.sha256(request.encode()).hexdigest()])):
        key = hmac.new(key, text.encode(), hashlib.sha256).digest()
    return key.hex() == signature


def ids(node):
    return sorted(d["id"] for d in node.documents())


with tempfile.TemporaryDirectory() as folder:
    here = pathlib.Path(folder)
    rows = records(20_000)
    names = sorted(r["id"] for r in rows)
    log = here / "log.ndjson"
    log.write_text("".join(json.dumps(r) + "\n" for r in rows))

    # All is well: each record with its own fields, the time and the model beside them, in the index of its month.
    node = Node()
    done = run(log, "--to", node.url, "--model", "Credit", "--json")
    said = json.loads(done.stdout)
    expect("exit status", (done.returncode, done.stderr), (0, ""))
    expect("what it says", [said[k] for k in ("records", "stored", "there", "rejected", "unreadable", "sent_again")], [20_000, 20_000, 0, 0, 0, 0])
    expect("the cluster", said["cluster"], "Elasticsearch 8.19.0")
    expect("documents", ids(node), names)
    one = next(d for d in node.documents() if d["id"] == "r7")
    expect("one of them", {k: v for k, v in one.items() if k not in ("@timestamp", "vigie")}, rows[7])
    expect("its time and model", (one["@timestamp"], one["vigie"]), ("2026-02-20T00:14:00Z", {"model": {"id": "Credit"}}))
    expect("indexes", sorted({index for index, _ in node.stored}), ["vigie-prediction-credit-2026.02", "vigie-prediction-credit-2026.03"])
    expect("requests", node.requests < 8, True)
    expect("packed", node.headers[-1].get("Content-Encoding"), "gzip")
    expect("set up", [path for path, _ in node.paths],
           ["/_component_template/vigie@mappings", "/_component_template/vigie@settings", "/_component_template/vigie@custom",
            "/_index_template/vigie-prediction-credit"])
    done = run(log, "--to", node.url, "--model", "Credit")
    expect("again", (done.returncode, "0 stored, 20,000 there already, 0 rejected" in done.stdout), (0, True))
    expect("nothing twice", len(node.stored), 20_000)

    # Other kinds of files, and standard input; ids by a column.
    node = Node()
    table = here / "log.csv"
    table.write_text("request,when,age,note\n" + "".join(f"q{i},2026-03-0{1 + i % 3}T00:00:00Z,{i},\"a, b\"\n" for i in range(1000)))
    packed = here / "log.csv.gz"
    packed.write_bytes(gzip.compress(table.read_bytes()))
    done = run(packed, "--to", node.url, "--id", "request", "--timestamp", "when", "--by", "day", "--gzip", "0")
    expect("csv", (done.returncode, done.stderr), (0, ""))
    expect("its days", sorted({index for index, _ in node.stored}), [f"vigie-prediction-logs-2026.03.0{d}" for d in (1, 2, 3)])
    expect("its rows", sorted(d["age"] for d in node.documents()), list(range(1000)))
    expect("a row", {k: node.documents()[0][k] for k in ("request", "note", "@timestamp")}, {"request": "q0", "note": "a, b", "@timestamp": "2026-03-01T00:00:00Z"})
    table.write_text(table.read_text() + "q0,2026-03-01T00:00:00Z,7,again\nq1000,2026-03-01T00:00:00Z,8,new\n")
    said = json.loads(run(table, "--to", node.url, "--id", "request", "--timestamp", "when", "--by", "day", "--json").stdout)
    expect("the same ids in another file", (said["stored"], said["there"]), (1, 1001))
    node = Node()
    done = run(table, "--to", node.url)
    expect("no time", (done.returncode, "1,002 of 1,002 records have no time, and Kibana's time filter does not show them: --timestamp COL" in done.stderr), (0, True))
    done = run(table, "--to", node.url, "--data-stream", "logs-vigie.x-default")
    expect("no time for a data stream", (done.returncode, f"{table}: no record has a time, which a data stream needs: --timestamp COL" in done.stderr, done.stdout), (2, True, ""))
    node = Node()
    for place in "a", "b":
        (here / place).mkdir()
        (here / place / "x.ndjson").write_text('{"v":1}\n{"v":1}\n')
    for args in (("a/x.ndjson", "b/x.ndjson"), ("b/x.ndjson", "./a/../a/x.ndjson"), (here / "a" / "x.ndjson",), ("*/x.ndjson",)):
        expect("two files of one name", run(*args, "--to", node.url).returncode, 0)
        expect("each of their records, once", len(node.stored), 4)
    done = run("a/x.ndjson", "--to", node.url, "--dry-run")
    expect("--dry-run says so too", (done.returncode, done.stderr),
           (0, 'a/x.ndjson: no "@timestamp" or "timestamp" in its first 2 records, and Kibana\'s time filter does not show what has no time: --timestamp COL\n'))
    (here / "some.ndjson").write_text('{"v":1}\n{"v":1,"timestamp":"2026-03-01"}\n')
    expect("and of some of them", run("some.ndjson", "--to", node.url, "--dry-run").stderr,
           "1 of 2 records at the begin of some.ndjson have no time, and Kibana's time filter does not show them: --timestamp COL\n")
    done = run("a/x.ndjson", "--to", node.url, "--dry-run", "--data-stream", "logs-vigie.x-default")
    expect("and of a data stream", (done.returncode, "a/x.ndjson: no record has a time, which a data stream needs: --timestamp COL\n" in done.stderr), (2, True))
    node = Node()
    for text in ('{"a":1}\n{"a":1}\n', '{"a":2}\n', '{"a":1}\n{"a":1}\n'):
        done = run("-", "--to", node.url, "--by", "none", "--index", "mine", text=text)
        expect("standard input", done.returncode, 0)
    expect("other records are others, and the same are not", sorted(d["a"] for d in node.documents()), [1, 1, 2])
    expect("one index", {index for index, _ in node.stored}, {"mine"})

    # Busy items are sent again, and no others.
    node = Node()
    tries = {}

    def busy(_, text):
        tries[text] = tries.get(text, 0) + 1
        return BUSY if tries[text] <= 2 and hash(text) % 3 == 0 else None
    node.fate = busy
    said = json.loads(run(log, "--to", node.url, "--json").stdout)
    expect("busy", (said["stored"], said["there"], said["sent_again"] > 0), (20_000, 0, True))
    expect("each is there", ids(node), names)
    expect("those that were taken came once", {n for text, n in tries.items() if hash(text) % 3 != 0}, {1})

    # Whole requests fail, connections break, answers are lost, and one lacks an item.
    for trouble in (429, 503, 502, "reset", "lost", "short"):
        node = Node()
        node.trouble = lambda n, _, trouble=trouble: trouble if n.rng.random() < 0.5 else None
        said = json.loads(run(log, "--to", node.url, "--json").stdout)
        expect(f"{trouble}: settled", said["stored"] + said["there"], 20_000)
        expect(f"{trouble}: each is there", ids(node), names)
    node = Node()
    node.trouble = lambda n, _: (429, "", [("Retry-After", "1")]) if n.requests == 1 else None
    began = time.monotonic()
    said = json.loads(run(log, "--to", node.url, "--json").stdout)
    expect("a time to wait", (said["stored"], time.monotonic() - began >= 1), (20_000, True))

    # Too large, and one of them by itself.
    big = here / "big.ndjson"
    big.write_text("".join(json.dumps(r) + "\n" for r in rows[:500]) + json.dumps({"id": "huge", "text": "x" * 200_000}) + "\n")
    node = Node()
    node.trouble = lambda n, documents: 413 if sum(len(text) for _, text in documents) > 20_000 else None
    done = run(big, "--to", node.url, "--json")
    said = json.loads(done.stdout)
    expect("too large", (done.returncode, said["stored"], said["rejected"]), (0, 500, 1))
    dead = [json.loads(line) for line in (here / "vigie-rejected.ndjson").read_text().splitlines()]
    expect("what is too large", [(d["status"], d["record"], d["document"]["id"], d["reason"]) for d in dead],
           [(413, 501, "huge", "it alone is too large for a request")])
    expect("it is told", "big.ndjson:501: rejected: \"it alone is too large for a request\"" in done.stderr, True)

    # Documents that are wrong, and a line that is none.
    mixed = here / "mixed.ndjson"
    mixed.write_text("".join(json.dumps(r) + "\n" for r in rows[:100]) + "no json\n" + '{"id":"bad","score":"high"}\n{"id":"last"}\n')
    node = Node()
    node.fate = lambda n, text: {"status": 400, "error": {"type": "mapper_parsing_exception", "reason": "failed to parse field [score]"}} if "high" in text else None
    done = run(mixed, "--to", node.url, "--json", "--rejected", "dead.ndjson")
    said = json.loads(done.stdout)
    expect("wrong ones", (done.returncode, said["stored"], said["rejected"], said["unreadable"], said["rejected_file"]), (0, 101, 1, 1, "dead.ndjson"))
    expect("where", (f"{mixed}:101: " in done.stderr, "mixed.ndjson:102: rejected: mapper_parsing_exception" in done.stderr), (True, True))
    expect("how many in the end", done.stderr.splitlines()[-1], "2 of 103 records are not there: 1 could not be read, 1 was rejected, with the reasons in dead.ndjson")
    dead = json.loads((here / "dead.ndjson").read_text())
    expect("the reason and the document", (dead["file"], dead["record"], dead["status"], dead["type"], dead["document"]["score"]),
           (str(mixed), 102, 400, "mapper_parsing_exception", "high"))
    expect("without a time", {index for index, _ in node.stored if "undated" in index}, {"vigie-prediction-logs-undated"})
    (here / "none.ndjson").write_text('{"score":"high"}\n')
    expect("nothing was right", run("none.ndjson", "--to", node.url).returncode, 2)

    # Numbers that Python writes and no server takes are null; what is no member of the record itself says nothing of it.
    named = here / "names.ndjson"
    named.write_text('{"id":1,"timestamp":"2026-03-01T00:00:00Z","score":NaN,"of":[1,-Infinity],"vendor":"vigie"}\n'
                     '{"id":2,"timestamp":"2026-03-01T00:00:00Z","@timestamp":null,"note":"@timestamp"}\n{"id":3,"@timestamp":1772323200,"in":{"@timestamp":1}}\n')
    node = Node()
    done = run(named, "--to", node.url, "--model", "m")
    expect("all of them", (done.returncode, done.stderr, {index for index, _ in node.stored}), (0, "", {"vigie-prediction-m-2026.03"}))
    stamp, model = {"@timestamp": "2026-03-01T00:00:00Z"}, {"vigie": {"model": {"id": "m"}}}
    expect("as they are", sorted(node.documents(), key=lambda d: d["id"]), [
        {"id": 1, "timestamp": stamp["@timestamp"], "score": None, "of": [1, None], "vendor": "vigie"} | stamp | model,
        {"id": 2, "timestamp": stamp["@timestamp"], "note": "@timestamp"} | stamp | model, {"id": 3, "in": {"@timestamp": 1}} | stamp | model])

    # A file that is torn: what could be read is there, and so is what was wrong.
    torn = here / "torn.ndjson.gz"
    torn.write_bytes(gzip.compress(log.read_bytes())[:-40_000])
    node = Node()
    done = run(torn, "--to", node.url)
    expect("torn", (done.returncode, "torn.ndjson.gz" in done.stderr, len(node.stored) > 5_000, f"{len(node.stored):,} stored" in done.stdout), (2, True, True, True))

    # Something in a request makes all of it fail.
    node = Node()
    node.trouble = lambda n, documents: (400, {"error": {"type": "illegal_argument_exception", "reason": "malformed action"}, "status": 400}) \
        if any('"r77"' in text for _, text in documents) else None
    said = json.loads(run(log, "--to", node.url, "--json", "--rejected", "poison.ndjson").stdout)
    expect("bisected", (said["stored"], said["rejected"]), (19_999, 1))
    expect("to the one", json.loads((here / "poison.ndjson").read_text())["document"]["id"], "r77")

    # Nobody is let in: nothing is dropped.
    node = Node()
    node.trouble = lambda n, _: (401, "Unauthorized")
    done = run(log, "--to", node.url)
    expect("401", (done.returncode, "401: \"Unauthorized\"" in done.stderr, "the same command again stores the rest" in done.stderr), (3, True, True))
    expect("few requests", node.requests <= 2, True)
    node.trouble = lambda n, _: None
    expect("and then", run(log, "--to", node.url).returncode, 0)
    expect("all is there", ids(node), names)

    # An index is blocked for a while; and for ever.
    block = {"status": 429, "error": {"type": "cluster_block_exception", "reason": "index blocked by: flood-stage watermark"}}
    node = Node()
    until = time.monotonic() + 2
    node.fate = lambda n, _: block if time.monotonic() < until else None
    said = json.loads(run(big, "--to", node.url, "--json").stdout)
    expect("blocked", (said["stored"], said["sent_again"] > 0), (501, True))
    # An index that is blocked keeps no documents of others back, however many there are of it.
    half = here / "half.ndjson"
    half.write_text("".join(json.dumps({"id": f"{m}{i}", "timestamp": f"2026-0{m}-03T00:00:00Z"}) + "\n" for i in range(30_000) for m in (1, 2)))
    node.fate = lambda n, text: block if "2026-01" in text else None
    done = run(half, "--to", node.url, "--patience", "3s", "--model", "half")
    expect("one of two is blocked", (done.returncode, len([d for d in node.documents() if d["id"].startswith("2")]), "30,000 stored" in done.stdout),
           (3, 30_000, True))
    node.fate = lambda n, _: None
    expect("and then the other", (run(half, "--to", node.url, "--model", "half").returncode, len({d["id"] for d in node.documents() if "-03T00:00:00Z" in d.get("timestamp", "")}) >= 60_000), (0, True))
    node.fate = lambda n, _: block
    done = run(log, "--to", node.url, "--patience", "3s", "--index", "other")
    expect("for ever", (done.returncode, "nothing was taken for 3 s: 429: cluster_block_exception: index blocked by: flood-stage" in done.stderr), (3, True))

    # kill -9 on the way, again and again.
    node = Node()
    node.trouble = lambda n, _: time.sleep(0.02)
    kills = 0
    while kills < 8:
        process = subprocess.Popen([vigie, "ship", log, "--to", node.url], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)
        time.sleep(0.02 + 0.02 * kills)
        if process.poll() is None:
            process.kill()
        process.wait()
        kills += 1
    expect("after kills", run(log, "--to", node.url).returncode, 0)
    expect("each is there once", ids(node), names)

    # Ctrl-C says how to go on.
    node = Node()
    under_way = threading.Event()
    node.trouble = lambda n, _: under_way.set() or time.sleep(1)
    process = subprocess.Popen([vigie, "ship", log, "--to", node.url], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder)
    under_way.wait(30)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    expect("Ctrl-C", (process.returncode, "ended: the same command again stores the rest, and nothing twice" in err), (130, True))
    expect("what was under way is known", int(out.split(": ")[1].split(" stored")[0].replace(",", "")), len(node.stored))

    # Several nodes, one of which is not there.
    node, other = Node(), Node()
    other.stored = node.stored
    gone = f"http://localhost:{free_port()}"
    said = json.loads(run(log, "--to", gone, "--to", node.url, "--to", other.url, "--json").stdout)
    expect("nodes", (said["stored"] + said["there"], ids(node)), (20_000, names))
    expect("both were asked", node.requests > 0 and other.requests > 0, True)
    done = run(log, "--to", gone)
    expect("nobody is there", (done.returncode, gone.replace("http://", "") in done.stderr), (3, True))

    # Who asks, and who answers.
    import os
    node = Node()
    run(big, "--to", node.url, "--api-key", "${KEY}", env=os.environ | {"KEY": "id:secret"})
    expect("an API key", {h.get("Authorization") for h in node.headers}, {"ApiKey aWQ6c2VjcmV0"})
    node = Node()
    run(big, "--to", node.url, "--user", "ann", env=os.environ | {"VIGIE_ELASTIC_PASSWORD": "secret"})
    expect("a password", {h.get("Authorization") for h in node.headers}, {"Basic YW5uOnNlY3JldA=="})
    node = Node({"number": "2.19.1", "distribution": "opensearch"})
    run(big, "--to", node.url, "--aws", "eu-west-1", env=os.environ | {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t"})
    expect("signed for AWS", all("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/" in h.get("Authorization", "") and "/eu-west-1/es/aws4_request" in h["Authorization"]
                                 for h in node.headers), True)
    run(log, "--to", node.url, "--aws", "eu-west-1", "--gzip", "0", env=os.environ | {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "s"})
    expect("more than a million bytes at once", max(len(asked[3]) for asked in node.asked) > 1_000_000, True)
    expect("as AWS reads it", [asked[:2] for asked in node.asked if not signed(asked, "s")], [])
    expect("all of them", {asked[1].split("?")[0] for asked in node.asked} >= {"/", "/_bulk", "/_component_template/vigie%40mappings"}, True)
    node = Node({"number": "2.19.1", "distribution": "opensearch"})
    run(log, "--to", node.url, "--aws", "eu-west-1/aoss", env=os.environ | {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t"})
    expect("serverless, packed", ([asked[:2] for asked in node.asked if not signed(asked, "s")], {h["Authorization"].split("/")[3] for h in node.headers}), ([], {"aoss"}))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-keyout", here / "k.pem",
                    "-out", here / "c.pem", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(here / "c.pem", here / "k.pem")
    node = Node(tls=context)
    pin = hashlib.sha256(ssl.PEM_cert_to_DER_cert((here / "c.pem").read_text())).hexdigest()
    expect("an unknown certificate", run(big, "--to", node.url).returncode, 3)
    expect("its fingerprint", run(big, "--to", node.url, "--ca-fingerprint", ":".join(pin[i:i + 2].upper() for i in range(0, 64, 2))).returncode, 0)
    wrong = run(big, "--to", node.url, "--ca-fingerprint", ("1" if pin[0] == "0" else "0") + pin[1:])
    expect("another one's", (wrong.returncode, "certificate" in wrong.stderr), (3, True))
    expect("another host's", run(big, "--to", node.url.replace("localhost", "127.0.0.1"), "--ca-fingerprint", pin).returncode, 3)
    expect("its certificate", run(big, "--to", node.url, "--ca", here / "c.pem").returncode, 0)

    # What cannot be set up.
    node = Node()
    node.answer = lambda n, what: (403, {"error": {"type": "security_exception", "reason": "no rights"}}) if what[0] == "PUT" else None
    done = run(big, "--to", node.url)
    expect("no rights to set up", (done.returncode, "could not be set up: 403: security_exception: no rights; documents go all the same" in done.stderr,
                                    len(node.stored)), (0, True, 501))
    node = Node({"number": "7.10.2"})
    node.answer = lambda n, what: (400, {"error": "unknown field [data_stream]"}) if "_index_template" in what[1] else None
    done = run(big, "--to", node.url, "--data-stream", "logs-vigie.prediction-default")
    expect("no data streams", (done.returncode, "could not be set up: 400: unknown field [data_stream]" in done.stderr, node.requests), (2, True, 0))
    node = Node()
    run(big, "--to", node.url, "--no-setup")
    expect("nothing to set up", node.paths, [])
    node = Node({"number": "2.19.1", "distribution": "opensearch"})
    node.answer = lambda n, what: (400, {"error": "no handler found for uri [/_plugins/_ism]"}) if "_ism" in what[1] else None
    done = run(big, "--to", node.url, "--keep", "30d")
    expect("no lifecycle", (done.returncode, "the policy vigie-prediction-logs could not be set up: 400: no handler found" in done.stderr), (0, True))
    # A template that speaks of a lifecycle is refused where there is none: it goes without.
    for version, refusal, stream in (({"number": "7.10.2"}, (400, {"error": "no handler found for uri [/_ilm/policy]"}), False), ({"number": "7.10.2"}, (405, "Method"), True),
                                     ({"number": "8.11.0", "build_flavor": "serverless"}, (410, {"error": {"type": "api_not_available_exception", "reason": "not here"}}), False)):
        lacking = Node(version)
        lacking.answer = lambda n, what: refusal if "_ilm" in what[1] else (
            (400, {"error": "unknown setting [index.lifecycle.name]"}) if what[0] == "PUT" and b'"lifecycle"' in what[2] else None)
        done = run(big, "--to", lacking.url, "--keep", "30d", *(("--data-stream", "logs-vigie.x-default", "--timestamp", "timestamp") if stream else ()))
        expect(f"no lifecycle of {version}", (done.returncode, done.stderr.count("could not be set up"), "the lifecycle vigie-" in done.stderr, [path.split("/")[1] for path, _ in lacking.paths][-1:]),
               (0, 1, True, ["_index_template"]))
    # Another time takes the place of the one before; what people altered in it stays as long as that is the same.
    node = Node({"number": "2.19.1", "distribution": "opensearch"})
    policies, moved = {}, []

    def ism(n, what):
        method, path, body = what
        path, _, query = path.partition("?")
        if not path.startswith("/_plugins/_ism/policies/"):
            return None
        name = path.split("/")[-1]
        if method == "GET":
            return (200, {"_id": name, "_seq_no": policies[name][0], "_primary_term": 1, **policies[name][1]}) if name in policies else (404, {"error": {"type": "status_exception", "reason": "Policy not found"}})
        patterns = [p for other, (_, kept) in policies.items() if other != name for t in kept["policy"]["ism_template"] for p in t["index_patterns"]]
        if set(patterns) & {p for t in json.loads(body)["policy"]["ism_template"] for p in t["index_patterns"]}:
            return 400, {"error": {"type": "illegal_argument_exception", "reason": "New policy has an ISM template with index pattern matching existing policy templates"}}
        if name in policies and query != f"if_seq_no={policies[name][0]}&if_primary_term=1":
            return 409, {"error": {"type": "version_conflict_engine_exception", "reason": "document already exists"}}
        policies[name] = policies.get(name, (6,))[0] + 1, json.loads(body)
        return 201, {"_id": name}
    node.answer = ism
    node.post = lambda n, path, body: moved.append((path, json.loads(body))) or (200, {"updated_indices": 1})
    ages = []
    for keep in "30d", "30d", "90d":
        done = run(log, "--to", node.url, "--keep", keep, "--model", "m")
        expect(f"--keep {keep}", (done.returncode, done.stderr), (0, ""))
        ages.append([p["policy"]["states"][0]["transitions"][0]["conditions"]["min_index_age"] for _, p in policies.values()])
        if keep == "30d":
            for _, kept in policies.values():
                kept["policy"]["states"][0]["actions"] = ["mine"]
    expect("one policy, of the last", ages, [["61d"], ["61d"], ["121d"]])
    expect("once for what is there", moved, [("/_plugins/_ism/change_policy/vigie-prediction-m-*", {"policy_id": "vigie-prediction-m"})])
    # A data stream that is there hears of it too.
    for there in 404, 200:
        node = Node()
        node.answer = lambda n, what: (there, {"acknowledged": True} if there == 200 else {"error": {"type": "index_not_found_exception", "reason": "no such index"}}) if what[1].startswith("/_data_stream/") else None
        done = run(log, "--to", node.url, "--keep", "90d", "--data-stream", "logs-vigie.x-default", "--id", "id")
        expect(f"a data stream: {there}", (done.returncode, done.stderr, node.paths[-1]), (0, "", ("/_data_stream/logs-vigie.x-default/_lifecycle", {"data_retention": "90d"})))
    node = Node()
    node.answer = lambda n, what: (200, "<html>") if what[1] == "/" else None
    expect("something else answers", "is neither Elasticsearch nor OpenSearch" in run(big, "--to", node.url).stderr, True)

    # What is asked for wrongly is said in one line, before anybody is asked.
    empty = here / "empty.ndjson"
    empty.write_text("")
    for args, line in (
            ((log, "--to", "localhost:9200"), '--to: expected an address as https://host:9200, got "localhost:9200"'),
            ((log, "--to", "http://ann:pw@es:9200"), "--to: a password in an address is seen by others: --user and --password"),
            ((log, "--to", gone, "--password", "secret", "--user", "a"), "--password: a secret itself does not belong here: ${NAME} or file:PATH; without it VIGIE_ELASTIC_PASSWORD is taken"),
            ((log, "--to", gone, "--user", "a"), "--user: needs --password, or VIGIE_ELASTIC_PASSWORD"),
            ((log, "--to", gone, "--by", "moth"), '--by: unknown kind "moth"; did you mean "month"?'),
            ((log, "--to", gone, "--by", "week"), '--by: unknown kind "week" (month, day, none)'),
            ((log, "--to", gone, "--index", "Logs"), '--index: "Logs" cannot be a name there: lower case'),
            ((log, "--to", gone, "--index", "a", "--data-stream", "b"), "--index and --data-stream exclude each other"),
            ((log, "--to", gone, "--keep", "soon"), '--keep: expected a time, as 30s, 15m, 2h or 7d, got "soon"'),
            ((log, "--to", gone, "--keep", "7d", "--by", "none"), "--keep: goes index by index: --by month, --by day or --data-stream"),
            ((log, "--to", gone, "--ca-fingerprint", "12"), '--ca-fingerprint: expected the SHA-256 of a certificate, 64 digits of 0-9 a-f, got "12"'),
            ((empty, "--to", gone), f"{empty}: the file is empty"),
            ((log, empty, "--to", gone), f"{empty}: the file is empty"),
            ((log, "--to", gone, "--id", "ids"), f'--id: unknown column "ids" in {log}; did you mean "id"?'),
            ((log, "--to", gone, "--id", "features.agee"), f'--id: unknown column "features.agee" in {log}; did you mean "features.age"?'),
            ((log, "--to", gone, "--timestamp", "event_time"), f'--timestamp: unknown column "event_time" in {log}'),
            ((log, "--to", gone, "--timestamp", "features.country"), f'--timestamp: column "features.country" of {log} is no time (ISO 8601 or epoch numbers)'),
            ((log, "--to", gone, "--id", "ids", "--dry-run"), f'--id: unknown column "ids" in {log}; did you mean "id"?'),
            ((table, "--to", gone, "--id", "requst"), f'--id: unknown column "requst" in {table}; did you mean "request"?'),
            ((table, "--to", gone, "--timestamp", "note"), f'--timestamp: column "note" of {table} is no time (ISO 8601 or epoch numbers)'),
            ((table, log, "--to", gone, "--id", "request", "--timestamp", "when"), f'--timestamp: unknown column "when" in {log}'),
            ((log, table, "--to", gone, "--id", "id"), f'--id: unknown column "id" in {table}'),
            (("a/x.ndjson", log, "--to", gone, "--id", "id"), '--id: unknown column "id" in a/x.ndjson'),
            (("elastic(to=http://a, index=b)", "--to", gone), "elastic(…): only vigie profile and vigie compare take rows in a cluster, a file is needed here"),
            (("nothing.csv", "--to", gone), "nothing.csv: cannot open: No such file or directory"),
            ((log, "--to", gone, "--aws", "eu-west-1"), "--aws: needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment")):
        done = run(*args)
        expect(line, (done.returncode, done.stderr.splitlines()[:1]), (2, [line]))

    # Standard input is looked at before anything is sent, of other files too.
    for text, option, line in (('{"key":1}\n', "--id", '--id: unknown column "ke" in -; did you mean "key"?'), ("key,v\n1,2\n", "--timestamp", '--timestamp: unknown column "ke" in -; did you mean "key"?')):
        node = Node()
        done = run("-", "--to", node.url, option, "ke", text=text)
        expect(line, (done.returncode, done.stderr, node.paths, node.stored), (2, line + "\n", [], {}))
    node = Node()
    done = run(log, "-", "--to", node.url, "--id", "id", text="key,v\n1,2\n")
    expect("of standard input alone", (done.returncode, done.stderr, node.stored), (2, '--id: unknown column "id" in -\n', {}))

    # Of NDJSON the first file decides, and of others it is said; what has no key is known by where it stands.
    other = here / "other.ndjson"
    other.write_text('{"key":1}\n{"key":2}\n')
    (here / "torn.ndjson").write_text("{\n")
    node = Node()
    done = run("torn.ndjson", log, "other.ndjson", "--to", node.url, "--id", "id", "--timestamp", "timestamp", "--json")
    expect("a later file without the columns", (done.returncode, json.loads(done.stdout)["stored"], done.stderr.splitlines()[:2]), (0, 20_002, [
        'other.ndjson: no "id" in its first 2 records: what has none is known by where it stands',
        'other.ndjson: no "timestamp" in its first 2 records, and Kibana\'s time filter does not show what has no time']))
    for i in range(9):
        (here / f"other{i}.ndjson").write_text('{"timestamp":"2026-03-01"}\n')
    done = run(log, *(f"other{i}.ndjson" for i in range(9)), "--to", node.url, "--id", "id")
    expect("many of them", (done.returncode, len(done.stderr.splitlines()), done.stderr.splitlines()[-2:]), (0, 7, [
        'other5.ndjson: no "id" in its first record: what has none is known by where it stands', "and 3 remarks more of other files"]))
    done = run("torn.ndjson", "--to", node.url, "--id", "id")
    expect("no record at all", (done.returncode, "torn.ndjson:1: " in done.stderr, "unknown column" in done.stderr), (2, True, False))
    late = here / "late.ndjson"
    late.write_text('{"v":1,"id":null}\n' + "".join('{"v":1,"text":"%s"}\n' % ("x" * 1000) for _ in range(3000)) + '{"id":"r0","timestamp":"2026-02-20"}\n')
    done = run(late, "--to", node.url, "--id", "id")
    expect("a column that is empty at first", (done.returncode, "3,001 stored, 1 there already" in done.stdout), (0, True))

    # Without a time: said before anything is sent.
    (here / "untimed.csv").write_text("id,event_time\n1,2026-03-01\n")
    (here / "words.csv").write_text("id,timestamp\n1,soon\n")
    for file, line in (("a/x.ndjson", 'no "@timestamp" or "timestamp" in its first 2 records'), ("untimed.csv", 'no column "@timestamp" or "timestamp"'), ("words.csv", "no time that can be read")):
        done = run(file, "--to", gone)
        expect(line, (done.returncode, done.stderr.splitlines()[0]), (3, f"{file}: {line}, and Kibana's time filter does not show what has no time: --timestamp COL"))
    expect("and a data stream takes none", run("untimed.csv", "--to", gone, "--data-stream", "logs-vigie.x-default").stderr,
           "untimed.csv: no record has a time, which a data stream needs: --timestamp COL\n")

    # Options of reading that are of no use.
    (here / "types.yaml").write_text("columns: {requests: category, age: float}\n")
    done = run(table, "--to", Node().url, "--timestamp", "when", "--schema", "types.yaml")
    expect("--schema of a column that is not there", (done.returncode, done.stderr.splitlines()[0]), (0, f'--schema: unknown column "requests" in {table}; did you mean "request"?'))
    done = run(log, "--to", Node().url, "--schema", "types.yaml", "--decimal", ",")
    expect("--schema of NDJSON", (done.returncode, done.stderr.splitlines()), (0, [f"--decimal: has no effect on {log}, which is NDJSON", f"--schema: has no effect on {log}, which is NDJSON"]))
    done = run(log, "--to", gone, "--dry-run")
    expect("--dry-run", (done.returncode, done.stdout.count("POST /_bulk"), done.stdout.count('"create"')), (0, 1, 2))
sys.exit(checks.end())
