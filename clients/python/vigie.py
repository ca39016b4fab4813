# SPDX-License-Identifier: Apache-2.0
"""Sends what a model predicted, and later the labels, to `vigie serve`. One file, Python 3.8, standard library only.

    import vigie
    client = vigie.Client("http://127.0.0.1:8090", "credit")
    id = client.predict(features={"age": 41, "country": "FR"}, prediction="yes", score=0.81)
    client.label(id, "no")
    client.close()                       # or: with vigie.Client(...) as client:

A call appends to a queue and returns: it neither waits for the service nor raises. A thread of the client's own writes
the JSON, sends it in batches and repeats what was not answered. Where the queue is full, because nobody answers or the
network is too slow, new records are dropped and counted. A batch whose answer was lost is sent again: by its ids the
service counts it once. What goes wrong is told by `client.counters()`, and by nothing else. When the program ends,
what waits is sent for two seconds at most. A forked child has a queue and a thread of its own.
"""
import atexit
import collections
import http.client
import itertools
import json
import os
import random
import threading
import time
import urllib.parse
import uuid
import weakref

__all__ = ["Client"]

_clients = weakref.WeakSet()
_PREDICTION, _LABEL = 0, 1
_KINDS = ("predictions", "labels")
_MISSING = ("NAType", "NaTType")  # of pandas


class Client:
    """What of `model` is sent to the service at `url`, http:// or https://. Any thread may call; ValueError here alone.

    queue: records that may wait, about 2 kB each with 20 features     token: for `Authorization: Bearer …`
    batch: records in a request, at most                               interval: seconds that a record waits for others
    answer: seconds until the service must have answered
    """

    def __init__(self, url, model, *, token=None, queue=50_000, batch=1_000, interval=0.5, answer=10.0):
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError(f"{url!r} is no address of a service, as http://127.0.0.1:8090")
        if not model or len(model.encode()) > 200:
            raise ValueError("the name of a model has 1 to 200 bytes")
        if token and not (token.isascii() and token.isprintable()):
            raise ValueError("the token has characters that no header may have")
        kind, port = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection, parts.port
        self._connect = lambda: kind(parts.hostname, port, timeout=answer)
        self._path = f"{parts.path.rstrip('/')}/v1/models/{urllib.parse.quote(model, safe='')}/"
        self._headers = {"Content-Type": "application/x-ndjson", "User-Agent": "vigie-python"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._room, self._most, self._interval = int(queue), int(batch), float(interval)
        self._fresh()
        _clients.add(self)

    def predict(self, id=None, features=None, prediction=None, score=None, **more):
        """A prediction: its id, made where it is None, is returned.

        score: a number, or for several classes a dict of numbers. more: version, latency_ms, tags, boxes, timestamp
        (without one it is now) and whatever else a record may have. NaN is null; values of numpy are taken as Python's.
        """
        try:
            if id is None:
                id = self._prefix + str(next(self._ids))
            # A copy: the caller may go on with his.
            self._add((_PREDICTION, time.time(), id, dict(features) if features else None, prediction, score, more))
        except Exception as error:
            self._count_failed(error)
        return id

    def label(self, id, label=None, timestamp=None, **more):
        """The label of a prediction, before or after it. more: boxes and image_size, of objects in an image."""
        try:
            self._add((_LABEL, time.time(), id, label, timestamp, more))
        except Exception as error:
            self._count_failed(error)

    def flush(self, timeout=10.0):
        """Waits until all that was sent before is answered; whether it is. What was rejected is answered too."""
        if self._closed:
            return not self._queue
        target = self._taken + len(self._queue)
        until = time.monotonic() + timeout
        self._flush_to = max(self._flush_to, target)
        self._hurry.set()
        self._wake.set()
        while self._settled < target and time.monotonic() < until:
            time.sleep(0.002)
        return self._settled >= target

    def close(self, timeout=10.0):
        """Sends what waits; what is not answered by then is dropped. Calls afterwards are counted as dropped."""
        if self._closed:
            return
        self._until = time.monotonic() + timeout
        self._closed = True
        self._hurry.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout + 0.1)
        _clients.discard(self)

    def counters(self):
        """sent = accepted + duplicates + rejected + dropped + failed + waiting, in records; also retries, of requests,
        and trouble: what went wrong last.

        accepted: answered 202, they last. duplicates: the service had their ids already. rejected: refused by the
        service. dropped: for want of room, or not answered when the client was closed. failed: no JSON.
        """
        counts = dict(self._counts)
        counts["dropped"] += self._dropped
        counts["failed"] += self._failed
        ended = self._closed and (self._thread is None or not self._thread.is_alive() or time.monotonic() > self._until)
        sent = self._taken + len(self._queue) + self._dropped + self._failed
        waiting = sent - sum(counts.values())
        if ended:
            counts["dropped"] += waiting
            waiting = 0
        return {"sent": sent, **counts, "waiting": waiting, "retries": self._retries, "trouble": self._trouble}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # What callers do.

    def _fresh(self):  # also in a forked child: what the parent's queue holds is the parent's to send
        connection = getattr(self, "_connection", None)
        if connection is not None and connection.sock is not None:
            os.close(connection.sock.detach())  # close() might wait for a lock that the parent's thread had
        self._queue = collections.deque()
        self._lock = threading.Lock()
        self._wake, self._hurry = threading.Event(), threading.Event()
        self._thread = None
        self._closed = getattr(self, "_closed", False)
        self._until = float("inf")
        self._prefix = os.urandom(8).hex() + "-"
        self._ids = itertools.count()
        self._dropped = self._failed = 0  # by callers
        self._taken = self._settled = self._flush_to = self._retries = 0
        self._counts = dict.fromkeys(("accepted", "duplicates", "rejected", "dropped", "failed"), 0)
        self._trouble = ""
        self._connection = None

    def _add(self, record):
        queue = self._queue
        if len(queue) >= self._room or self._closed:
            with self._lock:
                self._dropped += 1
            return
        queue.append(record)
        if self._thread is None:
            self._start()
        if len(queue) >= self._most and not self._wake.is_set():
            self._wake.set()

    def _start(self):
        with self._lock:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="vigie", daemon=True)
                try:
                    thread.start()
                    self._thread = thread
                except RuntimeError as error:  # no more threads: the next call tries again
                    self._trouble = str(error)

    def _count_failed(self, error):
        with self._lock:
            self._failed += 1
        self._trouble = f"{type(error).__name__}: {error}"

    # What the thread does.

    def _run(self):
        while True:
            due = time.monotonic() + self._interval
            while len(self._queue) < self._most and self._flush_to <= self._taken and not self._closed:
                if not self._wake.wait(max(0.0, due - time.monotonic())):
                    break
                self._wake.clear()
            closing, left = self._closed, len(self._queue)
            while left > 0 and time.monotonic() < self._until:
                left -= self._batch(min(left, self._most))
            if closing:
                break
        if self._connection is not None:
            self._connection.close()

    def _batch(self, size):
        lines = ([], [])
        for i in range(size):
            record = self._queue.popleft()
            self._taken += 1
            try:
                lines[record[0]].append(_line(record))
            except Exception as error:
                self._counts["failed"] += 1
                self._trouble = f"{type(error).__name__}: {error}"
            if i % 32 == 31:
                time.sleep(0)  # else callers may wait for the interpreter's lock for 5 ms
        for kind in (_PREDICTION, _LABEL):
            if lines[kind]:
                self._deliver(_KINDS[kind], lines[kind])
        self._settled = self._taken
        return size

    def _deliver(self, kind, lines):
        """Until the records are answered, or the client's time is over."""
        body, pause = b"\n".join(lines), 0.1
        while time.monotonic() < self._until:
            status, wait, answer = self._ask(self._path + kind, body)
            known = answer.get("accepted"), answer.get("duplicates")
            if 200 <= status < 300 and None not in known:
                rejected = answer.get("rejected") or []
                self._counts["accepted"] += known[0]
                self._counts["duplicates"] += known[1]
                self._counts["rejected"] += len(lines) - sum(known)
                if rejected:
                    self._trouble = f"answered {status}: {rejected[0].get('error')}"
                return
            if status:
                self._trouble = f"answered {status}: {answer.get('error')}"
            if status == 413 and len(lines) > 1:  # a proxy allows less: in two halves
                self._deliver(kind, lines[:len(lines) // 2])
                self._deliver(kind, lines[len(lines) // 2:])
                return
            if status and status not in (408, 429) and status < 500:
                self._counts["rejected"] += len(lines)
                return
            self._retries += 1
            wait = max(min(wait, 60.0), pause) * random.uniform(1, 2)
            self._hurry.wait(max(0.0, min(wait, self._until - time.monotonic())))
            self._hurry.clear()
            pause = min(2 * pause, 10.0)

    def _ask(self, path, body):
        """One attempt: the status, 0 where nobody answered; Retry-After; the answer."""
        while True:
            kept = self._connection is not None
            if not kept:
                self._connection = self._connect()
            try:
                try:
                    self._connection.request("POST", path, body, self._headers)
                except BrokenPipeError:
                    pass  # perhaps there is an answer all the same
                reply = self._connection.getresponse()
                text = reply.read()
                if reply.will_close:
                    self._connection.close()
                    self._connection = None
                after = reply.getheader("Retry-After", "")
                return reply.status, float(after) if after.isdigit() else 0.0, _object(text)
            except Exception as error:
                self._connection.close()
                self._connection = None
                # A kept connection may have been closed as the request went out: that is no trouble.
                if kept and isinstance(error, (ConnectionError, http.client.BadStatusLine)):
                    continue
                self._trouble = f"{type(error).__name__}: {error}"
                return 0, 0.0, {}


def _object(text):
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {}


def _line(record):
    """The record as JSON; whatever is no JSON raises."""
    kind, now, id, *rest = record
    out = {"id": id, "timestamp": int(now * 1e6)}
    if kind == _LABEL:
        label, timestamp, more = rest
        if label is not None or not more:
            out["label"] = label
        if timestamp is not None:
            out["timestamp"] = timestamp
        out.update(more)
    else:
        features, prediction, score, more = rest
        out["features"] = features or {}
        if prediction is not None:
            out["prediction"] = prediction
        if score is not None:
            out["scores" if isinstance(score, dict) else "score"] = score
        out.update(more)
    try:
        return _encode(out).encode()
    except (ValueError, TypeError):  # NaN, or a key that is no text
        return _encode(_plain(out)).encode()


def _plain(value):
    """What JSON has for it."""
    if isinstance(value, dict):
        return {str(_plain(k)): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(v) for v in value]
    if isinstance(value, float):
        return float(value) if value - value == 0 else None
    if value is None or isinstance(value, (str, int)):
        return value
    return _plain(_default(value))


def _default(value):
    """Of a value that JSON does not know."""
    if type(value).__name__ in _MISSING:
        return None
    for method in ("tolist", "isoformat", "item"):  # arrays and scalars of numpy and the like, times
        if hasattr(value, method):
            return getattr(value, method)()
    if isinstance(value, (set, frozenset)):
        return list(value)
    if isinstance(value, complex) or not hasattr(value, "__float__"):
        if isinstance(value, uuid.UUID):
            return str(value)
        raise TypeError(f"{type(value).__name__} is no JSON")
    return float(value)  # as Decimal


_encode = json.JSONEncoder(allow_nan=False, separators=(",", ":"), check_circular=False, default=_default).encode


@atexit.register
def _end():
    until = time.monotonic() + 2
    for client in list(_clients):
        client.close(max(0.0, until - time.monotonic()))


def _child():
    for client in list(_clients):
        client._fresh()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_child)
