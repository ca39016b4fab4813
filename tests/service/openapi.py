#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `vigie serve` answers is what its OpenAPI document says: Schemathesis makes requests from it, right ones and wrong
ones, and looks at the answers.

usage: openapi.py VIGIE     scripts/peers prepares Schemathesis; without it status 77: skipped.
"""
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

from service import Service


def main():
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    program = cache / "vigie" / "peers" / "venv" / "bin" / "schemathesis"
    if not program.exists():
        print("skipped: no Schemathesis; scripts/peers prepares it")
        return 77
    rng = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        token = "a-token-of-this-test-alone"
        service = Service(sys.argv[1], str(pathlib.Path(folder) / "data"), more=["--admin-token", "${TOKEN}"], env={**os.environ, "TOKEN": token})
        rows = [{"id": str(i), "timestamp": 1_700_000_000 + 60 * i, "features": {"x": rng.gauss(0, 1)}, "score": rng.random(),
                 "label": rng.choice("ab")} for i in range(3000)]
        body = "\n".join(map(json.dumps, rows)).encode()
        assert service.ask("POST", "/v1/models/m/reference", body, token=token)[0] == 202
        for row in rows:
            row["timestamp"] += 200_000
            row["features"]["x"] += 3
        body = "\n".join(map(json.dumps, rows)).encode()
        assert service.ask("POST", "/v1/models/m/predictions", body, token=token)[0] == 202
        # Not all that is wrong can be said in a schema, as a time that is to come; and of an array with one good record
        # that one is taken.
        done = subprocess.run([program, "run", service.url + "/openapi.json", "--seed", "1", "--max-examples", "15",
                               "--header", f"Authorization: Bearer {token}",
                               "--exclude-checks", "positive_data_acceptance,negative_data_rejection"], cwd=folder, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        alive = service.ask("GET", "/healthz")[0] == 200
        service.end()
    print(done.stdout[-8000:] if done.returncode or not alive else "")
    print(f"{2 - bool(done.returncode) - (not alive)} passed, {bool(done.returncode) + (not alive)} failed")
    return bool(done.returncode) or not alive


if __name__ == "__main__":
    sys.exit(main())
