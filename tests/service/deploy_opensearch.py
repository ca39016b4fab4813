#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""deploy/opensearch on a real OpenSearch 2.19.1 with its security plugin: the certificates, passwords, users and roles that are
made there, the node's settings, and vigie, which ships, keeps and draws with no more rights than they give it.

usage: deploy_opensearch.py VIGIE     exit status 77 where the node or its plugin is not to be had
"""
import base64
import http.client
import json
import os
import pathlib
import re
import shutil
import ssl
import stat
import subprocess
import sys
import tempfile
import time
import zipfile

from search_nodes import Search, peers
from service import Checks, free_port

sys.path[:0] = [str(p) for p in (peers / "venv" / "lib").glob("python3*/site-packages")]
import yaml  # noqa: E402

vigie = str(pathlib.Path(sys.argv[1]).resolve())
DEPLOY = pathlib.Path(__file__).resolve().parents[2] / "deploy" / "opensearch"
VERSION = "2.19.1"
plugin = peers / f"opensearch-security-{VERSION}.zip"
if not plugin.exists() or not (peers / f"opensearch-{VERSION}.classpath").exists():
    print("OpenSearch's security plugin is not to be had: Maven and a JDK of 17 are needed")
    sys.exit(77)
classpath = (peers / f"opensearch-{VERSION}.classpath").read_text().strip().split(":")
checks = Checks()
expect, until = checks.expect, checks.until


def run(*args, **more):
    return subprocess.run([str(a) for a in args], capture_output=True, text=True, **more)


def artifact(jar):
    return re.sub(r"-\d[0-9A-Za-z.-]*\.jar$", "", pathlib.Path(jar).name)


class Secured(Search):
    """As `user`, of whom `passwords` is known; None: nobody."""

    def __init__(self, folder, settings, ca, passwords):
        self.tls = ssl.create_default_context(cafile=ca)
        self.passwords = passwords
        super().__init__(f"opensearch-{VERSION}", folder, *settings)
        self.url = f"https://localhost:{self.port}"

    def ask(self, method, path, body=None, user="admin", tls=None):
        headers = {"Content-Type": "application/json"}
        if user:
            headers["Authorization"] = "Basic " + base64.b64encode(f"{user}:{self.passwords[user]}".encode()).decode()
        connection = http.client.HTTPSConnection("localhost", self.port, timeout=60, context=tls or self.tls)
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        reply = connection.getresponse()
        text = reply.read()
        connection.close()
        return reply.status, json.loads(text) if text.startswith((b"{", b"[")) else text.decode()


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    # The container's files: what its image has, and what is mounted.
    home, tools = folder / "node" / "node_1", folder / "tools"
    for path in home / "plugins" / "opensearch-security", home / "config" / "vigie", folder / "panel", folder / "own", tools, folder / "image" / "lib":
        path.mkdir(parents=True)
    (tools / "chown").write_text("#!/bin/sh\nexit 0\n")
    (tools / "chown").chmod(0o755)
    secured = home / "plugins" / "opensearch-security"
    with zipfile.ZipFile(plugin) as file:
        file.extractall(secured)
    shutil.copytree(secured / "config", home / "config" / "opensearch-security")

    # make-secrets, twice.
    node, panel, own = home / "config" / "vigie", folder / "panel", folder / "own"
    env = os.environ | {"PATH": f"{tools}:{os.environ['PATH']}"}
    made = []
    for _ in range(2):
        done = run("bash", DEPLOY / "make-secrets", node, panel, own, env=env)
        expect("make-secrets", (done.returncode, done.stdout + done.stderr), (0, ""))
        made.append({path: path.read_bytes() for at in (node, panel, own) for path in at.iterdir()})
    expect("what is there stays", made[0], made[1])
    expect("what each sees", [sorted(p.name for p in at.iterdir()) for at in (node, panel, own)],
           [["admin", "ca.crt", "dashboards", "opensearch.crt", "opensearch.key", "vigie"], ["ca.crt", "cookie", "opensearch_dashboards.yml"],
            ["ca.crt", "password", "vigie.crt", "vigie.key", "vigie_admin", "vigie_ingest", "vigie_read"]])
    expect("nobody else's", [p.name for p in made[0] if stat.S_IMODE(p.stat().st_mode) & 0o007], [])
    passwords = {"admin": (node / "admin").read_text(), "kibanaserver": (node / "dashboards").read_text(), "vigie": (own / "password").read_text()}
    expect("long, and each another", (len(set(passwords.values())), min(map(len, passwords.values()))), (3, 32))
    for at, subject in ((node, "opensearch"), (own, "vigie")):
        done = run("openssl", "verify", "-CAfile", at / "ca.crt", "-verify_hostname", subject, at / f"{subject}.crt")
        expect(f"{subject}'s certificate", (done.returncode, done.stdout.strip()), (0, f"{at / subject}.crt: OK"))
    drawn = yaml.safe_load((panel / "opensearch_dashboards.yml").read_text())
    expect("Dashboards' settings", [drawn[k] for k in ("opensearch.hosts", "opensearch.username", "opensearch.password", "opensearch.ssl.verificationMode")],
           [["https://opensearch:9200"], "kibanaserver", passwords["kibanaserver"], "full"])

    # make-users, by the plugin's own hash.sh, in the places of the image.
    image = folder / "image"
    (image / "config").symlink_to(home / "config")
    (image / "plugins").symlink_to(folder / "plugins")
    shutil.copytree(secured, folder / "plugins" / "opensearch-security")
    (folder / "lib").mkdir()
    for jar in classpath:
        (folder / "lib" / pathlib.Path(jar).name).symlink_to(jar)
    done = run("bash", DEPLOY / "make-users", image, DEPLOY / "security", env=os.environ | {"JAVA_HOME": "/usr"} if pathlib.Path("/usr/bin/java").exists() else None)
    expect("make-users", (done.returncode, done.stdout), (0, ""))
    users = yaml.safe_load((home / "config" / "opensearch-security" / "internal_users.yml").read_text())
    expect("hashes", [users.get(user, {}).get("hash", done.stderr)[:4] for user in passwords], ["$2y$"] * 3)

    # Here all is on one class path, where nothing may be twice.
    known = {artifact(jar) for jar in classpath}
    for jar in secured.glob("*.jar"):
        if artifact(jar) in known:
            jar.unlink()
    settings = yaml.safe_load((DEPLOY / "opensearch.yml").read_text())
    given = [f"{key}={','.join(value) if isinstance(value, list) else str(value).lower() if isinstance(value, bool) else value}"
             for key, value in settings.items() if key.startswith("plugins.")]
    search = Secured(str(folder / "node"), given, node / "ca.crt", passwords)
    ask = search.ask
    try:
        until("it lets users in", lambda: ask("GET", "/_plugins/_security/health", user=None)[1], lambda said: isinstance(said, dict) and said.get("status") == "UP", 60)
        until("admin", lambda: ask("GET", "/_cluster/health")[0], lambda status: status == 200, 60)

        # Who is who.
        expect("nobody", ask("GET", "/", user=None)[0], 401)
        passwords["ann"] = "a"
        expect("somebody", ask("GET", "/", user="ann")[0], 401)
        del passwords["ann"]
        roles = {user: ask("GET", "/_plugins/_security/authinfo", user=user)[1]["roles"] for user in passwords}
        expect("roles", {user: sorted(set(r) - {"own_index"}) for user, r in roles.items()},
               {"admin": ["all_access"], "kibanaserver": ["kibana_server"], "vigie": ["kibana_user", "vigie"]})
        try:
            search.ask("GET", "/", tls=ssl.create_default_context())
            checks.wrong.append("it is known by another authority")
        except ssl.SSLCertVerificationError:
            pass

        # vigie ship, as the user that it is.
        rows = [{"id": f"r{i}", "timestamp": f"2026-03-{1 + i % 28:02d}T10:00:00Z", "age": 20 + i % 60, "prediction": "yes"} for i in range(2_000)]
        log = folder / "log.ndjson"
        log.write_text("".join(json.dumps(r) + "\n" for r in rows))
        access = "--ca", own / "ca.crt", "--user", "vigie", "--password", f"file:{own / 'password'}"
        for stored, there in ((2_000, 0), (0, 2_000)):
            done = run(vigie, "ship", log, "--to", search.url, "--model", "credit", "--json", *access, cwd=folder)
            said = json.loads(done.stdout or "{}")
            expect("shipped", (done.returncode, done.stderr, said.get("stored"), said.get("there")), (0, "", stored, there))
        done = run(vigie, "ship", log, "--to", search.url, "--index", "other", "--patience", "2s", *access, cwd=folder)
        expect("no other's indexes", (done.returncode, "403: security_exception: no permissions for" in done.stderr), (3, True))
        expect("nothing is there", ask("HEAD", "/other-2026.03")[0], 404)
        done = run(vigie, "ship", log, "--to", search.url, "--model", "credit", cwd=folder)
        expect("another authority", (done.returncode, "certificate" in done.stderr), (3, True))
        for method, path in (("GET", "/_cat/indices"), ("DELETE", "/vigie-prediction-credit-2026.03,other"), ("GET", "/_plugins/_security/api/internalusers"),
                             ("PUT", "/_cluster/settings"), ("GET", "/.opendistro_security/_search")):
            expect(f"{method} {path}", ask(method, path, {"persistent": {"action.auto_create_index": "true"}} if method == "PUT" else None, user="vigie")[0], 403)

        # vigie serve with the settings that are there.
        port = free_port()
        config = (DEPLOY / "vigie.yaml").read_text()
        for at, here in (("/own/", f"{own}/"), ("/var/lib/vigie", f"{folder}/data"), ("https://opensearch:9200", search.url), ("0.0.0.0:8090", f"0.0.0.0:{port}")):
            config = config.replace(at, here)
        (folder / "vigie.yaml").write_text(config)
        with open(folder / "said", "w+") as said:
            service = subprocess.Popen([vigie, "serve", "--config", folder / "vigie.yaml"], stdout=subprocess.PIPE, stderr=said, text=True)
            expect("it listens", service.stdout.readline(), f"listening on https://0.0.0.0:{port}\n")
            done = run(vigie, "demo", "--to", f"https://localhost:{port}", "--ca", own / "ca.crt", "--token", f"file:{own}/vigie_admin", "--speed", "max")
            expect("the demo", (done.returncode, "accepted" in done.stdout), (0, True))
            until("windows", lambda: search.count("vigie-window"), lambda n: (n or 0) > 20, 60)
            until("findings", lambda: search.count("vigie-finding"), lambda n: (n or 0) > 100, 60)
            until("predictions", lambda: search.count("vigie-prediction-flights*"), lambda n: (n or 0) > 10_000, 60)
            service.terminate()
            expect("it ends", service.wait(), 0)
            said.seek(0)
            text = said.read()
            expect("what it may not do", [line for line in text.splitlines() if "403" in line or "no permissions" in line], [])

        # What brings the dashboards writes into their index as that user.
        expect("objects", ask("PUT", "/.kibana_1/_doc/dashboard:vigie", {"type": "dashboard"}, user="vigie")[0], 201)
        expect("and Dashboards itself", ask("GET", "/.kibana_1/_doc/dashboard:vigie", user="kibanaserver")[0], 200)
    finally:
        search.kill()
sys.exit(checks.end())
