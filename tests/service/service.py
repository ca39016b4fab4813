# SPDX-License-Identifier: Apache-2.0
"""A `vigie serve` that a test starts, asks and ends."""
import http.client
import json
import re
import subprocess


class Service:
    def __init__(self, vigie, folder, port=0):
        self.process = subprocess.Popen([vigie, "serve", "--listen", f"127.0.0.1:{port}", "--data", folder],
                                        stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        found = re.fullmatch(r"listening on http://127\.0\.0\.1:(\d+)\n", line)
        if not found:
            raise SystemExit(f"FAILED: the service said {line!r}")
        self.port = int(found[1])

    def ask(self, method, path, body=None, read=json.loads):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, path, body)
        reply = connection.getresponse()
        return reply.status, read(reply.read())

    def end(self, how):
        self.process.send_signal(how)
        return self.process.wait()
