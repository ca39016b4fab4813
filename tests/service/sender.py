# SPDX-License-Identifier: Apache-2.0
"""What clients.py has sent by the Python client; sender.c is its like, and says more.

usage: sender.py URL MODEL ROWS THREADS QUEUE_BYTES PAUSE_US
"""
import json
import math
import pathlib
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(sys.argv[0]).resolve().parents[2] / "clients" / "python"))
import vigie  # noqa: E402


def send_rows(client, thread, rows, pause):
    for i in range(rows):
        id = f"{thread}-{i}"
        client.predict(id, features={"x": i}, prediction="yes")
        client.label(id, "yes" if i % 3 else "no")
        if pause:
            time.sleep(pause)


def send_odd(client):
    client.predict("odd", timestamp=1800000000, prediction="a\"b\\c\n\x01é", score=math.nan,
                   features={"count": 41, "half": -0.5, "price": 1234.56, "third": 1 / 3, "tiny": 1e-7, "large": 1e300,
                             "endless": -math.inf, "none": None, "latin \ufffd": "\ufffd\ufffdx\ufffd\ufffd\ufffd"})
    client.predict("lines", timestamp=1800000000)
    id = client.predict(timestamp=1800000000)
    client.label(id, 1.5)
    client.label("none", None)
    client.predict("long", features={"text": object()})


def main():
    url, model, rows, threads, queue, pause = sys.argv[1:]
    client = vigie.Client(url, model, queue=int(queue) // 100, interval=0.02, answer=600, token="secret")
    if rows == "odd":
        send_odd(client)
    else:
        running = [threading.Thread(target=send_rows, args=(client, i, int(rows), int(pause) / 1e6))
                   for i in range(int(threads))]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
    print("called", flush=True)
    seconds = int(sys.stdin.readline()) / 1000
    flushed = client.flush(seconds)
    left = client.counters()["waiting"]
    client.close(seconds)
    print(json.dumps({"flushed": flushed, "left": left, **client.counters()}))


main()
