# SPDX-License-Identifier: Apache-2.0
"""A `vigie serve` that a test starts, asks and ends."""
import atexit
import hashlib
import http.client
import http.server
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time


class Checks:
    """What a test found."""

    def __init__(self):
        self.count, self.wrong = 0, []

    def expect(self, what, got, wanted):
        self.count += 1
        if got != wanted:
            self.wrong.append(f"{what}: {got!r}, expected {wanted!r}")

    def until(self, what, ask, good, seconds=30):
        """What is asked for, once it is good."""
        end = time.monotonic() + seconds
        while not good(got := ask()):
            if time.monotonic() > end:
                self.wrong.append(f"{what}: still {json.dumps(got)[:300]} after {seconds} s")
                return got
            time.sleep(0.05)
        return got

    def end(self):
        """Says what was found, in the last line how much; the exit status."""
        for line in self.wrong:
            print("FAILED", line)
        print(f"{self.count - len(self.wrong)} passed, {len(self.wrong)} failed")
        return bool(self.wrong)


class Hook(http.server.BaseHTTPRequestHandler):
    """Where incidents are told, as by webhook: what came is in `told`. refuse() says whether this one is to come again."""
    told = []

    @classmethod
    def start(cls):
        """Its address."""
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), cls)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/"

    def refuse(self):
        return False

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.refuse():
            self.send_response(503)
            self.send_header("Retry-After", "1")
        else:
            self.told.append(json.loads(body))
            self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Service:
    """`tls`: a context that knows its certificate, where it has one; `said`: a file for what it says on standard error."""

    def __init__(self, vigie, folder, port=0, more=(), host="127.0.0.1", tls=None, said=None, env=None, stdin=None):
        self.tls = tls
        if where := os.environ.get("VIGIE_TEST_STORE"):  # a cluster, in which each folder has indexes of its own
            own = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
            more = [*more, "--store", f"elastic(to={where}, index=vigie-{own})"]
        self.process = subprocess.Popen([vigie, "serve", "--listen", f"{host}:{port}", "--data", folder, *more],
                                        stdin=stdin, stdout=subprocess.PIPE, stderr=said, text=True, env=env)
        atexit.register(self.process.kill)  # of a test that fails nothing is left running
        line = self.process.stdout.readline()
        found = re.fullmatch(rf"listening on {'https' if tls else 'http'}://{re.escape(host)}:(\d+)\n", line)
        if not found:
            raise SystemExit(f"FAILED: the service said {line!r}")
        self.port = int(found[1])
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"

    def ask(self, method, path, body=None, read=json.loads, token=None):
        if self.tls:
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=120, context=self.tls)
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        connection.request(method, path, body, {"Authorization": f"Bearer {token}"} if token else {})
        reply = connection.getresponse()
        found = reply.status, read(reply.read())
        connection.close()
        return found

    def counted(self, model, least):
        """The predictions and labels that the service counts, once they are so many together; a minute at most."""
        for _ in range(1200):
            status, found = self.ask("GET", f"/v1/models/{model}")
            counts = (found["predictions"], found["labels"]) if status == 200 else (0, 0)
            if sum(counts) >= least:
                break
            time.sleep(0.05)
        return counts

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        code = self.process.wait()
        self.process.stdout.close()
        return code


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
