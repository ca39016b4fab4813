#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""deploy/Dockerfile and deploy/kubernetes/vigie.yaml as hadolint and Kubernetes's own schemas see them, and that those see what is wrong.

usage: deploy_lint.py     exit status 77 where the packages of scripts/peers are not there
"""
import pathlib
import subprocess
import sys
import tempfile

from service import Checks

ROOT = pathlib.Path(__file__).resolve().parents[2]
peers = pathlib.Path(subprocess.run([ROOT / "scripts" / "peers"], capture_output=True, text=True).stdout.split()[-1])
hadolint, validate = (peers / "venv" / "bin" / name for name in ("hadolint", "kubernetes-validate"))
if not (hadolint.exists() and validate.exists()):
    print("hadolint and kubernetes-validate are not there: scripts/peers installs them")
    sys.exit(77)
checks = Checks()
dockerfile, manifest = ROOT / "deploy" / "Dockerfile", ROOT / "deploy" / "kubernetes" / "vigie.yaml"
OLDEST, NEWEST = "1.25", "1.37"


def lint(path):
    done = subprocess.run([hadolint, "--no-color", path], capture_output=True, text=True)
    return done.returncode, done.stdout


def valid(path, version):
    done = subprocess.run([validate, "--strict", "--quiet", "-k", version, path], capture_output=True, text=True)
    return done.returncode


checks.expect("Dockerfile", lint(dockerfile), (0, ""))
for version in OLDEST, NEWEST:
    checks.expect(f"manifest, Kubernetes {version}", valid(manifest, version), 0)
with tempfile.TemporaryDirectory() as made:
    wrong = pathlib.Path(made) / "wrong"
    wrong.write_text(dockerfile.read_text().replace("USER 10001:0", "RUN sudo true\nUSER root"))
    code, said = lint(wrong)
    checks.expect("a Dockerfile with sudo and root", (code, "DL3004" in said, "DL3002" in said), (1, True, True))
    text = manifest.read_text()
    for old, new in (("replicas: 1", "replica: 1"), ("replicas: 1", "replicas: one"), ("readOnlyRootFilesystem", "readonlyRootFilesystem")):
        checks.expect(f"{old} is there", old in text, True)
        wrong.write_text(text.replace(old, new))
        checks.expect(f"a manifest with {new}", valid(wrong, NEWEST) != 0, True)
sys.exit(checks.end())
