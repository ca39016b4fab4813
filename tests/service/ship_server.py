# SPDX-License-Identifier: Apache-2.0
"""A server that takes bulk requests as Elasticsearch does, keeps what it took, and fails as it is told to."""
import gzip
import http.server
import json
import random
import socket
import threading


def strict(text):
    """An object as a server reads it, which takes no name of a number and no key twice."""
    def names(name):
        raise ValueError(f"Non-standard token '{name}'")

    def members(pairs):
        if len(dict(pairs)) < len(pairs):
            raise ValueError("Duplicate field")
        return dict(pairs)
    return json.loads(text, parse_constant=names, object_pairs_hook=members)


def wrong_json(text):
    try:
        return strict(text) and None
    except ValueError as error:
        return {"status": 400, "error": {"type": "mapper_parsing_exception", "reason": f"failed to parse: {error}"}}


class Node:
    """`trouble(node, documents)` says what becomes of a bulk request before it is looked at: nothing, a status, a status and
    a body, "reset" (before anything is stored) or "lost" (all is stored, and nobody hears of it). `fate(node, document)`
    is the same of one document: nothing, or a status with an error."""

    def __init__(self, version=None, tls=None):
        self.version = version or {"number": "8.19.0", "build_flavor": "default"}
        self.stored, self.requests, self.headers, self.paths = {}, 0, [], []
        self.asked = []  # method, path, headers and body of each request
        self.indexes = {}
        self.trouble = self.fate = self.answer = lambda node, what: None
        self.post = None  # what is answered to a POST of anything else: post(node, path, body)
        self.lock, self.rng, self.stores = threading.Lock(), random.Random(1), 0
        node = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def reply(self, status, body, headers=()):
                body = body.encode() if isinstance(body, str) else json.dumps(body, separators=(",", ":")).encode()
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def reset(self):
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                self.close_connection = True
                self.connection.close()
                raise ConnectionResetError

            def do_GET(self):
                node.headers.append(dict(self.headers))
                node.asked.append(("GET", self.path, dict(self.headers), b""))
                said = node.answer(node, ("GET", self.path, None))
                if said:
                    return self.reply(*said)
                if self.path == "/":
                    return self.reply(200, {"name": "n", "version": node.version, "tagline": "You Know, for Search"})
                self.reply(404, {"error": "nothing", "status": 404})

            def body(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                node.asked.append((self.command, self.path, dict(self.headers), body))
                return gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body

            def do_PUT(self):
                body = self.body()
                said = node.answer(node, ("PUT", self.path, body))
                with node.lock:
                    node.paths.append((self.path, json.loads(body)))
                self.reply(*(said or (200, {"acknowledged": True})))

            def do_POST(self):
                body = self.body()
                if not self.path.startswith("/_bulk?") and node.post:
                    return self.reply(*node.post(node, self.path, body))
                assert self.path.startswith("/_bulk?"), self.path
                assert body.endswith(b"\n")
                lines = body.decode().split("\n")[:-1]
                documents = [(json.loads(lines[i])["create"], lines[i + 1]) for i in range(0, len(lines), 2)]
                with node.lock:
                    node.requests += 1
                    node.headers.append(dict(self.headers))
                    said = node.trouble(node, documents)
                    if said == "reset":
                        return self.reset()
                    if isinstance(said, int):
                        said = (said, "")
                    if isinstance(said, tuple):
                        return self.reply(*said)
                    items, errors = [], False
                    for action, text in documents:
                        key = action["_index"], action["_id"]
                        wrong = node.fate(node, text) or wrong_json(text)
                        item = {"_id": action["_id"]}
                        if wrong:
                            item |= wrong
                        elif key in node.stored:
                            item |= {"status": 409, "error": {"type": "version_conflict_engine_exception", "reason": "there"}}
                        else:
                            node.stored[key] = text
                            item["status"] = 201
                        errors |= "error" in item
                        items.append({"create": item})
                    if said == "lost":
                        return self.reset()
                    if said == "short":
                        items = items[:-1]
                    self.reply(200, {"errors": errors, "items": items})

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads, request_queue_size = True, 64

            def handle_error(self, *args):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.url = f"{'https' if tls else 'http'}://localhost:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def documents(self):
        return [json.loads(text) for text in self.stored.values()]
