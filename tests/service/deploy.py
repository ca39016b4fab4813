#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What deploy/ says, as far as it can be looked at without containers: compose files, secrets, the settings of vigie, the
libraries of the image, the manifest.

usage: deploy.py VIGIE     exit status 77 where docker-compose (Debian's) is not there
"""
import datetime
import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
import http.server

from service import Checks, Service, free_port

vigie = str(pathlib.Path(sys.argv[1]).resolve())
ROOT = pathlib.Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
if not shutil.which("docker-compose"):
    print("docker-compose is not installed")
    sys.exit(77)
peers = pathlib.Path(subprocess.run([ROOT / "scripts" / "peers"], capture_output=True, text=True).stdout.split()[-1])
sys.path[:0] = [str(p) for p in (peers / "venv" / "lib").glob("python3*/site-packages")]
import yaml  # noqa: E402

checks = Checks()
expect = checks.expect
ONCE = {"secrets", "accounts", "dashboards", "objects", "demo"}


def composed(kind):
    done = subprocess.run(["docker-compose", "-f", DEPLOY / kind / "compose.yaml", "--profile", "demo", "config"], capture_output=True, text=True, cwd=DEPLOY / kind)
    expect(f"{kind}: config", (done.returncode, done.stderr), (0, ""))
    return yaml.safe_load(done.stdout)


def looked_at(kind, once):
    said = composed(kind)
    volumes = set(said["volumes"])
    for name, service in said["services"].items():
        what = f"{kind}: {name}"
        for port in service.get("ports", []):
            expect(f"{what}: of this machine alone", str(port).startswith("127.0.0.1:"), True)
        expect(f"{what}: image", re.fullmatch(r"vigie:latest|\S+:\d[\d.]*", service["image"]) is not None, True)
        expect(f"{what}: volumes", {v.split(":")[0] for v in service.get("volumes", []) if not v.startswith("/")} <= volumes, True)
        if name in once:
            expect(f"{what}: once", service["restart"], "no")
        else:
            expect(f"{what}: goes on", (service["restart"], "mem_limit" in service, "healthcheck" in service), ("unless-stopped", True, True))
        if service["image"].startswith("vigie"):
            who = ("0:0", ["CHOWN", "DAC_OVERRIDE", "FOWNER"]) if name == "secrets" else ("10001:0", None)
            expect(f"{what}: may little", (service["user"], service.get("cap_add"), service["read_only"], service["cap_drop"], service["security_opt"]),
                   (*who, True, ["ALL"], ["no-new-privileges:true"]))
        for word in json.dumps(service).split('"'):
            expect(f"{what}: no secret in it", bool(re.search(r"(?i)password=[a-z0-9]", word)), False)
    return said["services"]


def secrets(folder):
    """As the containers make them, with stand-ins for what Elasticsearch's image has."""
    certs, kept, own, tools = (pathlib.Path(folder) / name for name in ("certs", "secrets", "own", "tools"))
    for path in certs, kept, own, tools:
        path.mkdir()
    (tools / "elasticsearch-certutil").write_text(f"""#!{sys.executable}
import pathlib, subprocess, sys, tempfile, zipfile
out = sys.argv[sys.argv.index("-out") + 1]
with tempfile.TemporaryDirectory() as work, zipfile.ZipFile(out, "w") as file:
    for name in ["ca"] if sys.argv[1] == "ca" else ["elasticsearch", "vigie"]:
        key, crt = f"{{work}}/{{name}}.key", f"{{work}}/{{name}}.crt"
        more = [] if name == "ca" else ["-CA", sys.argv[sys.argv.index("--ca-cert") + 1], "-CAkey", sys.argv[sys.argv.index("--ca-key") + 1]]
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-keyout", key, "-out", crt,
                        "-subj", f"/CN={{name}}", "-addext", f"subjectAltName=DNS:{{name}},DNS:localhost", *more], check=True, capture_output=True)
        file.write(key, f"{{name}}/{{name}}.key"), file.write(crt, f"{{name}}/{{name}}.crt")
""")
    (tools / "unzip").write_text(f"#!{sys.executable}\nimport sys, zipfile\nzipfile.ZipFile(sys.argv[2]).extractall(sys.argv[4])\n")
    (tools / "chown").write_text("#!/bin/sh\nexit 0\n")
    for tool in tools.iterdir():
        tool.chmod(0o755)
    env = os.environ | {"PATH": f"{tools}:{os.environ['PATH']}"}

    def make(script, *args):
        return subprocess.run(["bash", DEPLOY / "elastic" / script, certs, kept, own, *args], env=env, capture_output=True, text=True)
    done = make("make-secrets")
    expect("make-secrets", (done.returncode, done.stderr), (0, ""))
    first = {path.name: path.read_bytes() for path in kept.iterdir()}
    expect("secrets", sorted(first), ["elastic", "elastic_bootstrap", "kibana", "kibana_encryption", "vigie_admin", "vigie_ingest", "vigie_read"])
    expect("each another", len({v for k, v in first.items() if k != "elastic_bootstrap"}), 6)
    expect("and long", all(len(v) >= 32 for v in first.values()), True)
    expect("nobody else's", [p.name for p in [*kept.iterdir(), *certs.iterdir(), *own.iterdir()] if stat.S_IMODE(p.stat().st_mode) & 0o007], [])
    certificates = {path.name: path.read_bytes() for path in certs.iterdir()}
    expect("again", make("make-secrets").returncode, 0)
    expect("what is there stays", ({p.name: p.read_bytes() for p in kept.iterdir()}, {p.name: p.read_bytes() for p in certs.iterdir()}), (first, certificates))

    asked = []

    class Security(http.server.BaseHTTPRequestHandler):
        def log_message(self, *args):
            pass

        def do_POST(self):
            asked.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            body = b'{"id":"VuaC","name":"vigie","api_key":"ui2lp2ax","encoded":"eA=="}' if "api_key" in self.path else b"{}"
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Security)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    node = f"http://127.0.0.1:{server.server_port}"
    for _ in range(2):
        done = make("make-accounts", node)
        expect("make-accounts", (done.returncode, done.stdout), (0, "accounts: done\n"))
    expect("Kibana's password each time, and one key", [path.split("/")[-1] for path, _ in asked], ["_password", "api_key", "_password"])
    role = asked[1][1]["role_descriptors"]["vigie"]
    expect("which may little", (role["index"][0]["names"], "all" in role["index"][0]["privileges"], "all" in role["cluster"]), (["vigie-*"], False, False))
    expect("the key", (own / "elastic.key").read_text(), "VuaC:ui2lp2ax")
    expect("what vigie sees", sorted(p.name for p in own.iterdir()), ["ca.crt", "elastic.key", "vigie.crt", "vigie.key", "vigie_admin", "vigie_ingest", "vigie_read"])
    return own


with tempfile.TemporaryDirectory() as folder:
    services = looked_at("elastic", ONCE)
    expect("both go to a node by TLS", {services["kibana"]["environment"]["ELASTICSEARCH_HOSTS"], services["accounts"]["image"] and "https://elasticsearch:9200"},
           {"https://elasticsearch:9200"})
    twin = looked_at("opensearch", ONCE - {"dashboards"})
    # Kibana opens on what is imported there, in whose days the demo's flights are.
    objects = [json.loads(line) for line in subprocess.run([vigie, "setup", "kibana", "--dry-run"], capture_output=True, text=True).stdout.splitlines()]
    overview = next(f"/app/dashboards#/view/{o['id']}" for o in objects if o["attributes"]["title"] == "vigie: models")
    expect("Kibana opens on", re.findall(r"defaultRoute=([^\s\"]+)", services["kibana"]["command"][0]), [overview])
    expect("Dashboards opens on", re.findall(r'^uiSettings.overrides.defaultRoute: "(.*)"$', (DEPLOY / "opensearch" / "make-secrets").read_text(), re.M), [overview])
    for demo in services["demo"], twin["demo"]:
        expect("the demo ends now", demo["command"][-2:], ["--until", "now"])
    # What each sees of the others' secrets (that it works: deploy_opensearch.py).
    expect("volumes of the twin", {name: sorted({v.split(":")[0] for v in service.get("volumes", [])} & {"node", "panel", "own"}) for name, service in twin.items()},
           {"secrets": ["node", "own", "panel"], "opensearch": ["node"], "dashboards": ["panel"], "vigie": ["own"], "objects": ["own"], "demo": ["own"]})
    opensearch = yaml.safe_load((DEPLOY / "opensearch" / "opensearch.yml").read_text())
    expect("TLS", [opensearch[k] for k in ("plugins.security.ssl.http.enabled", "discovery.type")], [True, "single-node"])
    expect("nobody's without a password", [s for s in twin.values() if "DISABLE_SECURITY_PLUGIN" in s.get("environment", {})], [])
    for path in (DEPLOY / "opensearch" / "security").iterdir():
        expect(f"{path.name}: of the plugin's kind", yaml.safe_load(path.read_text())["_meta"]["config_version"], 2)
    for script in DEPLOY.glob("*/make-*"):
        expect(f"{script}: can be read", subprocess.run(["bash", "-n", script]).returncode, 0)

    # The settings that are there start it.
    own = secrets(folder)
    expect("vigie's volumes", [name for v in services["vigie"]["volumes"] if re.fullmatch(r"[a-z]+", name := v.split(":")[0])], ["own", "vigie"])
    settings = (DEPLOY / "elastic" / "vigie.yaml").read_text()
    for there, here in (("/own/", f"{own}/"), ("/var/lib/vigie", f"{folder}/data")):
        settings = settings.replace(there, here)
    config = pathlib.Path(folder) / "vigie.yaml"
    config.write_text(settings)
    done = subprocess.run([vigie, "config", "--check", config], capture_output=True, text=True)
    expect("vigie.yaml", (done.returncode, "shipped to https://elasticsearch:9200, kept in https://elasticsearch:9200" in done.stdout), (0, True))
    port = free_port()
    # Elasticsearch is not here: what is found is kept in a file.
    config.write_text(re.sub(r"^store:.*\n", "", settings.replace("0.0.0.0:8090", f"0.0.0.0:{port}"), flags=re.M))
    process = subprocess.Popen([vigie, "serve", "--config", config], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    expect("it listens", process.stdout.readline(), f"listening on https://0.0.0.0:{port}\n")
    live = [vigie, "doctor", f"https://localhost:{port}", "--live"]
    expect("its health", subprocess.run([*live, "--ca", own / "ca.crt"], capture_output=True, text=True).returncode, 0)
    expect("by another authority", subprocess.run(live, capture_output=True, text=True).returncode, 3)
    access = "--ca", own / "ca.crt", "--token", f"file:{own}/vigie_admin"
    done = subprocess.run([vigie, "demo", "--to", f"https://localhost:{port}", *access, "--speed", "max", "--until", "now"], capture_output=True, text=True)
    expect("the demo's flights", (done.returncode, "accepted" in done.stdout, "rejected; " in done.stdout), (0, True, True))

    def days():
        """From now on back to the last of the demo's windows, and from the first."""
        said = subprocess.run([vigie, "export", "windows", "--model", "flights", "--url", f"https://localhost:{port}", *access], capture_output=True, text=True).stdout
        starts = [datetime.datetime.fromisoformat(json.loads(line)["start"]) for line in said.splitlines()]
        return [(datetime.datetime.now(datetime.timezone.utc) - start).days for start in (max(starts), min(starts))] if starts else [999, 999]
    last, first = checks.until("the demo's windows", days, lambda found: found[0] < 7, 60)
    expect("are of the last months", (0 <= last < 3, 260 < first < 280), (True, True))
    process.terminate()
    expect("it ends", process.wait(), 0)
    expect("and is not alive", subprocess.run([*live, "--ca", own / "ca.crt"], capture_output=True, text=True).returncode, 3)

    # The image has the libraries that the program asks for.
    text = (DEPLOY / "Dockerfile").read_text()
    packages = set(re.search(r"--no-install-recommends(.*?)>", text, re.S)[1].replace("\\", " ").split())
    if shutil.which("dpkg-query"):
        linked = {os.path.realpath(line.split()[2]) for line in subprocess.run(["ldd", vigie], capture_output=True, text=True).stdout.splitlines()
                  if len(line.split()) > 2 and line.split()[2].startswith("/")}
        owners = set()
        for library in linked:
            found = subprocess.run(["dpkg-query", "-S", library], capture_output=True, text=True).stdout or \
                subprocess.run(["dpkg-query", "-S", library.replace("/usr/lib", "/lib")], capture_output=True, text=True).stdout
            owners |= {line.split(":")[0] for line in found.splitlines()}
        sanitizers = {"libasan8", "libubsan1", "libtsan2"}  # of a build that has them
        expect("libraries", (len(owners) > 5, owners - packages - sanitizers - {"libc6", "libgcc-s1"}), (True, set()))
    expect("nobody's root", "USER 10001:0" in text, True)

    # Samples for other shippers, into what vigie's own would be.
    shippers = DEPLOY / "shippers"
    beats, bits = (yaml.safe_load((shippers / name).read_text()) for name in ("filebeat.yml", "fluent-bit.yaml"))
    stash = (shippers / "logstash.conf").read_text()
    expect("Filebeat's index", beats["output.elasticsearch"]["index"], "vigie-prediction-credit-%{+yyyy.MM}")
    expect("its ids", [p["ndjson"]["document_id"] for p in beats["filebeat.inputs"][0]["parsers"]], ["id"])
    bulk = bits["pipeline"]["outputs"][0]
    expect("Fluent Bit's index", (bulk["logstash_prefix"], bulk["logstash_dateformat"], bulk["id_key"]), ("vigie-prediction-credit", "%Y.%m", "id"))
    expect("Logstash's", (stash.count("{"), '"vigie-prediction-credit-%{+YYYY.MM}"' in stash, 'document_id => "%{id}"' in stash), (stash.count("}"), True, True))

    # The manifest.
    documents = list(yaml.safe_load_all((DEPLOY / "kubernetes" / "vigie.yaml").read_text()))
    expect("kinds", [d["kind"] for d in documents], ["ConfigMap", "PersistentVolumeClaim", "Deployment", "Service"])
    by_kind = {d["kind"]: d for d in documents}
    pod = by_kind["Deployment"]["spec"]["template"]["spec"]
    container = pod["containers"][0]
    expect("labels", by_kind["Service"]["spec"]["selector"], by_kind["Deployment"]["spec"]["template"]["metadata"]["labels"])
    expect("mounts", {m["name"] for m in container["volumeMounts"]}, {v["name"] for v in pod["volumes"]})
    expect("one at a time", (by_kind["Deployment"]["spec"]["replicas"], by_kind["Deployment"]["spec"]["strategy"]["type"]), (1, "Recreate"))
    expect("may little", (container["securityContext"]["readOnlyRootFilesystem"], pod["securityContext"]["runAsNonRoot"]), (True, True))
    settings = by_kind["ConfigMap"]["data"]["vigie.yaml"]
    for there, here in (("/tls/tls.crt", f"{own}/vigie.crt"), ("/tls/tls.key", f"{own}/vigie.key"), ("/tokens/", f"{own}/vigie_"),
                        ("/elastic/key", f"{own}/elastic.key"), ("/elastic/ca.crt", f"{own}/ca.crt")):
        expect(f"{there} is mounted", any(there.startswith(m["mountPath"] + "/") or there == m["mountPath"] + "/" for m in container["volumeMounts"]), True)
        settings = settings.replace(there, here)
    config.write_text(settings)
    expect("its settings", subprocess.run([vigie, "config", "--check", config], capture_output=True, text=True).returncode, 0)
sys.exit(checks.end())
