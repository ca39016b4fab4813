#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The clients of clients/ against `vigie serve`: what arrives, what is counted, and that callers never wait.

usage: clients.py VIGIE SENDER…     SENDER: the command of sender.c, as C or C++, or of sender.py
"""
import http.server
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from service import Service, free_port

VIGIE, SENDER = "", []
LARGE, SMALL = 64 << 20, 64 << 10  # bytes of a queue
PATIENCE = 60_000  # ms


class Sender:
    """A program that sends; its calls have returned once it is made."""

    def __init__(self, url, rows, threads=2, queue=LARGE, pause_us=0, wait=True):
        self.process = subprocess.Popen([*SENDER, url, "m", *map(str, (rows, threads, queue, pause_us))],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, "LC_ALL": "de_DE.UTF-8"})  # where it is there: a decimal comma
        if wait:
            self.called()

    def called(self):
        line = self.process.stdout.readline()
        if line != "called\n":
            raise AssertionError(f"the sender said {line!r} and ended with {self.process.wait()}")

    def close(self, ms=PATIENCE):
        out, _ = self.process.communicate(f"{ms}\n", timeout=120)
        if self.process.returncode != 0:
            raise AssertionError(f"the sender ended with {self.process.returncode}")
        found = json.loads(out)
        parts = ("accepted", "duplicates", "rejected", "dropped", "failed", "waiting")
        if found["sent"] != sum(found[part] for part in parts) or found["flushed"] and found["left"] > 0:
            raise AssertionError(f"the counters do not add up: {found}")
        return found


class Scripted(http.server.ThreadingHTTPServer):
    """Answers each request as the next of `script` says, (status, headers, …), then 202; keeps what came."""

    daemon_threads = True

    def __init__(self, *script):
        self.script, self.bodies, self.headers, self.connections = list(script), [], [], 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                super().setup()
                outer.connections += 1

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                step = outer.script.pop(0) if outer.script else "taken"
                outer.bodies.append((self.path, body, step))
                outer.headers.append(dict(self.headers))
                records = body.strip().count("\n") + 1
                taken = json.dumps({"accepted": records, "duplicates": 0, "rejected": []}).encode()
                if step == "hang up":
                    self.close_connection = True
                elif step == "taken, then hang up":
                    self.answer(202, taken)
                    self.close_connection = True
                elif step == "in chunks":
                    self.send_response_only(100)
                    self.end_headers()
                    self.send_response(202)
                    self.send_header("Transfer-Encoding", "chunked")
                    self.end_headers()
                    for i in range(0, len(taken), 7):
                        self.wfile.write(b"%x\r\n%s\r\n" % (len(taken[i:i + 7]), taken[i:i + 7]))
                    self.wfile.write(b"0\r\n\r\n")
                elif step == "until the end":
                    self.close_connection = True
                    self.send_response(202)
                    self.end_headers()
                    self.wfile.write(taken)
                elif step == "taken":
                    self.answer(202, taken)
                else:
                    status, headers = step
                    self.answer(status, b'{"error": "so it is", "where": "here"}', headers)

            def answer(self, status, body, headers=()):
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    def records(self, step):
        """What came in requests that were answered so."""
        return [json.loads(line) for _, body, how in self.bodies if how == step for line in body.splitlines()]


class RealService(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.data = str(pathlib.Path(folder.name) / "data")
        self.service = None
        self.addCleanup(lambda: self.service and self.service.end(signal.SIGKILL))

    def serve(self, port=0):
        self.service = Service(VIGIE, self.data, port)
        return self.service

    def kill(self):
        self.service.end(signal.SIGKILL)
        self.service = None

    def test_all_arrives(self):
        service = self.serve()
        found = Sender(service.url, rows=3000, threads=3).close()
        self.assertEqual((found["flushed"], found["sent"], found["accepted"]), (True, 18000, 18000), found)
        self.assertEqual((found["retries"], found["trouble"]), (0, ""))
        self.assertEqual(service.counted("m", 18000), (9000, 9000))

    def test_the_service_comes_later(self):
        port = free_port()
        sender = Sender(f"http://127.0.0.1:{port}", rows=1000)
        service = self.serve(port)
        found = sender.close()
        self.assertEqual((found["flushed"], found["accepted"]), (True, 4000), found)
        self.assertGreater(found["retries"], 0)
        self.assertEqual(service.counted("m", 4000), (2000, 2000))

    def test_the_service_is_killed(self):
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        service = self.serve(port)
        sender = Sender(url, rows=4000, threads=3, pause_us=300, wait=False)
        for arrived in (1000, 4000, 8000, 14000):
            service.counted("m", arrived)
            self.kill()
            service = self.serve(port)
        sender.called()
        found = sender.close()
        self.assertEqual((found["flushed"], found["dropped"], found["rejected"]), (True, 0, 0), found)
        self.assertEqual(found["accepted"] + found["duplicates"], 24000)
        self.assertEqual(service.counted("m", 24000), (12000, 12000))

    def test_the_queue_is_full(self):
        port = free_port()
        sender = Sender(f"http://127.0.0.1:{port}", rows=10000, queue=SMALL)
        service = self.serve(port)
        found = sender.close()
        self.assertGreater(found["dropped"], 10000, found)
        self.assertGreater(found["accepted"], 100)
        self.assertEqual(found["accepted"] + found["dropped"], 40000)
        self.assertEqual(sum(service.counted("m", found["accepted"])), found["accepted"])

    def test_rejected_records_are_counted(self):
        service = self.serve()
        found = Sender(service.url, rows="odd", threads=0).close()
        self.assertEqual((found["sent"], found["failed"], found["accepted"], found["rejected"]), (6, 1, 4, 1), found)
        self.assertIn("label", found["trouble"])
        self.assertEqual(service.counted("m", 4), (3, 1))


class ScriptedService(unittest.TestCase):
    def test_values(self):
        with Scripted() as server:
            found = Sender(server.url, rows="odd", threads=0).close()
            self.assertEqual((found["sent"], found["failed"], found["accepted"]), (6, 1, 5), found)
            self.assertEqual({path for path, _, _ in server.bodies}, {"/v1/models/m/predictions", "/v1/models/m/labels"})
            self.assertEqual(server.headers[0]["Authorization"], "Bearer secret")
            records = server.records("taken")
            odd, lines, made = (r for r in records if "label" not in r)
            label = next(r for r in records if "label" in r)
            self.assertEqual(odd, {
                "id": "odd", "timestamp": 1800000000, "prediction": "a\"b\\c\n\x01é", "score": None, "features": {
                    "count": 41, "half": -0.5, "price": 1234.56, "third": 1 / 3, "tiny": 1e-7, "large": 1e300,
                    "endless": None, "none": None, "latin \ufffd": "\ufffd\ufffdx\ufffd\ufffd\ufffd"}})
            self.assertEqual((lines["id"], lines["timestamp"]), ("lines", 1800000000))
            self.assertRegex(made["id"], "^[0-9a-f]{16}-[0-9a-f]+$")
            self.assertEqual((label["id"], label["label"]), (made["id"], 1.5))
            self.assertLess(abs(label["timestamp"] / 1e6 - time.time()), 3600)

    def test_it_tries_again(self):
        with Scripted((503, []), "hang up", (429, [("Retry-After", "1")]), (408, [])) as server:
            sender = Sender(server.url, rows=1, threads=1)
            found = sender.close()
            self.assertEqual((found["flushed"], found["accepted"], found["rejected"]), (True, 2, 0), found)
            self.assertGreaterEqual(found["retries"], 3)
            self.assertEqual(len(server.records("taken")), 2)

    def test_what_is_refused_is_not_sent_again(self):
        with Scripted((400, []), (404, [])) as server:
            found = Sender(server.url, rows=1, threads=1).close()
            self.assertEqual((found["flushed"], found["rejected"], found["retries"]), (True, 2, 0), found)
            self.assertIn("so it is", found["trouble"])
            self.assertIn("404", found["trouble"])

    def test_too_large_for_a_proxy(self):
        with Scripted((413, []), (413, [])) as server:
            found = Sender(server.url, rows=100, threads=1).close()
            self.assertEqual((found["flushed"], found["accepted"], found["rejected"]), (True, 200, 0), found)
            ids = {r["id"] for r in server.records("taken")}
            self.assertEqual(len(ids), 100)

    def test_ways_to_answer(self):
        with Scripted("in chunks", "until the end", "taken, then hang up") as server:
            found = Sender(server.url, rows=50, threads=1, pause_us=5000).close()
            self.assertEqual((found["flushed"], found["accepted"], found["retries"]), (True, 100, 0), found)
            self.assertGreater(len(server.bodies), 3)
            self.assertEqual(server.connections, 3)

    def test_nobody_answers(self):
        with socket.socket() as deaf:
            deaf.bind(("127.0.0.1", 0))
            deaf.listen()
            # Were one call to wait for an answer, the sender would not get as far as this.
            sender = Sender(f"http://127.0.0.1:{deaf.getsockname()[1]}", rows=10000, queue=SMALL)
            found = sender.close(ms=100)
            self.assertEqual((found["flushed"], found["accepted"]), (False, 0), found)
            self.assertEqual(found["dropped"], 40000)


if __name__ == "__main__":
    VIGIE, SENDER = sys.argv[1], sys.argv[2:]
    unittest.main(argv=sys.argv[:1])
