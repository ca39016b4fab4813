#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws the examples from the demo's tables: 300 rows a table, and for `vigie demo` an eighth of all of them, packed
with zstd.  usage: draw.py FOLDER_OF_TABLES OUT"""
import csv
import os
import random
import subprocess
import sys

KEPT = ["id", "scheduled", "carrier", "origin", "dest", "hour", "distance", "seats", "temp", "humid", "wind_speed",
        "visib", "score", "prediction", "label"]

tables, out = sys.argv[1:]
draw = random.Random(2013)


def read(name, chosen=lambda row: True):
    with open(os.path.join(tables, name + ".csv"), newline="") as f:
        return [row for row in csv.DictReader(f) if chosen(row)]


def write(path, rows):
    with open(path, "w", newline="") as f:
        writer = csv.DictWriter(f, KEPT, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


for name, month in (("reference", ""), ("current", "-07-")):
    rows = read(name, lambda row: month in row["scheduled"])
    write(os.path.join(out, name + ".csv"), (rows[i] for i in sorted(draw.sample(range(len(rows)), 300))))
os.makedirs(os.path.join(out, "flights"), exist_ok=True)
for name in ("reference", "current"):
    path = os.path.join(out, "flights", name + ".csv")
    write(path, (row for row in read(name) if draw.random() < 1 / 8))
    subprocess.run(["zstd", "--ultra", "-22", "-qf", "--rm", path], check=True)
