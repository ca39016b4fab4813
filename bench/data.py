#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the benchmark's tables, seeded.  usage: data.py FOLDER [--large]

Every table has three numeric columns to one categorical. The current ones are shifted in MOVED, the others are drawn
from the law of the reference. --large adds the tables of ten million rows and of a thousand columns.
"""
import json
import os
import sys

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq

CATEGORIES = (2, 6, 20, 75, 200)
MOVED = ("n01", "n04", "n10", "c01", "c03")  # in every current table of 20 columns
ROW_GROUP = 131072


def numbers(draw, kind, n, moved):
    step = 0.4 if moved else 0.0
    if kind == 0:
        return draw.normal(0, 1, n)
    if kind == 1:
        return draw.normal(100 + 15 * step, 15, n)
    if kind == 2:
        return np.where(draw.random(n) < 0.03, np.nan, draw.normal(-5, 3, n))
    if kind == 3:
        return draw.lognormal(2, 0.8, n)
    if kind == 4:
        return draw.exponential(3 * (1 + step), n)
    if kind == 5:
        return draw.uniform(-1, 1, n)
    if kind == 6:
        return draw.beta(2, 6, n)
    if kind == 7:
        return draw.standard_t(5, n)
    if kind == 8:
        return draw.gamma(2, 10, n)
    if kind == 9:
        return draw.poisson(4, n).astype(np.int64)
    if kind == 10:
        return np.where(draw.random(n) < 0.5 + step / 2, draw.normal(-2, 1, n), draw.normal(3, 1, n))
    if kind == 11:
        return np.where(draw.random(n) < 0.7, 0.0, draw.exponential(1, n))
    if kind == 12:
        return draw.integers(0, 2000, n)
    if kind == 13:
        return np.round(draw.normal(20, 4, n), 1)
    return draw.laplace(0, 2, n)


def categories(draw, size, n, moved):
    share = 1 / np.arange(1, size + 1) ** (1.2 if moved else 0.9)
    codes = np.searchsorted(np.cumsum(share / share.sum()), draw.random(n)).clip(0, size - 1).astype(np.int32)
    names = pa.array([f"value_{i:03d}" for i in range(size)])
    return pa.DictionaryArray.from_arrays(pa.array(codes), names).cast(pa.string())


def table(seed, rows, moved=False, columns=20):
    draw = np.random.Generator(np.random.PCG64(seed))
    made = {}
    for j in range(columns * 3 // 4):
        name = f"n{j:02d}"
        made[name] = pa.array(numbers(draw, j % 15, rows, moved and name in MOVED), from_pandas=True)
    for j in range(columns - len(made)):
        name = f"c{j:02d}"
        made[name] = categories(draw, CATEGORIES[j % 5], rows, moved and name in MOVED)
    return pa.table(made)


def scored(seed, rows):
    """Labels whose probability is the score."""
    draw = np.random.Generator(np.random.PCG64(seed))
    score = draw.random(rows)
    return pa.table({"label": (draw.random(rows) < score).astype(np.int64), "score": score})


def texts(seed, rows):
    """Sentences of 10 to 30 words, four of five of them said again."""
    draw = np.random.Generator(np.random.PCG64(seed))
    words = np.array([f"word{i}" for i in range(2000)])
    truth, said = [], []
    for length in draw.integers(10, 31, rows):
        sentence = words[(draw.zipf(1.3, length) - 1) % 2000]
        truth.append(" ".join(sentence) + ".")
        said.append(" ".join(np.where(draw.random(length) < .8, sentence, words[draw.integers(0, 2000, length)])) + ".")
    return pa.table({"truth": truth, "said": said})


def boxes(seed, images, classes):
    """COCO files: objects, and detections near them or not."""
    draw = np.random.Generator(np.random.PCG64(seed))
    objects, found = [], []
    for image in range(1, images + 1):
        for _ in range(draw.integers(3, 12)):
            width, height = draw.uniform(20, 200, 2)
            box = [draw.uniform(0, 640 - width), draw.uniform(0, 480 - height), width, height]
            category = int(draw.integers(1, classes + 1))
            objects.append(dict(id=len(objects) + 1, image_id=image, category_id=category, bbox=list(map(float, box)),
                                area=float(width * height), iscrowd=0))
            for _ in range(draw.integers(0, 5)):
                moved = [float(side + draw.normal(0, 8)) for side in box[:2]] + box[2:]
                found.append(dict(image_id=image, category_id=category, bbox=list(map(float, moved)), score=float(draw.random())))
    return dict(images=[dict(id=i, width=640, height=480) for i in range(1, images + 1)], annotations=objects,
                categories=[dict(id=c, name=f"class {c}") for c in range(1, classes + 1)]), found


def main():
    folder, large = sys.argv[1], "--large" in sys.argv
    os.makedirs(folder, exist_ok=True)

    def write(name, make):
        path = os.path.join(folder, name)
        if os.path.exists(path):
            return
        part = path + ".part"
        made = make()
        if name.endswith(".parquet"):
            writer = None
            for piece in made:
                writer = writer or pq.ParquetWriter(part, piece.schema, compression="snappy")
                writer.write_table(piece, row_group_size=ROW_GROUP)
            writer.close()
        elif name.endswith(".csv"):
            arrow_csv.write_csv(made[0], part, arrow_csv.WriteOptions(quoting_style="needed"))
        elif name.endswith(".json"):
            with open(part, "w") as f:
                json.dump(made, f)
        else:
            with open(part, "w") as f:
                for row in made[0].to_pylist():
                    f.write(json.dumps(row) + "\n")
        os.replace(part, path)
        print(f"  {name}: {os.path.getsize(path) / 1e6:.1f} MB", file=sys.stderr, flush=True)

    for label, rows in (("1k", 1_000), ("100k", 100_000), ("1m", 1_000_000)):
        write(f"ref_{label}.parquet", lambda: [table(1, rows)])
        write(f"cur_{label}.parquet", lambda: [table(2, rows, True)])
    for side, moved in (("ref", False), ("cur", True)):
        write(f"{side}_1k.csv", lambda: [table(1 + moved, 1_000, moved)])
        write(f"{side}_10k_200.parquet", lambda: [table(3 + moved, 10_000, moved, 200)])
    for i in range(100):
        write(f"window_{i:03d}.parquet", lambda: [table(1000 + i, 10_000, i >= 60)])
    write("one_1m.csv", lambda: [table(5, 1_000_000)])
    write("one_300k.ndjson", lambda: [table(6, 300_000)])
    write("texts_10k.csv", lambda: [texts(9, 10_000)])
    for i, name in enumerate(("coco_truth.json", "coco_found.json")):
        write(name, lambda: boxes(10, 1000, 80)[i])
    if large:
        write("one_scored_10m.parquet", lambda: (scored(20 + i, 1_000_000) for i in range(10)))
        write("one_1m.parquet", lambda: [table(2000, 1_000_000)])
        write("one_10m.parquet", lambda: (table(2000 + i, 1_000_000) for i in range(10)))
        write("ref_100k_1000.parquet", lambda: [table(7, 100_000, False, 1000)])
        write("cur_100k_1000.parquet", lambda: [table(8, 100_000, True, 1000)])


if __name__ == "__main__":
    main()
