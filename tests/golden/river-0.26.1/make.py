#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Alarms of River's detectors on seeded streams, for src/detect/golden_test.cc.

One line each: the detector as vigie writes it, a tab, kind and seed of the stream, a tab, indices of its drifts.
usage: pip install river==0.26.1 && python make.py > alarms.txt
"""
import random

from river import drift
from river.drift import binary

ERRORS = {
    "ddm(parity=river)": lambda: binary.DDM(),
    "ddm(parity=river, warm_start=10, drift_threshold=2.5)": lambda: binary.DDM(warm_start=10, drift_threshold=2.5),
    "eddm(parity=river)": lambda: binary.EDDM(),
    "eddm(parity=river, alpha=0.9, beta=0.8)": lambda: binary.EDDM(alpha=0.9, beta=0.8),
    "hddm_a(parity=river)": lambda: binary.HDDMA(),
    "hddm_a(parity=river, two_sided_test=true)": lambda: binary.HDDMA(two_sided_test=True),
    "hddm_w(parity=river)": lambda: binary.HDDMW(),
    "hddm_w(parity=river, two_sided_test=true, lambda_val=0.1)": lambda: binary.HDDMW(two_sided_test=True, lambda_val=0.1),
    "fhddm(parity=river)": lambda: binary.FHDDM(),
    "fhddm(parity=river, short_window_size=25)": lambda: binary.FHDDM(short_window_size=25),
    "adwin(parity=river)": lambda: drift.ADWIN(),
}
VALUES = {
    "adwin(parity=river)": lambda: drift.ADWIN(),
    "adwin(parity=river, delta=0.05, clock=8, min_window_length=10)":
        lambda: drift.ADWIN(delta=0.05, clock=8, min_window_length=10),
    "page_hinkley(parity=river)": lambda: drift.PageHinkley(),
    "page_hinkley(parity=river, threshold=10, mode=up)": lambda: drift.PageHinkley(threshold=10, mode="up"),
    "page_hinkley(parity=river, threshold=10, mode=down)": lambda: drift.PageHinkley(threshold=10, mode="down"),
    "kswin(parity=river, seed=7)": lambda: drift.KSWIN(seed=7),
    "kswin(parity=river, seed=8, alpha=0.001, window_size=300, stat_size=40)":
        lambda: drift.KSWIN(seed=8, alpha=0.001, window_size=300, stat_size=40),
}


def stream(kind, seed):
    """Four parts of 800 values, each with a level of its own."""
    rng = random.Random(seed)
    out = []
    for _ in range(4):
        level = rng.random()
        for _ in range(800):
            out.append(int(rng.random() < level * level) if kind == "errors" else 3 * level + rng.random() + rng.random())
    return out


def main():
    for kind, table in (("errors", ERRORS), ("values", VALUES)):
        for name, make in table.items():
            for seed in range(1, 9):
                detector, found = make(), []
                for i, x in enumerate(stream(kind, seed)):
                    detector.update(x)
                    if detector.drift_detected:
                        found.append(i)
                print(f"{name}\t{kind} {seed}\t{' '.join(map(str, found))}")


if __name__ == "__main__":
    main()
