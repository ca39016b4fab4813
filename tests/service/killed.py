#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills `vigie serve` at any instant while many send to it, and counts.

Every row is sent until it is answered, after a kill again: what was answered 202 must be there, once. At the end the
service must count each id once, and a fresh start must count the same.
usage: killed.py VIGIE [ROUNDS]     the last line says what was found
"""
import http.client
import json
import pathlib
import random
import signal
import sys
import tempfile
import threading
import time

from service import Service

SENDERS, BATCH = 4, 20


def main():
    vigie, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 10
    rng = random.Random(1)
    answered, wrong = 0, []
    lock = threading.Lock()
    with tempfile.TemporaryDirectory() as folder:
        data = str(pathlib.Path(folder) / "data")
        waiting = [[] for _ in range(SENDERS)]  # batches that are not answered yet
        counter = [0] * SENDERS

        def send(sender, service, stop):
            nonlocal answered
            while not stop.is_set() or waiting[sender]:
                if not waiting[sender]:
                    first = counter[sender]
                    counter[sender] += BATCH
                    ids = [f"{sender}-{first + i}" for i in range(BATCH)]
                    waiting[sender].append(ids)
                ids = waiting[sender][0]
                body = "\n".join(json.dumps({"id": i, "features": {"x": 1}}) for i in ids)
                try:
                    status, reply = service.ask("POST", "/v1/models/m/predictions", body)
                except (OSError, http.client.HTTPException):
                    return  # killed: the next round sends it again
                if status != 202 or reply["accepted"] + reply["duplicates"] != BATCH or reply["rejected"]:
                    wrong.append(f"{status} {reply}")
                    return
                waiting[sender].pop(0)
                with lock:
                    answered += BATCH

        for turn in range(rounds + 1):
            service = Service(vigie, data)
            _, models = service.ask("GET", "/v1/models")
            counted = models[0]["predictions"] if models else 0
            if counted < answered:
                wrong.append(f"start {turn}: {answered} answered, {counted} there")
            stop = threading.Event()
            threads = [threading.Thread(target=send, args=(s, service, stop)) for s in range(SENDERS)]
            for thread in threads:
                thread.start()
            if turn == rounds:
                stop.set()
                for thread in threads:
                    thread.join()
                break
            time.sleep(rng.uniform(0.02, 0.4))
            service.end(signal.SIGKILL)
            for thread in threads:
                thread.join()
        sent = sum(counter)
        time.sleep(1)
        _, models = service.ask("GET", "/v1/models")
        if models[0]["predictions"] != sent:
            wrong.append(f"{sent} sent, {models[0]['predictions']} counted")
        if (code := service.end(signal.SIGTERM)) != 0:
            wrong.append(f"SIGTERM ended it with {code}")
        service = Service(vigie, data)
        _, models = service.ask("GET", "/v1/models")
        if models[0]["predictions"] != sent:
            wrong.append(f"{sent} sent, {models[0]['predictions']} after a fresh start")
        service.end(signal.SIGTERM)
    for line in wrong:
        print(line)
    print(f"{rounds} kills, {sent} rows sent, {answered} answered, {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
