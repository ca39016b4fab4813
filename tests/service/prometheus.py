#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""/metrics, and what `vigie setup prometheus` and `vigie setup grafana` write, as Debian's Prometheus and promtool take
them: scraped by TLS with a token, every rule and every panel asked.

scripts/peers prepares them; without them status 77: skipped.
usage: prometheus.py VIGIE      the last line says what was found
"""
import json
import os
import pathlib
import re
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

from service import Service, free_port

PEERS = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "vigie" / "peers"
PROMETHEUS, PROMTOOL = PEERS / "prometheus", PEERS / "promtool"
OPEN = "application/openmetrics-text; version=1.0.0"
PATIENCE = 60  # seconds for what takes a few
checks, wrong = 0, []


def expect(what, got, wanted=True):
    global checks
    checks += 1
    if got != wanted:
        wrong.append(f"{what}: {got!r}, expected {wanted!r}")


def run(*command, **more):
    return subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PATIENCE, **more)


def scraped(service, token, accept=""):
    request = urllib.request.Request(service.url + "/metrics", headers={"Authorization": f"Bearer {token}", "Accept": accept})
    with urllib.request.urlopen(request, context=service.tls, timeout=PATIENCE) as reply:
        return reply.headers["Content-Type"], reply.read().decode()


def samples(text):
    return sorted(re.sub(r" \S+$", "", line) for line in text.splitlines() if not line.startswith("#"))


def main():
    if not PROMETHEUS.exists() or not PROMTOOL.exists():
        print("skipped: no Prometheus; scripts/peers prepares it")
        return 77
    vigie = sys.argv[1]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        made, key = folder / "vigie.crt", folder / "vigie.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "10", "-subj", "/CN=vigie", "-addext",
                        "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", made], check=True, capture_output=True)
        tokens = {role: run(vigie, "config", "--token", role).stdout.split("\n") for role in ("read", "admin")}
        token = {role: lines[0].removeprefix("token: ") for role, lines in tokens.items()}
        hashes = {role: lines[1].split(": ")[1] for role, lines in tokens.items()}
        service = Service(vigie, str(folder / "data"), tls=ssl.create_default_context(cafile=str(made)),
                          more=["--certificate", str(made), "--key", str(key), "--notify", "log()", "--read-token", hashes["read"],
                                "--admin-token", hashes["admin"], "--ship", "elastic(to=http://127.0.0.1:9)"], said=subprocess.DEVNULL)
        process = None
        try:
            good = [{"id": f"g{i}", "features": {"a": (i * 7919 % 101) / 10}, "score": (i * 104729 % 97) / 100,
                     "label": int(i * 7 % 100 < i * 104729 % 97)} for i in range(3000)]
            odd = "a 'strange' name"
            for model in ("credit", odd):
                path = f"/v1/models/{urllib.parse.quote(model)}"
                service.ask("PUT", path, '{"window": 30, "positive": "1"}', token=token["admin"])
                expect("reference", service.ask("POST", path + "/reference", json.dumps(good), token=token["admin"])[0], 202)
            others = [{"id": f"o{i}", "features": {"a": 500 + i % 10}, "score": 0.999} for i in range(300)]
            service.ask("POST", "/v1/models/credit/predictions", json.dumps(others + others[:5] + [{}]), token=token["admin"])
            labels = [{"id": f"o{i}", "label": i % 3 % 2} for i in range(300)]
            service.ask("POST", "/v1/models/credit/labels", json.dumps(labels), token=token["admin"])
            service.ask("GET", "/nothing", token=token["read"])
            end = time.monotonic() + PATIENCE
            while not (service.ask("GET", "/v1/incidents", token=token["read"])[1] and
                       "\nvigie_model_performance{" in scraped(service, token["read"])[1] and
                       "\nvigie_journal_lag_records 0\n" in scraped(service, token["read"])[1]) and time.monotonic() < end:
                time.sleep(0.1)

            # Both formats say the same, and promtool has nothing against it.
            (kind, text), (open_kind, open_text) = scraped(service, token["read"]), scraped(service, token["read"], OPEN)
            expect("text", kind, "text/plain; version=0.0.4; charset=utf-8")
            expect("OpenMetrics", (open_kind, open_text.endswith("\n# EOF\n"), "# EOF" in text), (OPEN + "; charset=utf-8", True, False))
            expect("the same samples", samples(text), samples(open_text))
            done = run(PROMTOOL, "check", "metrics", input=text)
            expect(f"promtool check metrics: {done.stdout}", done.returncode, 0)
            value = lambda series: float(re.search(rf"^{re.escape(series)} (\S+)$", text, re.M)[1])
            for series, wanted in [('vigie_predictions_total{model="credit"}', 300), ('vigie_labels_total{model="credit"}', 300),
                                   ('vigie_drift_detected{model="credit",feature="a",test="omnibus"}', 1),
                                   ('vigie_feature_missing_ratio{model="credit",feature="a"}', 0),
                                   ('vigie_ingest_records_total{kind="predictions",outcome="accepted"}', 300),
                                   ('vigie_ingest_records_total{kind="predictions",outcome="duplicate"}', 5),
                                   ('vigie_ingest_records_total{kind="predictions",outcome="rejected"}', 1),
                                   ('vigie_http_requests_total{class="5xx"}', 0), ("vigie_journal_lag_records", 0)]:
                expect(series, value(series), wanted)
            expect("how far it moved", value('vigie_drift_score{model="credit",feature="a",test="omnibus"}') > 1)
            expect("p-value", value('vigie_drift_pvalue{model="credit",feature="a",test="omnibus"}') < 0.01)
            expect("accuracy", 0 < value('vigie_model_performance{model="credit",metric="accuracy",part=""}') < 1)
            expect("4xx", value('vigie_http_requests_total{class="4xx"}') >= 1)
            expect("memory", 10e6 < value("process_resident_memory_bytes") < 10e9)

            # What setup writes is whole, and is not written over.
            (folder / "read.token").write_text(token["read"] + "\n")
            setup = [vigie, "setup", "prometheus", "-o", folder / "setup", "--url", service.url, "--token-file", folder / "read.token", "--ca", made]
            expect("setup prometheus", run(*setup).returncode, 0)
            expect("the same again", run(*setup).returncode, 0)
            config, rules = folder / "setup" / "vigie.prometheus.yml", folder / "setup" / "vigie.rules.yml"
            for what, file in (("config", config), ("rules", rules)):
                done = run(PROMTOOL, "check", what, "--lint-fatal", file)
                expect(f"promtool check {what}: {done.stdout}", done.returncode, 0)
            text_before = config.read_text()
            config.write_text(text_before + "# mine\n")
            expect("a file that is there", run(*setup).returncode, 2)
            expect("with --force", (run(*setup, "--force").returncode, config.read_text()), (0, text_before))
            expect("setup grafana", run(vigie, "setup", "grafana", "-o", folder / "setup").returncode, 0)
            board = json.loads((folder / "setup" / "vigie.dashboard.json").read_text())

            # A real Prometheus scrapes it, faster than the file says.
            config.write_text(config.read_text().replace("15s", "1s"))
            port = free_port()
            process = subprocess.Popen([PROMETHEUS, f"--config.file={config}", f"--storage.tsdb.path={folder / 'tsdb'}",
                                        f"--web.listen-address=127.0.0.1:{port}"], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

            def query(path, **parameters):
                url = f"http://127.0.0.1:{port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
                try:
                    with urllib.request.urlopen(url, timeout=PATIENCE) as reply:
                        return json.load(reply)["data"]
                except urllib.error.HTTPError as error:
                    return {"result": [], "error": error.read().decode()}

            end, found = time.monotonic() + PATIENCE, {}
            while time.monotonic() < end and process.poll() is None:
                try:
                    found = query("query", query='vigie_predictions_total{model="credit"}')
                    if found["result"] and len(query("query_range", query="up", start=time.time() - 60, end=time.time(), step=1)["result"][0]["values"]) > 3:
                        break
                except (OSError, LookupError):
                    pass
                time.sleep(0.3)
            expect("Prometheus has it", [s["value"][1] for s in found.get("result", [])], ["300"])
            target = query("targets")["activeTargets"][0]
            expect("the target", (target["health"], target["lastError"]), ("up", ""))
            known = {name for name in query("label/__name__/values")}
            asked = [(rule["name"], rule["query"]) for group in query("rules")["groups"] for rule in group["rules"]]
            expect("rules are loaded", len(asked) > 10)
            asked += [(panel["title"], panel["targets"][0]["expr"].replace("$instance", ".*").replace("$model", ".*")) for panel in board["panels"]]
            for title, expression in asked:
                names = set(re.findall(r"\b((?:vigie|process)_\w+|up)\b(?=[{\s\[)]|$)", expression))
                expect(f"{title}: metrics that are not there", sorted(names - known), [])
                expect(f"{title}: metrics are named", bool(names))
                expect(f"{title}: can be asked", query("query", query=expression).get("error"), None)
            for title, expression in asked[-len(board["panels"]):]:
                expect(f"{title}: has something to show", bool(query("query", query=expression)["result"]))
            end = time.monotonic() + PATIENCE
            firing = lambda: sorted({a["labels"]["alertname"] for a in query("alerts")["alerts"] if a["state"] == "firing"})
            while not firing() and time.monotonic() < end:
                time.sleep(0.3)
            expect("what fires", firing(), ["VigieIncident"])
            pending = {a["labels"]["alertname"] for a in query("alerts")["alerts"]}
            expect("a certificate of ten days is told", "VigieCertificate" in pending)
        finally:
            if process:
                process.kill()
                process.wait()
            expect("it ends as asked", service.end(), 0)
    for line in wrong:
        print(line)
    print(f"{checks} checks, {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
