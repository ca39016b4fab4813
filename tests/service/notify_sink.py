#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An HTTP receiver with bad days, and what becomes of notices there.

Paths: /ok 200; /flaky 500 and then 200, for each request anew; /busy 429 with Retry-After: 1, once, then 200; /no 404;
/dead always 503; /slow answers once all is over; /reset cuts the first connection of each request.
usage: notify_sink.py DELIVER      the last line says what was found
"""
import collections
import http.server
import json
import socket
import struct
import subprocess
import sys
import threading
import time

seen = collections.defaultdict(list)  # path → (time, webhook-id, status of the body) of each request
lock = threading.Lock()
done = threading.Event()


class Sink(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        path, message = self.path, self.headers["webhook-id"]
        with lock:
            first = all(known != message for _, known, _ in seen[path])
            number = len(seen[path])
            seen[path].append((time.monotonic(), message, body["notice"]))
        if path == "/reset" and first:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
            return
        if path == "/slow":
            done.wait(60)
        status = {"/flaky": 500 if first else 200, "/busy": 429 if number == 0 else 200, "/no": 404, "/dead": 503}.get(path, 200)
        self.send_response(status)
        if status == 429:
            self.send_header("Retry-After", "1")
        self.send_header("Content-Length", "0")
        self.end_headers()


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_port
    unheard = socket.socket()  # a port that takes no connection
    unheard.bind(("127.0.0.1", 0))
    names = ["ok", "flaky", "busy", "no", "dead", "reset", "slow"]
    specs = [f"webhook(name={n}, per_minute=6000, url=http://127.0.0.1:{port}/{n})" for n in names]
    specs.append(f"webhook(name=nobody, per_minute=6000, url=http://127.0.0.1:{unheard.getsockname()[1]}/hush)")
    # It ends with the slow one's three left, whose first is under way, and breaks that off.
    run = subprocess.run([sys.argv[1], "3", *specs], capture_output=True, text=True, timeout=50)
    done.set()
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    wrong = []

    def expect(what, found, wanted):
        if found != wanted:
            wrong.append(f"{what}: {found}, expected {wanted}")

    expect("exit status", run.returncode, 0)
    told, states = lines[:-1], {s["name"]: s for s in lines[-1]["states"]}
    for name, sent, dead in [("ok", 3, 0), ("flaky", 3, 0), ("busy", 3, 0), ("reset", 3, 0), ("no", 0, 3), ("dead", 0, 3), ("nobody", 0, 3)]:
        expect(f"{name}: sent and dead", (states[name]["sent"], states[name]["dead"]), (sent, dead))
    expect("slow: waiting and requests", (states["slow"]["waiting"], len(seen["/slow"])), (3, 1))
    for name in names[:3]:
        kinds = [kind for _, _, kind in seen["/" + name]]
        expect(f"{name}: order", list(dict.fromkeys(kinds)), ["opened", "worse", "resolved"])
    expect("flaky: requests", len(seen["/flaky"]), 6)
    expect("reset: requests", len(seen["/reset"]), 6)
    expect("dead: requests", len(seen["/dead"]), 12)
    expect("no: requests", len(seen["/no"]), 3)
    expect("flaky: ids", len({message for _, message, _ in seen["/flaky"]}), 3)
    if (waited := seen["/busy"][1][0] - seen["/busy"][0][0]) < 0.99:
        wrong.append(f"busy: tried again after {waited:.2f} s, Retry-After was 1")
    if "hush" in run.stdout + run.stderr:
        wrong.append("a secret was shown")
    for line in wrong:
        print(line)
    print(f"{sum(len(r) for r in seen.values())} requests, {len(told)} outcomes, {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
