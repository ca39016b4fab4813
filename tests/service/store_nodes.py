#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What holds with a file as the store, asked again with real nodes of OpenSearch and Elasticsearch: the tests of the store
itself, and whole services.

usage: store_nodes.py VIGIE STORE_TEST [VERSION…]     status 77: no node is to be had
"""
import os
import pathlib
import subprocess
import sys
import tempfile

from search_nodes import Search, versions

SERVICES = "windows", "incidents", "merged", "references", "ops", "maintenance", "killed"
here = pathlib.Path(__file__).resolve().parent
passed = failed = 0
for version in versions(sys.argv[3:]):
    with tempfile.TemporaryDirectory() as folder:
        node = Search(version, folder)
        runs = [("the store", [sys.argv[2], "--gtest_filter=*lastic*"])]
        runs += [(name, [sys.executable, here / f"{name}.py", sys.argv[1]]) for name in SERVICES]
        for name, command in runs:
            done = subprocess.run(command, env=os.environ | {"VIGIE_TEST_ELASTIC": node.url, "VIGIE_TEST_STORE": node.url},
                                  capture_output=True, text=True)
            good = done.returncode == 0 and "SKIPPED" not in done.stdout
            passed, failed = passed + good, failed + (not good)
            print(f"{version}: {name}: {done.stdout.splitlines()[-1] if good else done.stdout[-4000:] + done.stderr[-2000:]}")
        node.kill()
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
