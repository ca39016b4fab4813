#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What keeps `vigie serve` safe: its file of settings, TLS, tokens with roles, limits, and that it takes over changes
while it runs. Asked by curl, openssl s_client and the clients.

usage: safe.py VIGIE     the last line says what was found
"""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time

from service import Hook, Service, free_port

VIGIE = sys.argv[1]
CLIENT = pathlib.Path(__file__).resolve().parents[2] / "clients" / "python"
PATIENCE = 30  # seconds for what takes milliseconds
checks, wrong = 0, []


def expect(what, got, wanted=True):
    global checks
    checks += 1
    if got != wanted:
        wrong.append(f"{what}: {got!r}, expected {wanted!r}")


def until(what, ask, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if ask():
            return expect(what, True)
        time.sleep(0.05)
    expect(what, False)


def run(*command, env=None, **more):
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=PATIENCE,
                          env={**os.environ, **(env or {})}, **more)


def certificate(folder, name):
    key, made = folder / f"{name}.key", folder / f"{name}.crt"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", f"/CN={name}", "-addext",
                    "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", made], check=True, capture_output=True)
    return made, key


def token(role):
    done = run(VIGIE, "config", "--token", role)
    found = re.fullmatch(rf"token: (vigie_{role}_[0-9a-f]{{64}})\ntokens\.{role}: (sha256:[0-9a-f]{{64}})\n", done.stdout)
    expect(f"a token for {role} is made", bool(found))
    return found[1], found[2]


def serial_of(port):
    """Of the certificate that is shown now, by openssl."""
    shown = run("openssl", "s_client", "-connect", f"127.0.0.1:{port}", stdin=subprocess.DEVNULL)
    return run("openssl", "x509", "-noout", "-subject", input=shown.stdout).stdout.strip()


def refusals(folder, made, key):
    """What cannot be is refused before anything is made."""
    def said(*options):
        done = run(VIGIE, "serve", "--data", folder / "never", *options)
        return done.returncode, done.stderr.strip()

    open_to_others = ("--listen", "0.0.0.0:0")
    certified = ("--certificate", made, "--key", key)
    expect("open to others", said(*open_to_others),
           (2, "--listen: 0.0.0.0:0 is open to others, and that takes TLS (tls.certificate and tls.key, or behind_proxy where a proxy "
               "has it) and tokens (vigie config --token admin makes one)"))
    expect("open to others with TLS alone", said(*open_to_others, *certified),
           (2, "--listen: 0.0.0.0:0 is open to others, and that takes tokens (vigie config --token admin makes one)"))
    expect("behind a proxy, without tokens", said(*open_to_others, "--behind-proxy")[0], 2)
    status, words = said("--admin-token", "correct-horse-battery-staple")
    expect("a token on the command line", (status, "does not belong here" in words, "horse" in words), (2, True, False))
    expect("a variable that is not there", said("--read-token", "${NO_SUCH_VARIABLE}"),
           (2, "--read-token: there is no variable NO_SUCH_VARIABLE in the environment"))
    os.environ["SHORT"] = "hush"
    status, words = said("--read-token", "${SHORT}")
    expect("a short token", (status, "16 to 512" in words, "hush" in words), (2, True, False))
    expect("a certificate alone", said("--certificate", made), (2, "--certificate: its key is missing beside it"))
    other = certificate(folder, "other")[1]
    status, words = said("--certificate", made, "--key", other)
    expect("another's key", (status, words.startswith(f"--key: {other}: no key of {made}")), (2, True))
    expect("nothing was made", (folder / "never").exists(), False)


def basics(folder):
    """Without tokens, on the loopback."""
    service = Service(VIGIE, str(folder / "open"))

    def status(*options):
        return run("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", *options).stdout

    expect("open on the loopback", status(service.url + "/v1/models"), "200")
    expect("a name that others answer for", status("-H", "Host: rebound.example.org", service.url + "/v1/models"), "403")
    expect("localhost", status("-H", "Host: localhost:8090", service.url + "/v1/models"), "200")
    expect("a page of another site", status("-H", "Origin: https://example.org", "-d", '{"id": "a"}', service.url + "/v1/models/m/predictions"), "403")
    service.end()
    service = Service(VIGIE, str(folder / "open"), more=["--behind-proxy"])
    expect("behind a proxy any name is good", status("-H", "Host: vigie.example.org", service.url + "/v1/models"), "200")
    expect("ended", service.end(), 0)


def roles(service, made, tokens):
    def curl(path, *options, role=None, how="bearer"):
        given = [] if not role else ["-H", f"Authorization: Bearer {tokens[role]}"] if how == "bearer" else ["-u", f"me:{tokens[role]}"]
        done = run("curl", "-s", "--cacert", made, "-w", "\n%{http_code}", *given, *options, service.url + path)
        body, _, code = done.stdout.rpartition("\n")
        return int(code), body

    record, label = ["-d", '{"id": "a1", "score": 0.5}'], ["-d", '{"id": "a1", "label": 1}']
    predictions, labels, model = "/v1/models/m/predictions", "/v1/models/m/labels", "/v1/models/m"
    for path in ("/healthz", "/readyz"):
        expect(f"{path} takes no token", curl(path)[0], 200)
    # What each role may: [ingest, read, admin], and nobody.
    for what, path, options, allowed in [("predictions", predictions, record, (202, 403, 202)), ("labels", labels, label, (202, 403, 202)),
                                         ("models", "/v1/models", [], (403, 200, 200)), ("metrics", "/metrics", [], (403, 200, 200)),
                                         ("the page", "/", [], (403, 200, 200)), ("openapi", "/openapi.json", [], (403, 200, 200)),
                                         ("a model", model, ["-X", "PUT", "-d", "{}"], (403, 403, 200)),
                                         ("a reference", model + "/reference", ["-d", "[]"], (403, 403, 400)),
                                         ("references", model + "/references", [], (403, 200, 200)),
                                         ("the file of one", model + "/references/5f", [], (403, 403, 404)),
                                         ("notices", "/v1/notices", [], (403, 200, 200)),
                                         ("a notice again", "/v1/notices/1/resend", ["-d", ""], (403, 403, 404)),
                                         ("an answer", "/v1/incidents/x/ack", ["-d", ""], (403, 403, 404))]:
        expect(f"{what}: roles", tuple(curl(path, *options, role=r)[0] for r in ("ingest", "read", "admin")), allowed)
        expect(f"{what}: nobody", curl(path, *options)[0], 401)
        expect(f"{what}: a wrong token", curl(path, "-H", "Authorization: Bearer " + "x" * 40, *options)[0], 401)
    code, body = curl(predictions, *record, role="read")
    expect("403 names the role", json.loads(body)["error"], "this takes the role ingest, and the token has read")
    head = run("curl", "-s", "--cacert", made, "-o", "/dev/null", "-D", "-", service.url + "/").stdout.lower()
    expect("401 says how", ('www-authenticate: bearer realm="vigie"' in head, "www-authenticate: basic" in head), (True, True))
    expect("a browser gives the token as a password", curl("/", role="read", how="basic")[0], 200)
    expect("and changes nothing by it", curl(model, "-X", "PUT", "-d", "{}", role="admin", how="basic")[0], 401)
    expect("without a token nothing is read", curl(predictions, "-H", "Content-Length: 60000000", "-H", "Expect:", *record)[0], 401)
    expect("http on a port of TLS", run("curl", "-s", service.url.replace("https", "http")).stdout,
           '{"error":"TLS is spoken here: https://, not http://","where":"connection"}\n')
    for version, good in (("-tls1_1", False), ("-tls1_2", True), ("-tls1_3", True)):
        done = run("openssl", "s_client", "-connect", f"127.0.0.1:{service.port}", version, stdin=subprocess.DEVNULL)
        expect(f"openssl s_client {version}", "Cipher is (NONE)" not in done.stdout and done.returncode == 0, good)


def senders(folder, service, made, tokens):
    """vigie send and the Python client, by TLS with a token."""
    (folder / "rows.csv").write_text("id,age,label\n" + "".join(f"r{i},{20 + i % 50},{i % 2}\n" for i in range(200)))
    send = [VIGIE, "send", folder / "rows.csv", "--to", service.url, "--model", "sent", "--id", "id", "--label", "label", "--json"]
    done = run(*send, "--ca", made, "--token", "${T}", env={"T": tokens["ingest"]})
    expect(f"vigie send {done.stderr}", (done.returncode, json.loads(done.stdout or "{}").get("accepted")), (0, 200))
    done = run(*send, "--ca", made, env={"VIGIE_TOKEN": tokens["ingest"]})
    expect(f"vigie send with VIGIE_TOKEN {done.stderr}", (done.returncode, json.loads(done.stdout or "{}").get("duplicates")), (0, 200))
    done = run(*send, "--ca", made)
    expect("vigie send without a token", (done.returncode, "status 401: a token is needed" in done.stderr), (2, True))
    done = run(*send, "--token", "${T}", env={"T": tokens["ingest"]})
    expect("vigie send to a certificate that nobody vouches for", (done.returncode, "certificate" in done.stderr), (3, True))
    done = run(*send, "--token", "hush-hush-hush-hush")
    expect("a token on the command line", (done.returncode, "hush" in done.stderr), (2, False))
    program = (f"import sys; sys.path.insert(0, {str(CLIENT)!r}); import vigie, os\n"
               f"client = vigie.Client({service.url!r}, 'python', token=os.environ['T'])\n"
               "[client.predict(features={'x': i}) for i in range(50)]\nclient.close(); print(client.counters()['accepted'])")
    done = run(sys.executable, "-c", program, env={"T": tokens["ingest"], "SSL_CERT_FILE": str(made)})
    expect(f"the Python client {done.stderr}", done.stdout.strip(), "50")
    counted = lambda name: service.ask("GET", f"/v1/models/{name}", token=tokens["read"])[1].get("predictions")
    until("what they sent is counted", lambda: (counted("sent"), counted("python")) == (200, 50))


def reloads(folder, made, key, tokens, hashes):
    hook = Hook.start()
    there, its_key = folder / "live.crt", folder / "live.key"
    shutil.copy(made, there), shutil.copy(key, its_key)
    file, said = folder / "vigie.yaml", folder / "said.txt"

    def write(more="", owner="ana", admin="admin", body="1MiB"):
        file.write_text(f"tls: {{certificate: {there}, key: {its_key}}}\n"
                        f"tokens:\n  ingest: ['{hashes['ingest']}']\n  read: ['{hashes['read']}']\n  admin: ['{hashes[admin]}', \"${{OTHER}}\"]\n"
                        f"limits: {{body: {body}, models: 3, features: 2, segments: 1}}\n"
                        f"models:\n  credit:\n    owner: {owner}\n{more}")

    write()
    env = {**os.environ, "OTHER": "0123456789abcdef-by-the-environment"}
    done = run(VIGIE, "config", "--check", file, env=env)
    expect("config --check", (done.returncode, done.stdout),
           (0, f"{file}: good: https on 127.0.0.1:8090, tokens, 0 targets told of incidents, 1 model declared\n"))
    tls = ssl.create_default_context(cafile=str(made))
    with open(said, "w") as words:
        service = Service(VIGIE, str(folder / "reload"), more=["--config", str(file)], tls=tls, said=words, env=env)
    read = tokens["read"]
    owner = lambda: service.ask("GET", "/v1/models/credit", token=read)[1]["config"].get("owner")
    expect("a declared model is there", owner(), "ana")
    post = lambda role, size=10, model="credit", what="predictions": service.ask(
        "POST", f"/v1/models/{model}/{what}", json.dumps([{"id": "a", "text": "x" * size}]), token=tokens[role])[0]
    expect("body within", post("ingest", 900_000), 202)
    expect("body beyond", post("ingest", 1_100_000), 413)

    # Admission: models, features, segments.
    rows = [{"id": str(i), "features": {"a": f"v{i % 7}", "b": i % 3, "c": i % 5}} for i in range(2100)]
    reference = lambda rows, model="credit": service.ask("POST", f"/v1/models/{model}/reference", json.dumps(rows), token=tokens["admin"])
    status, answer = reference(rows)
    expect("too many features", (status, answer["error"]),
           (400, "the reference has 3 features, and 2 are admitted: name those that matter in roles.features of PUT, or raise limits.features"))
    put = lambda body, model="credit": service.ask("PUT", f"/v1/models/{model}", json.dumps(body), token=tokens["admin"])
    expect("too many segments are said", put({"segments": ["a", "b"]})[0], 400)
    expect("segments that turn out too many", (put({"segments": ["a"], "roles": {"features": ["a", "b"]}})[0], reference(rows)[0]), (200, 400))
    expect("few enough", (put({"roles": {"features": ["a", "b"]}, "owner": "ana"})[0], reference(rows)[0]), (200, 202))
    expect("models", [post("ingest", model=m) for m in ("m2", "m3", "m4")], [202, 202, 429])

    # What changes while it runs: an owner, a limit, who is told, a token, the certificate.
    def reload(until_said, what):
        seen = said.read_text().count(until_said)
        service.process.send_signal(signal.SIGHUP)
        until(what, lambda: said.read_text().count(until_said) > seen)

    fresh, fresh_key = certificate(folder, "fresh")
    shutil.copy(fresh, there), shutil.copy(fresh_key, its_key)
    before = serial_of(service.port)
    write(owner="bob", admin="second", body="2MiB", more=f"notify: webhook(url={hook})\nfsync: never\nthreads: 1\n")
    open_connection = socket.create_connection(("127.0.0.1", service.port))
    kept = ssl.create_default_context(cafile=str(made)).wrap_socket(open_connection, server_hostname="127.0.0.1")
    reload("taken over", "a reload")
    expect("what takes a restart is said once, by name",
           [l for l in said.read_text().splitlines() if "restart" in l], [f"{file}: a change takes a restart: fsync, threads"])
    service.tls = ssl.create_default_context(cafile=str(fresh))
    expect("the certificate", (before, serial_of(service.port)), ("subject=CN = 127", "subject=CN = fresh"))
    kept.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    expect("a connection that is open stays", kept.recv(12), b"HTTP/1.1 200")
    kept.close()
    until("the owner", lambda: owner() == "bob")
    expect("the limit", post("ingest", 1_100_000), 202)
    expect("the old token", service.ask("PUT", "/v1/models/credit", "{}", token=tokens["admin"])[0], 401)
    expect("a token of the environment", service.ask("GET", "/v1/models", token=env["OTHER"])[0], 200)
    expect("the new one", service.ask("GET", "/v1/models", token=tokens["second"])[0], 200)
    reload("taken over", "a second reload")
    expect("and not said again", said.read_text().count("takes a restart"), 1)

    # Who is told now: rows that are others, until an incident opens.
    metric = lambda name: float(re.search(rf"^{name} (\S+)$", service.ask("GET", "/metrics", read=bytes.decode, token=read)[1], re.M)[1])
    expect("the reload is measured", metric("vigie_config_last_reload_successful"), 1)
    service.ask("PUT", "/v1/models/credit", json.dumps({"window": 30, "roles": {"features": ["a", "b"]}}), token=tokens["second"])
    good = [{"id": f"g{i}", "features": {"a": (i * 7919 % 101) / 10, "b": (i * 104729 % 97) / 10}} for i in range(3000)]
    expect("a reference", service.ask("POST", "/v1/models/credit/reference", json.dumps(good), token=tokens["second"])[0], 202)
    other = [{"id": f"o{i}", "features": {"a": 500 + i % 10, "b": -300 - i % 7}} for i in range(300)]
    service.ask("POST", "/v1/models/credit/predictions", json.dumps(other), token=tokens["ingest"])
    until("the target that a reload brought is told", lambda: len(Hook.told) > 0)
    incidents = service.ask("GET", "/v1/incidents", token=read)[1]
    expect("and of one incident", {a["labels"]["incident"] for t in Hook.told for a in t["alerts"]}, {i["id"] for i in incidents})

    # A broken file changes nothing.
    was = owner()
    write(more="lisen: 0.0.0.0:1\n")
    reload("the settings stay as they were", "a broken file")
    expect("and its place is said", f'{file}:{len(file.read_text().splitlines())}: unknown key "lisen"; did you mean "listen"?' in said.read_text())
    expect("nothing changed", (owner(), service.ask("GET", "/v1/models", token=tokens["second"])[0]), (was, 200))
    expect("that is measured too", metric("vigie_config_last_reload_successful"), 0)
    write(admin="second", owner="eve", more="    compare: {methods: [{column: c, method: ks}]}\n")
    reload("the settings stay as they were", "a model that does not fit its reference")
    expect("and which", 'models.credit: compare.methods: no column "c"' in said.read_text())
    expect("it stays", owner(), was)
    write(admin="second")
    there.write_text("nonsense")
    reload("the settings stay as they were", "a broken certificate")
    expect("the old certificate is shown", serial_of(service.port), "subject=CN = fresh")
    expect("no secret was said", [s for s in [*tokens.values(), *hashes.values(), env["OTHER"]] if s in said.read_text()], [])
    expect("it ends as asked", service.end(), 0)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        made, key = certificate(folder, "127")
        made_tokens = {role: token(role) for role in ("ingest", "read", "admin")}
        made_tokens["second"] = token("admin")
        tokens, hashes = ({role: both[i] for role, both in made_tokens.items()} for i in (0, 1))
        refusals(folder, made, key)
        basics(folder)
        secret = folder / "admin.token"
        secret.write_text(tokens["admin"] + "\n")
        service = Service(VIGIE, str(folder / "data"), host="0.0.0.0", tls=ssl.create_default_context(cafile=str(made)),
                          more=["--certificate", str(made), "--key", str(key), "--ingest-token", hashes["ingest"], "--read-token", hashes["read"],
                                "--admin-token", f"file:{secret}"])
        try:
            roles(service, made, tokens)
            senders(folder, service, made, tokens)
        finally:
            expect("it ends as asked", service.end(), 0)
        reloads(folder, made, key, tokens, hashes)
    for line in wrong:
        print(line)
    print(f"{checks} checks, {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
