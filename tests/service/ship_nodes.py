#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`vigie ship` into real nodes of OpenSearch and Elasticsearch: documents are records, whatever happens on the way.

usage: ship_nodes.py VIGIE [VERSION…]     nodes: of scripts/peers; exit status 77 where none is to be had
"""
import concurrent.futures
import datetime
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import time

from search_nodes import Search, versions
from service import Checks, Service

vigie = str(pathlib.Path(sys.argv[1]).resolve())
rng = random.Random(1)
checks = Checks()
expect, until = checks.expect, checks.until
START = datetime.datetime(2026, 2, 25, tzinfo=datetime.timezone.utc)


def records(prefix, count):
    return "".join(json.dumps({
        "id": f"{prefix}{i}", "timestamp": (START + datetime.timedelta(seconds=20 * i)).isoformat(),
        "features": {"age": rng.randrange(18, 90), "country": rng.choice(["FR", "DE"])}, "score": round(rng.random(), 4) if i else 1}) + "\n"
        for i in range(count))


def tried(version, folder):
    here = pathlib.Path(folder)
    node = Search(version, str(here / "node"))

    def ship(file, *args, to=node.url):
        done = subprocess.run([vigie, "ship", str(file), "--to", to, "--json", *args], capture_output=True, text=True, cwd=folder)
        return done.returncode, json.loads(done.stdout) if done.stdout.startswith("{") else {}, done.stderr

    def named(what):
        return f"{version}: {what}"
    log = here / "log.ndjson"
    log.write_text(records("r", 20_000))

    # Each record once, in the index of its month, with the mapping that was set up.
    status, said, err = ship(log, "--model", "credit", "--id", "id")
    expect(named("ships"), (status, said.get("stored"), err), (0, 20_000, ""))
    expect(named("the cluster"), said.get("cluster"), version.replace("opensearch-", "OpenSearch ").replace("elasticsearch-", "Elasticsearch "))
    mine = "vigie-prediction-credit-*"
    expect(named("documents"), (node.count(mine), node.distinct(mine)), (20_000, 20_000))
    mapping = node.ask("GET", "/vigie-prediction-credit-2026.02/_mapping")[1]["vigie-prediction-credit-2026.02"]["mappings"]["properties"]
    expect(named("mapping"), [mapping["score"]["type"], mapping["features"]["properties"]["age"]["type"], mapping["features"]["properties"]["country"]["type"],
                              mapping["@timestamp"]["type"], mapping["vigie"]["properties"]["model"]["properties"]["id"]["type"]],
           ["double", "double", "keyword", "date", "keyword"])
    march = node.ask("POST", f"/{mine}/_search", {"query": {"range": {"@timestamp": {"gte": "2026-03-01"}}}, "track_total_hits": True, "size": 0})[1]
    expect(named("by time"), march["hits"]["total"]["value"], node.count("vigie-prediction-credit-2026.03"))
    # Objects in images: categories are numbers and names, masks are run lengths and polygons.
    boxes = here / "boxes.ndjson"
    box = {"bbox": [1, 2, 3.5, 4], "score": 0.5}
    boxes.write_text("".join(json.dumps({"id": f"i{i}", "timestamp": START.isoformat(), "boxes": more}) + "\n" for i, more in enumerate([
        [box | {"category": 3}], [box | {"category": "car"}], [box | {"category": 1, "segmentation": [[0, 0, 5, 0, 5, 5]]}],
        [box | {"category": 1, "segmentation": {"size": [2, 2], "counts": "04"}}], []])))
    status, said, err = ship(boxes, "--model", "street", "--id", "id")
    expect(named("boxes"), (status, said.get("stored"), node.count("vigie-prediction-street-*"), err), (0, 5, 5, ""))
    status, said, err = ship(log, "--model", "credit", "--id", "id")
    expect(named("again"), (said.get("stored"), said.get("there"), node.count(mine)), (0, 20_000, 20_000))
    node.ask("PUT", "/_component_template/vigie@custom", {"template": {"settings": {"index": {"refresh_interval": "7s"}}}})
    ship(log, "--model", "mine", "--id", "id")
    expect(named("what people added"), node.ask("GET", "/vigie-prediction-mine-2026.02/_settings")[1]["vigie-prediction-mine-2026.02"]["settings"]["index"].get("refresh_interval"), "7s")

    # Where no lifecycle is to be had the mapping is there all the same; seconds are no milliseconds, and NaN is no number.
    expect(named("times that are texts"), mapping["timestamp"]["type"], "date")
    kept = here / "kept.ndjson"
    kept.write_text('{"id":"a","timestamp":1772323200,"score":1,"note":"vigie"}\n{"id":"b","@timestamp":null,"timestamp":1772323201,"score":NaN}\n'
                    '{"id":"c","@timestamp":1772323202,"of":[1,Infinity]}\n')
    status, said, err = ship(kept, "--model", "kept", "--id", "id", "--keep", "30d")
    expect(named("--keep"), (status, said.get("stored"), err.count("could not be set up")), (0, 3, 1))
    mapping = node.ask("GET", "/vigie-prediction-kept-2026.03/_mapping")[1]["vigie-prediction-kept-2026.03"]["mappings"]["properties"]
    expect(named("its mapping"), [mapping[field]["type"] for field in ("score", "timestamp", "@timestamp", "note")], ["double", "double", "date", "keyword"])
    expect(named("all of them"), node.count("vigie-prediction-kept-*"), 3)
    march = node.ask("POST", "/vigie-prediction-kept-*/_search", {"query": {"range": {"@timestamp": {"gte": "2026-03-01", "lte": "2026-03-02"}}}, "track_total_hits": True, "size": 0})[1]
    expect(named("its times"), march["hits"]["total"]["value"], 3)

    # What the mapping refuses.
    mixed = here / "mixed.ndjson"
    mixed.write_text(records("m", 50) + '{"id":"bad","timestamp":"2026-02-25","features":"none"}\n' + '{"id":"odd","timestamp":"2026-02-25","score":"high"}\n')
    status, said, err = ship(mixed, "--model", "credit", "--id", "id", "--rejected", f"{version}.ndjson")
    expect(named("wrong documents"), (status, said.get("stored"), said.get("rejected")), (0, 51, 1))
    dead = json.loads((here / f"{version}.ndjson").read_text())
    expect(named("the reason"), (dead["status"], dead["type"], dead["document"]["id"]), (400, "mapper_parsing_exception", "bad"))

    # kill -9 of the one and of the other.
    many = here / "many.ndjson"
    many.write_text(records("k", 60_000))
    for turn in range(3):
        process = subprocess.Popen([vigie, "ship", str(many), "--to", node.url, "--index", "killed", "--id", "id"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.2 + 0.4 * turn)
        process.kill()
        process.wait()
    status, said, err = ship(many, "--index", "killed", "--id", "id")
    expect(named("after kills of vigie"), (status, node.count("killed-*"), node.distinct("killed-*")), (0, 60_000, 60_000))
    with concurrent.futures.ThreadPoolExecutor() as pool:
        shipping = pool.submit(ship, many, "--index", "survived", "--id", "id")
        time.sleep(0.7)
        node.kill()
        time.sleep(1)
        node.start()
        status, said, err = shipping.result()
    expect(named("after a kill of the node"), (status, said.get("stored", 0) + said.get("there", 0), node.count("survived-*")), (0, 60_000, 60_000))

    # A block that goes away, and an index that has no shard for a while.
    mappings = {"properties": {"score": {"type": "double"}}}
    node.ask("PUT", "/blocked", {"mappings": mappings})
    node.ask("PUT", "/blocked/_settings", {"index.blocks.read_only_allow_delete": True})
    node.ask("PUT", "/red?wait_for_active_shards=0", {"mappings": mappings, "settings": {"index.routing.allocation.require.box": "none", "index.number_of_replicas": 0}})
    expect(named("is red"), node.ask("GET", "/_cluster/health/red")[1]["status"], "red")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        blocked = pool.submit(ship, log, "--index", "blocked", "--by", "none", "--id", "id")
        red = pool.submit(ship, log, "--index", "red", "--by", "none", "--id", "id")
        time.sleep(2)
        expect(named("nothing yet"), (node.count("blocked"), blocked.done(), red.done()), (0, False, False))
        node.ask("PUT", "/blocked/_settings", {"index.blocks.read_only_allow_delete": None})
        node.ask("PUT", "/red/_settings", {"index.routing.allocation.require.box": None})
        for name, shipping in ("blocked", blocked), ("red", red):
            status, said, err = shipping.result()
            expect(named(name), (status, said.get("stored", 0) + said.get("there", 0), node.count(name)), (0, 20_000, 20_000))
    node.ask("PUT", "/blocked/_settings", {"index.blocks.write": True})
    status, said, err = ship(mixed, "--index", "blocked", "--by", "none", "--id", "id", "--patience", "2s")
    expect(named("blocked for ever"), (status, "cluster_block_exception" in err, said.get("stored")), (3, True, 0))

    # An alias: into the index that it writes to, before a rollover and behind it; one that does not say where loses nothing.
    node.ask("PUT", "/alias-1", {"mappings": mappings, "aliases": {"alias": {"is_write_index": True}}})
    status, said, err = ship(log, "--index", "alias", "--by", "none", "--id", "id")
    expect(named("an alias"), (status, said.get("stored"), node.count("alias-1")), (0, 20_000, 20_000))
    expect(named("it rolls over"), node.ask("POST", "/alias/_rollover")[1].get("rolled_over"), True)
    status, said, err = ship(mixed, "--index", "alias", "--by", "none", "--id", "id")
    expect(named("and goes on"), (status, node.count("alias-1"), node.count("alias-000002")), (0, 20_000, said.get("stored")))
    for name in "two-1", "two-2":
        node.ask("PUT", f"/{name}", {"aliases": {"two": {}}})
    status, said, err = ship(mixed, "--index", "two", "--by", "none", "--id", "id", "--patience", "2s")
    expect(named("two of them"), (status, "no write index is defined for alias [two]" in err, said.get("rejected")), (3, True, 0))

    # A full disk: the node blocks the index by itself, and frees it by itself.
    def disk(*free):
        marks = {f"disk.watermark.{mark}": room for mark, room in zip(("low", "high", "flood_stage"), free or (None,) * 3)}
        node.ask("PUT", "/_cluster/settings", {"transient": {"cluster.info.update.interval": "10s", **{
            f"cluster.routing.allocation.{key}": value for key, value in {**marks, "disk.threshold_enabled": True if free else None}.items()}}})

    ship(mixed, "--index", "full", "--by", "none", "--id", "id")
    disk("900002gb", "900001gb", "900000gb")
    until(named("is full"), lambda: json.dumps(node.ask("GET", "/full/_settings/index.blocks.*")[1]), lambda got: "read_only_allow_delete" in got, 90)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        full = pool.submit(ship, log, "--index", "full", "--by", "none", "--id", "id", "--no-setup")
        time.sleep(2)
        expect(named("full: nothing yet"), (node.count("full"), full.done()), (51, False))
        disk("3mb", "2mb", "1mb")
        status, said, err = full.result()
        expect(named("full"), (status, said.get("stored"), said.get("rejected"), node.count("full")), (0, 20_000, 0, 20_051))
    disk()

    # A data stream, which rolls over.
    status, said, err = ship(log, "--data-stream", "logs-vigie.prediction-default", "--id", "id")
    if version.startswith("elasticsearch"):  # without the features that Elasticsearch licences otherwise
        expect(named("no data streams"), (status, node.ask("GET", "/logs-vigie.prediction-default")[0]), (2, 404))
    else:
        expect(named("a data stream"), (status, said.get("stored"), node.count("logs-vigie.prediction-default")), (0, 20_000, 20_000))
        expect(named("rolls over"), node.ask("POST", "/logs-vigie.prediction-default/_rollover")[1]["rolled_over"], True)
        status, said, err = ship(mixed, "--data-stream", "logs-vigie.prediction-default", "--id", "id")
        expect(named("goes on"), (said.get("stored", 0) + said.get("rejected", 0), node.count("logs-vigie.prediction-default")), (52, 20_000 + said.get("stored", 0)))
        rolled = "logs-vigie.rolled-default"
        with concurrent.futures.ThreadPoolExecutor() as pool:
            shipping = pool.submit(ship, many, "--data-stream", rolled, "--id", "id")
            until(named("is on its way"), lambda: node.ask("GET", f"/{rolled}/_stats/indexing")[1].get("_all", {}).get("total", {}).get("indexing", {}).get("index_total", 0),
                  lambda got: got > 0)
            expect(named("on the way"), (node.ask("POST", f"/{rolled}/_rollover")[1].get("rolled_over"), shipping.done()), (True, False))
            status, said, err = shipping.result()
        expect(named("rolled over on the way"), (status, said.get("stored"), node.count(rolled), node.distinct(rolled)), (0, 60_000, 60_000, 60_000))
        expect(named("into both"), all(node.count(index["index_name"]) > 0 for index in node.ask("GET", f"/_data_stream/{rolled}")[1]["data_streams"][0]["indices"]), True)

    # A service ships into one a model and kind.
    service = Service(vigie, str(here / "service"), more=["--ship", f"elastic(to={node.url}, index=live, by=stream)"], said=subprocess.DEVNULL)
    expect(named("taken"), service.ask("POST", "/v1/models/credit/predictions", records("s", 500).encode())[0], 202)
    if version.startswith("elasticsearch"):
        until(named("no data stream, and no index in its place"), lambda: service.ask("GET", "/v1/shipping")[1]["trouble"], lambda trouble: "template" in (trouble or ""))
        expect(named("nothing went astray"), node.ask("GET", "/live-prediction-credit")[0], 404)
    else:
        until(named("shipped"), lambda: node.count("live-prediction-credit"), lambda count: count == 500)
        expect(named("as a stream"), len(node.ask("GET", "/_data_stream/live-prediction-credit")[1]["data_streams"]), 1)
    service.end()
    node.kill()

    # A node that is busy all the time.
    node = Search(version, str(here / "busy"), "thread_pool.write.size=1", "thread_pool.write.queue_size=1")
    parts = []
    for part in range(4):
        parts.append(here / f"part{part}.ndjson")
        parts[-1].write_text(records(f"b{part}-", 4_000))
    with concurrent.futures.ThreadPoolExecutor() as pool:
        found = list(pool.map(lambda part: ship(part, "--index", "busy", "--id", "id", to=node.url), parts))
    expect(named("busy"), ([status for status, _, _ in found], sum(said.get("stored", 0) + said.get("there", 0) for _, said, _ in found)), ([0] * 4, 16_000))
    expect(named("each once"), node.count("busy-*"), 16_000)
    print(f"{version}: 16,000 documents were sent {sum(said.get('sent_again', 0) for _, said, _ in found):,} times in vain to a busy node", flush=True)
    node.kill()


for one in versions(sys.argv[2:]):
    with tempfile.TemporaryDirectory() as folder:
        tried(one, folder)
sys.exit(checks.end())
