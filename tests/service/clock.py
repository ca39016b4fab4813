#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A clock that jumps while `vigie serve` runs, and while it does not: nothing is lost or counted twice, and once the clock
is right again its windows go on.

usage: clock.py VIGIE     scripts/peers prepares libfaketime; without it status 77: skipped. The last line says what was found.
"""
import datetime
import json
import os
import pathlib
import random
import sys
import tempfile
import time

from service import Checks, Service

LIBRARY = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "vigie" / "peers" / "libfaketimeMT.so.1"
HOUR, DAY, EACH = 3600, 86400, 60
checks = Checks()
expect, until = checks.expect, checks.until
rng = random.Random(1)


def main():
    if not LIBRARY.exists():
        print("skipped: no libfaketime; scripts/peers prepares it")
        return 77
    with tempfile.TemporaryDirectory() as name:
        folder, begin = pathlib.Path(name), int(time.time()) // DAY * DAY - 30 * DAY
        hands, sent = folder / "clock", 0

        def turn(seconds):
            hands.write_text(f"{seconds - time.time():+.0f}")

        turn(begin)
        env = {**os.environ, "LD_PRELOAD": str(LIBRARY), "ASAN_OPTIONS": "verify_asan_link_order=0", "FAKETIME_TIMESTAMP_FILE": str(hands), "FAKETIME_NO_CACHE": "1",
               "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        start = lambda: Service(sys.argv[1], str(folder / "data"), env=env)
        service = start()
        row = lambda name, at: json.dumps({"id": name, "features": {"x": round(rng.gauss(0, 1), 3)}, **({"timestamp": at} if at else {})})
        reference = [row(f"r{i}", begin - 3 * DAY + i * 60) for i in range(4000)]
        service.ask("PUT", "/v1/models/m", '{"window": "hour"}')
        expect("reference", service.ask("POST", "/v1/models/m/reference", "\n".join(reference))[0], 202)

        def send(at, said):
            """Rows of the hour that the clock shows; with their times, or with that of their arrival."""
            nonlocal sent
            turn(at)
            body = "\n".join(row(f"p{sent + i}", at - 30 + i / 10 if said else None) for i in range(EACH))
            status, reply = service.ask("POST", "/v1/models/m/predictions", body)
            expect(f"answer at {at - begin} s", (status, reply["accepted"]), (202, EACH))
            sent += EACH

        jumps = [600, 4200, 600, -3 * HOUR, 2 * HOUR, 400 * DAY, 2 * HOUR, -20 * 365 * DAY, 400 * DAY + 60, 3 * HOUR]
        for i, jump in enumerate(jumps):
            send(begin + jump, said=i % 2 == 0)
            expect(f"it is well at {jump} s", service.ask("GET", "/healthz")[0], 200)
            if i in (3, 6):
                service.counted("m", sent)
                service.process.kill()
                service.process.wait()
                turn(begin + jump + (10 * DAY if i == 3 else -10 * DAY))
                service = start()
        expect("all are counted, once", service.counted("m", sent)[0], sent)
        for hour in (4, 5, 6):
            for minute in (5, 15):
                send(begin + hour * HOUR + 60 * minute, said=True)
                service.counted("m", sent)
                time.sleep(0.5)
        found = until("windows go on once the clock is right", lambda: service.ask("GET", "/v1/models/m/windows")[1],
                      lambda windows: begin + 5 * HOUR in [w["start_seconds"] for w in map(with_start, windows)])
        expect("with all of their rows", [w["rows"] for w in map(with_start, found) if w["start_seconds"] == begin + 5 * HOUR],
               [2 * EACH])
        starts = [with_start(w)["start_seconds"] for w in found]
        expect("each window once", len(starts), len(set(starts)))
        expect("all are counted at the end", service.counted("m", sent)[0], sent)
        service.end()
    return checks.end()


def with_start(window):
    return {**window, "start_seconds": int(datetime.datetime.fromisoformat(window["start"].replace("Z", "+00:00")).timestamp())}


if __name__ == "__main__":
    sys.exit(main())
