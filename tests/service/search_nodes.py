# SPDX-License-Identifier: Apache-2.0
"""Real nodes of OpenSearch and Elasticsearch that a test starts, asks and kills."""
import http.client
import json
import pathlib
import socket
import subprocess
import sys
import threading

from service import free_port

ROOT = pathlib.Path(__file__).resolve().parents[2]
VERSIONS = "opensearch-2.19.1", "elasticsearch-7.10.2", "opensearch-3.8.0"
peers = pathlib.Path(subprocess.run([ROOT / "scripts" / "peers"], capture_output=True, text=True).stdout.split()[-1])


def versions(asked):
    """Those that are asked for, or all that are there; ends the test where none is."""
    found = [name for name in asked or VERSIONS if (peers / f"{name}.classpath").exists()]
    if not found:
        print("no search node is to be had: Maven and a JDK of 17 are needed")
        sys.exit(77)
    return found


class Search:
    def __init__(self, version, folder, *settings):
        self.version, self.folder, self.port, self.settings = version, folder, free_port(), settings
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self):
        classes = (peers / f"{self.version}.classpath").read_text().strip()
        own = peers / f"{self.version}.java"
        java = own.read_text().strip() if own.exists() else "java"
        self.process = subprocess.Popen([java, "-Xms512m", "-Xmx512m", "-Djava.awt.headless=true", "-cp", f"{classes}:{peers / 'search_node'}", "Node",
                                         self.folder, str(self.port), *self.settings],
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        while (line := self.process.stdout.readline()) != "READY\n":
            if not line:
                raise SystemExit(f"FAILED: {self.version} does not start")
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        connection.request(method, path, json.dumps(body) if body is not None else None, {"Content-Type": "application/json"})
        reply = connection.getresponse()
        text = reply.read()
        connection.close()
        return reply.status, json.loads(text) if text.startswith((b"{", b"[")) else text.decode()

    def relay(self):
        return Relay(self.port)

    def count(self, index):
        self.ask("POST", f"/{index}/_refresh")
        return self.ask("GET", f"/{index}/_count")[1].get("count")

    def distinct(self, index, field="id"):
        """Records that have a document."""
        body = {"size": 0, "aggs": {"n": {"terms": {"field": field, "size": 65_000}}}}
        return len(self.ask("POST", f"/{index}/_search", body)[1]["aggregations"]["n"]["buckets"])


class Relay:
    """A way to a node that can be shut."""

    def __init__(self, to):
        self.to, self.open, self.ends = to, True, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            here, _ = self.listener.accept()
            if not self.open:
                here.close()
                continue
            there = socket.create_connection(("127.0.0.1", self.to))
            self.ends += [here, there]
            for source, target in (here, there), (there, here):
                threading.Thread(target=self.pass_on, args=(source, target), daemon=True).start()

    def pass_on(self, source, target):
        try:
            while some := source.recv(1 << 16):
                target.sendall(some)
        except OSError:
            pass
        self.shut(source, target)

    def shut(self, *ends):
        for end in ends:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.open = False
        self.shut(*self.ends)
