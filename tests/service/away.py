#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A cluster as the store that nobody ever reaches: records are taken, and what is wrong is said once.

usage: away.py VIGIE     the last line says what was found
"""
import os
import pathlib
import re
import sys
import tempfile
import time

from service import Checks, Service

os.environ.pop("VIGIE_TEST_STORE", None)
checks = Checks()
with tempfile.TemporaryDirectory() as made:
    folder = pathlib.Path(made)
    said = folder / "log"
    service = Service(sys.argv[1], str(folder / "data"), more=["--store", "elastic(to=http://127.0.0.1:9)"], said=said.open("w"))
    checks.expect("predictions are taken", service.ask("POST", "/v1/models/m/predictions", b'{"id": "1", "features": {"x": 1}}')[0], 202)
    time.sleep(7)  # all who need the store have tried again
    status, found = service.ask("GET", "/v1/models/m/windows")
    checks.expect("windows", (status, found["where"], found["error"].startswith("http://127.0.0.1:9: ")), (503, "store", True))
    lines = said.read_text().splitlines()
    checks.expect("said once", [bool(re.fullmatch(pattern, line)) for pattern, line in zip(
        (r"what is accepted waits: http://127\.0\.0\.1:9: .*onnect.*", "audit log: the start is not in it, as its store does not answer"), lines)],
        [True, True])
    checks.expect("and nothing else", lines[2:], [])
    service.end()
    checks.expect("its end", said.read_text().splitlines()[2:], ["audit log: the end is not in it, as its store does not answer"])
sys.exit(checks.end())
