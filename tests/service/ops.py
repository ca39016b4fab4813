#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `vigie serve` says of requests, of the machine and of what a model depends on: with real processes, over a kill.

usage: ops.py VIGIE     the last line says what was found. With Debian's node exporter, where scripts/peers found it.
"""
import datetime
import http.server
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading

from service import Checks, Service, free_port

HOURS = 72
NOW = datetime.datetime.now(datetime.timezone.utc)
START = NOW.replace(minute=0, second=0, microsecond=0) - datetime.timedelta(hours=HOURS)
rng = random.Random(1)
checks = Checks()
expect, until = checks.expect, checks.until


def iso(hours):
    return (START + datetime.timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


def hour(number, rows=60, slower=1, failed=0):
    """Requests of an hour, one a minute, of which the first `failed` ended with 500."""
    return "\n".join(json.dumps({
        "id": f"{number}-{i}", "timestamp": (START + datetime.timedelta(hours=number, seconds=i * 3600 / rows)).isoformat(),
        "features": {"x": rng.gauss(0, 1)}, "prediction": "yes", "score": rng.random(),
        "latency_ms": round(slower * rng.lognormvariate(3, 0.5), 3), "status": 500 if i < failed else 200}) for i in range(rows)).encode()


class Store(http.server.BaseHTTPRequestHandler):
    """What the model depends on: well, until it is told otherwise."""
    status = 200

    def do_GET(self):
        self.send_response(Store.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def node_exporter():
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    program = cache / "vigie" / "peers" / "prometheus-node-exporter"
    if not program.exists():
        return None, None
    port = free_port()
    process = subprocess.Popen([program, f"--web.listen-address=127.0.0.1:{port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return process, f"http://127.0.0.1:{port}/metrics"


def main():
    vigie = sys.argv[1]
    upstream = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Store)
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    exporter, metrics = node_exporter()
    burner = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    more = ["--sample", "host(every=1)", "--sample", f"process(pid={burner.pid}, every=1, as=process/burner)", "--sample", "gpu(every=1)",
            "--price", "cpu=0.04/h"]
    if exporter:
        more += ["--sample", f"prometheus(url={metrics}, series=\"node_load1 node_cpu_seconds_total{{mode=user}}\", every=1, "
                 "cpu=node_cpu_seconds_total{mode=user}, as=exporter)"]
    with tempfile.TemporaryDirectory() as folder:
        data = str(pathlib.Path(folder) / "data")
        for wrong_spec, said in [("hots", '--sample: unknown source "hots"; did you mean "host"?'),
                                 ("process(name=)", "--sample: process: expected one of name, command and pid")]:
            done = subprocess.run([vigie, "serve", "--data", data, "--listen", "127.0.0.1:0", "--sample", wrong_spec], capture_output=True, text=True)
            expect(wrong_spec, (done.returncode, said in done.stderr or done.stderr), (2, True))
        service = Service(vigie, data, more=more)
        model = "/v1/models/credit"

        def get(path):
            return service.ask("GET", path)[1]

        config = {"owner": "ana", "runs_on": ["process/burner"],
                  "depends_on": [{"name": "feature-store", "probe": f"http://127.0.0.1:{upstream.server_port}/health"}]}
        status, said = service.ask("PUT", model, json.dumps(config))
        expect("PUT", (status, said.get("config")), (200, config))
        for depends, error in [({"name": "a"}, "depends_on[0]: expected one of probe and prometheus, an address each"),
                               ({"name": "a", "prob": "x"}, 'depends_on[0]: unknown key "prob"; did you mean "probe"?'),
                               ({"name": "a", "probe": "file:/etc/passwd"},
                                "depends_on[0]: probe.url: expected an address that begins with https:// or http://"),
                               ({"name": "a", "prometheus": "http://x", "series": "up"}, "depends_on[0]: prometheus wants series, and max_age, min or max")]:
            status, said = service.ask("PUT", "/v1/models/other", json.dumps({"depends_on": [depends]}))
            expect(f"PUT {depends}", (status, said.get("error")), (400, error))

        # A model that has no reference: three days of healthy hours, by minutes, and in steps.
        for h in range(HOURS):
            service.ask("POST", model + "/predictions", hour(h))
        service.counted("credit", HOURS * 60)
        series = until("all minutes", lambda: get(model + f"/ops?from={iso(0)}&step=1h"), lambda s: sum(w["requests"] for w in s) == HOURS * 60)
        expect("hours", (len(series), series[0]["start"], series[0]["end"]), (HOURS, iso(0), iso(1)))
        expect("an hour", (series[0]["errors"], series[0]["client_errors"], series[0]["error_rate"], series[0]["latency_ms"]["n"]), (0, 0, 0, 60))
        latency = series[0]["latency_ms"]
        expect("latency", 10 < latency["p50"] < 35 and latency["p50"] < latency["p95"] <= latency["p99"] <= latency["max"], True)
        expect("bytes", 100 < series[0]["payload_bytes"]["mean"] < 400, True)
        expect("minutes", len(get(model + f"/ops?from={iso(5)}&to={iso(6)}")), 60)
        expect("a step that is none", service.ask("GET", model + "/ops?step=90s")[0], 400)
        expect("a parameter that is none", service.ask("GET", model + "/ops?form=1"),
               (400, {"error": 'unknown parameter "form"; did you mean "from"?', "where": "query"}))
        expect("no such model", service.ask("GET", "/v1/models/credti/ops")[0], 404)
        expect("nothing is wrong", get("/v1/incidents"), [])

        # Windows of one that has a reference say the same.
        watched = "/v1/models/watched"
        service.ask("PUT", watched, json.dumps({"window": "hour", "runs_on": ["process/burner"]}))
        status, said = service.ask("POST", watched + "/reference", b"\n".join(hour(h) for h in range(-30, -10)))
        expect("reference", (status, said.get("windows")), (202, 20))
        for h in range(3):
            service.ask("POST", watched + "/predictions", hour(h, failed=h))
        windows = until("windows", lambda: get(watched + "/windows"), lambda w: len(w) >= 2)
        expect("ops of windows", [(w["ops"]["requests"], w["ops"]["errors"], w["ops"]["latency_ms"]["n"]) for w in windows[:2]], [(60, 0, 60), (60, 1, 60)])
        hours = until("their hours", lambda: get(watched + f"/ops?from={iso(0)}&to={iso(2)}&step=1h"),
                      lambda h: [w["requests"] for w in h] == [60, 60])
        expect("the same of the series", [w["ops"] for w in windows[:2]], [{k: v for k, v in w.items() if k not in ("start", "end")} for w in hours])

        # The feature store fails; so do requests, and they take longer.
        Store.status = 503
        down = until("a failed probe", lambda: get("/v1/ops?source=dependency/credit/feature-store"), lambda s: bool(s) and s[-1].get("up", {}).get("min") == 0)
        expect("probe", "status" in down[-1], True)
        service.ask("POST", model + "/predictions", hour(HOURS, failed=12, slower=4))
        service.ask("POST", model + "/predictions", hour(HOURS + 1, rows=2))
        opened = until("an incident", lambda: get("/v1/incidents"), bool)
        expect("causes", [(c["what"], c["severity"]) for c in opened[0]["causes"]], [("error_rate", "critical"), ("latency_p95", "warning")])
        expect("its time and severity", (opened[0]["since"], opened[0]["severity"], opened[0]["owner"]), (iso(HOURS), "critical", "ana"))
        expect("its reason", opened[0]["summary"].startswith("error_rate: 20 % of 60 requests failed; of those of 72 healthy hours before it was 0 %"), True)

        expect("what else went on", [re.sub(r"(\d{4}-\d\d-\d\d )?\d\d:\d\d", "TIME", line) for line in opened[0]["context"]],
               ["feature-store has failed its probe since TIME UTC: it answers 503"])
        now = datetime.datetime.now(datetime.timezone.utc).isoformat()
        live = "\n".join(json.dumps({"id": f"live-{i}", "timestamp": now, "latency_ms": 20, "status": "ok", "features": {"x": 1}}) for i in range(50))
        service.ask("POST", model + "/predictions", live)

        # A kill loses and repeats nothing.
        service.counted("credit", (HOURS + 1) * 60 + 52)
        service.end(signal.SIGKILL)
        service = Service(vigie, data, more=more)
        series = until("after a kill", lambda: get(model + f"/ops?from={iso(0)}&step=1h"), lambda s: sum(w["requests"] for w in s) == (HOURS + 1) * 60 + 52)
        expect("hours", [w["requests"] for w in series], [60] * HOURS + [110, 2])
        expect("errors of the last", series[HOURS]["errors"], 12)

        # The machine.
        until("samples", lambda: {s["source"] for s in get("/v1/ops") if "cpu_cores" in s["figures"]}, lambda s: {"host", "process/burner"} <= s, 20)
        sources = {s["source"]: s["figures"] for s in get("/v1/ops")}
        expect("sources", {"host", "process/burner", "dependency/credit/feature-store"} <= set(sources), True)
        expect("the host", 0 < sources["host"]["memory_share"] < 1, True)
        expect("a source that is none", service.ask("GET", "/v1/ops?source=hots"), (404, {"error": 'unknown source "hots"; did you mean "host"?', "where": "query"}))
        burnt = until("a busy process", lambda: get("/v1/ops?source=process/burner"), lambda s: any("cpu_cores" in w for w in s))
        expect("its figures", {"mean", "min", "max", "n"} <= set(burnt[-1].get("memory_used_bytes", {})), True)
        cost = until("a cost", lambda: get(model + "/ops?step=1h")[-2].get("cost"), bool)
        expect("what it cost", (cost["requests"] >= 51, cost["cpu_seconds"] > 0, cost["gpu_seconds"]), (True, True, None))
        expect("money", abs(cost["per_1000"]["money"] - cost["per_1000"]["cpu_seconds"] * 0.04 / 3600) < 1e-9, True)
        said = service.ask("GET", "/metrics", read=bytes)[1].decode()
        expect("/metrics", bool(re.search(r'^vigie_sample\{source="host",series="cpu_cores"\} [0-9.e-]+$', said, re.M)), True)
        if exporter:
            scraped = until("node exporter", lambda: {s["source"]: s["figures"] for s in get("/v1/ops")}.get("exporter", {}),
                            lambda f: "node_load1" in f and any(k.startswith("rate(node_cpu_seconds_total{") for k in f), 20)
            expect("its load", scraped.get("node_load1", -1) >= 0, True)
            spent = until("its cores", lambda: {s["source"]: s["figures"] for s in get("/v1/ops")}.get("exporter", {}).get("cpu_cores", 0),
                          lambda cores: cores > 0, 20)
            expect("as many as there are", spent <= os.cpu_count() * 1.5, True)
        page = service.ask("GET", "/", read=bytes)[1].decode()
        expect("page", ("id=\"machine\"" in page, page.count("class=\"spark\"") > 8, "p95" in page), (True, True, True))
        expect("graceful end", service.end(signal.SIGTERM), 0)
    for process in filter(None, [exporter, burner]):
        process.kill()
        process.wait()
    if not exporter:
        print("without node exporter; scripts/peers prepares it")
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
