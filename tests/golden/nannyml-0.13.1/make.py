#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes columns.json: what NannyML says of columns in chunks, for src/drift/compat_test.cc; and prints what its
UnivariateDriftCalculator says of examples/ by default, for tests/scenario/compat.scenario.

usage: python3 -m venv v && v/bin/pip install nannyml==0.13.1 pandas==2.3.3 numpy==2.4.6 scipy==1.17.1 \\
           scikit-learn==1.9.1 statsmodels==0.15.0 lightgbm==4.5.0 && v/bin/python make.py

Per method: its value of each chunk of the reference, the upper threshold (null for chi2), and of each chunk of the
current data its value and whether it alerts. Long columns are told by a rule: row i is ((i·step) mod modulus)/64 + shift.
"""
import json
import os
import pathlib
import warnings

import numpy as np
import pandas as pd

warnings.filterwarnings("ignore")
os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"
import nannyml as nml  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
CONT = ["jensen_shannon", "hellinger", "kolmogorov_smirnov", "wasserstein"]
DISC = ["jensen_shannon", "hellinger", "chi2", "l_infinity"]
rng = np.random.default_rng(20261127)


def rule(rows, step, modulus, shift=0.0):
    return {"rows": rows, "step": step, "modulus": modulus, "shift": shift}


def drawn(r):
    return np.arange(r["rows"]) * r["step"] % r["modulus"] / 64 + r["shift"]


def numeric():
    yield "plain", 100, rng.normal(size=1000), rng.normal(0.05, 1, size=350)
    yield "moved", 150, rng.normal(size=900), rng.normal(0.7, 1.3, size=300)
    yield "out of range", 60, rng.random(600), 2 + rng.random(150)
    yield "few values", 80, rng.integers(0, 4, 800) * 1.0, rng.integers(0, 5, 240) * 1.0
    yield "constant", 50, np.full(300, 1.5), np.full(100, 1.5)
    yield "long", 2000, rule(12000, 7919, 10007), rule(6000, 6007, 9973, -9.25)
    yield "long, beyond", 2500, rule(10000, 3571, 8191), rule(5000, 3571, 8191, 70.5)


def categorical():
    def draw(n, p):
        return [f"c{i}" for i in rng.choice(len(p), n, p=np.array(p) / sum(p))]

    yield "plain", 100, draw(1000, [5, 3, 2, 1]), draw(400, [5, 3, 2, 1])
    yield "moved", 100, draw(700, [5, 3, 2, 1]), draw(300, [3, 3, 2, 3])
    yield "two", 120, draw(720, [3, 2]), draw(360, [1, 1])
    yield "new category", 90, draw(630, [2, 2, 1]), draw(270, [2, 2, 1, 1])
    yield "one", 50, ["c0"] * 300, ["c0"] * 100


def found(x, y, size, numeric):
    methods = {"continuous_methods": CONT} if numeric else {"categorical_methods": DISC}
    calc = nml.UnivariateDriftCalculator(column_names=["x"], chunk_size=size, **methods).fit(pd.DataFrame({"x": x}))
    df = calc.calculate(pd.DataFrame({"x": y})).to_df()
    for m in CONT if numeric else DISC:
        at = df["x"][m]
        period = df["chunk"]["chunk"]["period"] == "analysis"
        upper = at["upper_threshold"].iloc[0]
        yield {"method": m, "reference": at["value"][~period].tolist(), "upper": None if upper is None or np.isnan(upper) else float(upper),
               "current": at["value"][period].tolist(), "alert": [bool(a) for a in at["alert"][period]]}


def columns():
    for name, size, x, y in numeric():
        long = isinstance(x, dict)
        if not long:
            x, y = np.round(x, 4).tolist(), np.round(y, 4).tolist()
        a, b = (drawn(x), drawn(y)) if long else (x, y)
        yield {"case": name, "numeric": True, "chunk": size, "reference": x, "current": y, "methods": list(found(a, b, size, True))}
    for name, size, x, y in categorical():
        yield {"case": name, "numeric": False, "chunk": size, "reference": [int(v[1:]) for v in x], "current": [int(v[1:]) for v in y],
               "methods": list(found(x, y, size, False))}


def examples():
    at = HERE.parents[2] / "examples"
    ref, cur = (pd.read_csv(at / f"{side}.csv", float_precision="round_trip") for side in ("reference", "current"))
    keep = [c for c in ref.columns if c not in ("id", "scheduled")]
    df = nml.UnivariateDriftCalculator(column_names=keep).fit(ref[keep]).calculate(cur[keep]).filter(period="analysis").to_df()
    for c in keep:
        at = df[c]["jensen_shannon"]
        print(c, [round(float(v), 10) for v in at["value"]], float(at["upper_threshold"].iloc[0]), [bool(a) for a in at["alert"]])


def main():
    found_all = list(columns())
    (HERE / "columns.json").write_text("[\n" + ",\n".join(json.dumps(c) for c in found_all) + "\n]\n")
    print(f"columns.json: {len(found_all)} columns")
    examples()


main()
