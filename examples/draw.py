#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws the examples from the demo's tables.  usage: draw.py FOLDER_OF_TABLES OUT"""
import csv
import os
import random
import sys

KEPT = ["id", "scheduled", "carrier", "origin", "dest", "hour", "distance", "seats", "temp", "humid", "wind_speed",
        "visib", "score", "prediction", "label"]

tables, out = sys.argv[1:]
draw = random.Random(2013)
for name, month in (("reference", ""), ("current", "-07-")):
    with open(os.path.join(tables, name + ".csv"), newline="") as f:
        rows = [r for r in csv.DictReader(f) if month in r["scheduled"]]
    chosen = sorted(draw.sample(range(len(rows)), 300))
    with open(os.path.join(out, name + ".csv"), "w", newline="") as f:
        writer = csv.DictWriter(f, KEPT, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows[i] for i in chosen)
