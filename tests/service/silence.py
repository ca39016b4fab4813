#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A model of `vigie serve` that is asked no more: an incident, told of once, that ends when something comes again.

usage: silence.py VIGIE     the last line says what was found
"""
import json
import pathlib
import signal
import sys
import tempfile
import time

from service import Checks, Hook, Service

checks = Checks()
expect, until = checks.expect, checks.until


def main():
    vigie = sys.argv[1]
    hook = Hook.start()
    with tempfile.TemporaryDirectory() as folder:
        data = str(pathlib.Path(folder) / "data")
        service = Service(vigie, data, more=["--notify", f"webhook(url={hook})"])
        sent = 0

        def send(model):
            nonlocal sent
            sent += 1
            expect("a prediction", service.ask("POST", f"/v1/models/{model}/predictions", json.dumps({"id": str(sent), "prediction": 1}).encode())[0], 202)

        def get(path):
            return service.ask("GET", path)[1]

        def state(model):
            return get(f"/v1/models/{model}")["state"]

        for wrong in (b'{"silent_after": "soon"}', b'{"silent_after": 5}', b'{"silent_after": "0s"}'):
            status, said = service.ask("PUT", "/v1/models/m", wrong)
            expect(f"PUT {wrong}", (status, said["error"].split(":")[0]), (400, "silent_after"))
        for model in ("m", "calm", "off"):
            config = {} if model == "calm" else {"silent_after": "3s"}
            if model == "off":
                config["monitors"] = [{"what": "silence", "severity": "off"}]
            expect("PUT", service.ask("PUT", f"/v1/models/{model}", json.dumps(config).encode())[0], 200)
            send(model)
        last = time.time()
        opened = until("an incident", lambda: get("/v1/incidents"), bool)
        expect("it is there within", 2.5 < time.time() - last < 10, True)
        expect("one incident", [(i["model"], i["severity"], [c["what"] for c in i["causes"]]) for i in opened], [("m", "critical", ["silence"])])
        expect("what it says", opened[0]["summary"].startswith("silence: no prediction came for"), True)
        expect("who is silent", [state(model) for model in ("m", "calm")], ["silent", "no_data"])
        expect("the page", "silent</span>" in service.ask("GET", "/", read=bytes.decode)[1], True)
        # Not again by a start anew, in whose absence nothing could come.
        service.end(signal.SIGKILL)
        service = Service(vigie, data, more=["--notify", f"webhook(url={hook})"])
        expect("behind a start", (state("m"), len(get("/v1/incidents"))), ("silent", 1))
        send("m")
        until("something came", lambda: state("m"), lambda found: found == "no_data")
        # Calm is once it is so for a minute.
        until("the end", lambda: get("/v1/incidents?model=m")[0]["state"], lambda found: found == "resolved", seconds=90)
        # What was sent when the kill came may be sent again.
        until("who was told", lambda: [told["status"] for told in Hook.told], lambda told: list(dict.fromkeys(told)) == ["firing", "resolved"])
        expect("one that nobody watches for silence", get("/v1/incidents?model=off"), [])
        expect("one whose pauses nobody knows", get("/v1/incidents?model=calm"), [])
        service.end()
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
