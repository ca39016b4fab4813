#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Notices to receivers that others wrote: Debian's Alertmanager, aiosmtpd, the verifier of Standard Webhooks.

scripts/peers prepares them; without them status 77: skipped.
usage: notify_peers.py VIGIE      the last line says what was found
"""
import email
import email.policy
import http.server
import json
import logging
import os
import pathlib
import queue
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import warnings

PEERS = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "vigie" / "peers"
PYTHON, ALERTMANAGER = PEERS / "venv" / "bin" / "python", PEERS / "alertmanager"
PATIENCE = 30  # seconds for what takes milliseconds
wrong, checks = [], 0


def expect(what, found, wanted=True):
    global checks
    checks += 1
    if found != wanted:
        wrong.append(f"{what}: {found!r}, expected {wanted!r}")


def vigie(*arguments):
    return subprocess.run([sys.argv[1], "notify", "test", *arguments], capture_output=True, text=True, timeout=PATIENCE)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def sink():
    """An HTTP receiver; what it is sent comes out of the queue."""
    got = queue.Queue()

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_POST(self):
            got.put((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port, got


def kinds_of(value):
    """The keys of an object, all the way down, with the kinds of their values."""
    if isinstance(value, dict):
        return {k: kinds_of(v) for k, v in value.items()}
    if isinstance(value, list):
        return [kinds_of(value[0])] if value else []
    return type(value).__name__


def webhooks(port, got):
    from standardwebhooks.webhooks import Webhook, WebhookVerificationError
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    done = vigie("--to", f"webhook(url=http://127.0.0.1:{port}/x, secret={secret})", "--kind", "opened")
    expect("webhook: exit status", done.returncode, 0)
    headers, body = got.get(timeout=PATIENCE)
    expect("webhook: verified", Webhook(secret).verify(body, headers), json.loads(body))
    try:
        Webhook(secret).verify(body + b" ", headers)
        expect("webhook: an altered body is verified", True, False)
    except WebhookVerificationError:
        pass
    return json.loads(body)


def incident(folder, severity, state):
    path = pathlib.Path(folder) / "incident.json"
    cause = {"column": "age", "segment": None, "what": "omnibus", "severity": severity, "weight": 1.5, "reason": "moved by 0.4 sd",
             "since": "2026-11-27T02:00:00Z", "windows": 2}
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 3600))
    path.write_text(json.dumps({
        "id": "credit-x", "model": "credit", "state": state, "severity": severity, "summary": "\"age\" moved", "since": stamp, "until": stamp,
        "opened": stamp, "resolved": stamp if state == "resolved" else None, "snoozed_until": None, "false_alarm": False, "windows": 2,
        "causes": [cause], "owner": "ana", "runbook": "https://wiki.example.org/x", "answered_by": None, "note": None}))
    return str(path)


def alertmanager(folder, sink_port, got, ours):
    port = free_port()
    config = pathlib.Path(folder) / "alertmanager.yml"
    config.write_text("route: {receiver: sink, group_wait: 0s, group_interval: 1s, group_by: [alertname, model]}\n"
                      f"receivers: [{{name: sink, webhook_configs: [{{url: 'http://127.0.0.1:{sink_port}/'}}]}}]\n")
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen([ALERTMANAGER, f"--config.file={config}", f"--storage.path={folder}/data", "--cluster.listen-address=",
                                f"--web.listen-address=127.0.0.1:{port}"], cwd=PEERS, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                urllib.request.urlopen(url + "/-/ready", timeout=PATIENCE)
                break
            except OSError:
                if time.monotonic() > until or process.poll() is not None:
                    expect("alertmanager: started", False)
                    return
                time.sleep(0.05)

        def active():
            with urllib.request.urlopen(url + "/api/v2/alerts", timeout=PATIENCE) as reply:
                return json.load(reply)

        def send(kind, severity, state="open"):
            done = vigie("--to", f"alertmanager(url={url})", "--kind", kind, "--incident", incident(folder, severity, state),
                         "--page", "https://vigie.example.org")
            expect(f"alertmanager: {kind}: exit status {done.stderr}", done.returncode, 0)
            return active()

        opened = send("opened", "warning")
        expect("alertmanager: alerts", [a["labels"] for a in opened],
               [{"alertname": "VigieIncident", "model": "credit", "severity": "warning", "incident": "credit-x"}])
        expect("alertmanager: summary", opened[0]["annotations"]["summary"], 'WARNING credit: "age" moved')
        expect("alertmanager: link", opened[0]["generatorURL"], "https://vigie.example.org/#credit-x")
        body = json.loads(got.get(timeout=PATIENCE)[1])
        expect("alertmanager tells its receivers", body["status"], "firing")
        # What Alertmanager sends, vigie's own webhook sends: the same keys, and more.
        for part, mine, theirs in (("body", ours, body), ("alert", ours["alerts"][0], body["alerts"][0])):
            kinds, known = kinds_of(mine), kinds_of(theirs)
            for key in theirs:
                if key in ("annotations", "commonAnnotations", "commonLabels", "labels", "groupLabels", "alerts"):
                    expect(f"webhook: {part}.{key}", type(mine.get(key)), type(theirs[key]))
                else:
                    expect(f"webhook: {part}.{key}", kinds.get(key), known[key])
        expect("alertmanager: still one alert", [a["labels"]["severity"] for a in send("reminder", "warning")], ["warning"])
        expect("alertmanager: grown", [a["labels"]["severity"] for a in send("worse", "critical")], ["critical"])
        expect("alertmanager: over", send("resolved", "critical", "resolved"), [])
        until = time.monotonic() + PATIENCE
        while body["status"] != "resolved" and time.monotonic() < until:
            body = json.loads(got.get(timeout=PATIENCE)[1])
        expect("alertmanager tells that it is over", body["status"], "resolved")
        done = vigie("--to", f"alertmanager(url={url}/no)")
        expect("alertmanager: a wrong path is refused", (done.returncode, "404" in done.stderr), (2, True))
    finally:
        process.kill()
        process.wait()


def mail():
    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import AuthResult
    warnings.simplefilter("ignore")  # of logins and handshakes that are meant to fail
    logging.getLogger("mail").setLevel(100)

    class Handler:
        def __init__(self):
            self.mails = []

        async def handle_RCPT(self, server, session, envelope, address, options):
            if address.startswith("nobody"):
                return "550 no such user"
            if address.startswith("later"):
                return "451 come back later"
            envelope.rcpt_tos.append(address)
            return "250 OK"

        async def handle_DATA(self, server, session, envelope):
            self.mails.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
            return "250 OK"

    def send(port, to, more="tls=optional", *options):
        return vigie("--to", f'email(url=smtp://127.0.0.1:{port}, from=vigie@example.org, to="{to}", {more})', *options)

    handler = Handler()
    server = Controller(handler, hostname="127.0.0.1", port=free_port())
    server.start()
    try:
        done = send(server.port, "ana@example.org, bob@example.org")
        expect(f"mail: exit status {done.stderr}", done.returncode, 0)
        sender, to, content = handler.mails[0]
        expect("mail: sender", sender, "vigie@example.org")
        expect("mail: recipients", to, ["ana@example.org", "bob@example.org"])
        message = email.message_from_bytes(content, policy=email.policy.default)
        expect("mail: defects", message.defects, [])
        expect("mail: subject", message["subject"], "WARNING vigie-test: this is a test, nothing is wrong")
        expect("mail: parts", [p.get_content_type() for p in message.iter_parts()], ["text/plain", "text/html"])
        text = message.get_body(("plain",)).get_content()
        expect("mail: text", text.splitlines()[0], str(message["subject"]))
        expect("mail: html", "nothing is wrong" in message.get_body(("html",)).get_content())
        done = send(server.port, "ana@example.org nobody@example.org")
        expect("mail: one wrong address", (done.returncode, handler.mails[-1][1], "550 no such user" in done.stdout), (0, ["ana@example.org"], True))
        known = len(handler.mails)
        for to, more, status, said in [("nobody@example.org", "tls=optional", 2, "550 no such user"),
                                       ("later@example.org", "tls=optional", 3, "451 come back later"),
                                       ("ana@example.org", "tls=required", 3, "")]:
            done = send(server.port, to, more)
            expect(f"mail to {to}, {more}", (done.returncode, said in done.stderr), (status, True))
        expect("mail: without TLS none is sent where it is required", len(handler.mails), known)
        for i, words in enumerate(["é€ ünïcode" * 12, "x" * 150]):
            with tempfile.TemporaryDirectory() as folder:
                path = pathlib.Path(incident(folder, "critical", "open"))
                changed = json.loads(path.read_text())
                changed["summary"] = words
                path.write_text(json.dumps(changed))
                send(server.port, "ana@example.org", "tls=optional", "--incident", str(path))
            message = email.message_from_bytes(handler.mails[-1][2], policy=email.policy.default)
            expect(f"mail: subject {i}", message["subject"], f"CRITICAL credit: {words}")
    finally:
        server.stop()

    with tempfile.TemporaryDirectory() as folder:
        key, certificate = pathlib.Path(folder) / "key.pem", pathlib.Path(folder) / "certificate.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1", "-keyout", key, "-out", certificate],
                       check=True, capture_output=True)
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(certificate, key)
        server = Controller(handler, hostname="127.0.0.1", port=free_port(), tls_context=tls)
        server.start()
        known = len(handler.mails)
        for more in ("tls=required", "tls=optional"):
            done = send(server.port, "ana@example.org", more)
            expect(f"mail: a certificate that nobody vouches for, {more}", (done.returncode, "certificate" in done.stderr), (3, True))
        expect("mail: nothing was sent past it", len(handler.mails), known)
        expect("mail: tls=never", send(server.port, "ana@example.org", "tls=never").returncode, 0)
        server.stop()

    def login(_server, _session, _envelope, _mechanism, data):
        return AuthResult(success=(data.login, data.password) == (b"vigie", b"hush-hush"), handled=False)

    server = Controller(handler, hostname="127.0.0.1", port=free_port(), authenticator=login, auth_required=True, auth_require_tls=False)
    server.start()
    try:
        expect("mail: login", send(server.port, "ana@example.org", "tls=optional, user=vigie, password=hush-hush").returncode, 0)
        done = send(server.port, "ana@example.org", "tls=optional, user=vigie, password=hush-wrong")
        expect(f"mail: wrong password {done.stderr}", (done.returncode, "hush" in done.stdout + done.stderr), (2, False))
    finally:
        server.stop()


def main():
    if not PYTHON.exists() or not ALERTMANAGER.exists():
        print("skipped: no peers; scripts/peers prepares them")
        return 77
    if pathlib.Path(sys.prefix) != PYTHON.parents[1]:
        os.execv(PYTHON, [str(PYTHON), *sys.argv])
    port, got = sink()
    ours = webhooks(port, got)
    with tempfile.TemporaryDirectory() as folder:
        alertmanager(folder, port, got, ours)
    mail()
    for line in wrong:
        print(line)
    print(f"{checks} checks, {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
