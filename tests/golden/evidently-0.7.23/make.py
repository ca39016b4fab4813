#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes columns.json: what Evidently says of seeded pairs of columns, for src/drift/compat_test.cc; and prints what its
DataDriftPreset says of examples/, for tests/scenario/compat.scenario.

usage: python3 -m venv v && v/bin/pip install evidently==0.7.23 pandas==2.3.3 numpy==2.4.6 scipy==1.17.1 \\
           scikit-learn==1.9.1 statsmodels==0.15.0 && PYTHONHASHSEED=0 v/bin/python make.py

A score is [method, drift score, threshold, drift]. One that Evidently refuses to give is left out. `default` is the
method that it chooses itself.
"""
import json
import pathlib
import warnings

import numpy as np
import pandas as pd

warnings.filterwarnings("ignore")
from evidently import DataDefinition, Dataset, Report  # noqa: E402
from evidently.legacy.calculations import stattests  # noqa: E402
from evidently.legacy.calculations.stattests.registry import get_registered_stattest, get_stattest  # noqa: E402
from evidently.legacy.core import ColumnType  # noqa: E402
from evidently.presets import DataDriftPreset  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
NUM = ["ks", "wasserstein", "jensenshannon", "kl_div", "psi", "hellinger", "ed", "anderson", "cramer_von_mises", "es", "mannw", "t_test", "empirical_mmd"]
CAT = ["chisquare", "z", "jensenshannon", "kl_div", "psi", "hellinger", "g_test", "fisher_exact", "TVD"]
rng = np.random.default_rng(20261126)


def numeric():
    yield "plain", rng.normal(size=400), rng.normal(0.1, 1, size=150)
    yield "shifted", rng.normal(size=300), rng.normal(0.8, 1.4, size=300)
    yield "small", rng.normal(size=12), rng.normal(0.5, 1, size=9)
    yield "large", rng.normal(5, 2, size=1500), rng.normal(5.2, 2, size=700)
    yield "skewed", rng.lognormal(size=1100), rng.lognormal(0.1, 1.1, size=300)
    yield "two values", rng.integers(0, 2, 300) * 1.0, (rng.random(200) < 0.4) * 1.0
    yield "four values", rng.integers(0, 4, 300) * 0.5, rng.integers(0, 4, 120) * 0.5
    yield "four values, large", rng.integers(0, 4, 1200) * 0.5, rng.integers(0, 4, 300) * 0.5
    yield "ten values", np.round(rng.normal(size=250) * 1.5), np.round(rng.normal(0.2, 1, size=250) * 1.5)
    yield "whole numbers", rng.poisson(40, 1100), rng.poisson(41, 260)
    yield "few whole numbers", rng.poisson(2, 1100), rng.poisson(2.2, 400)
    yield "out of range", rng.random(500), 3 + rng.random(100)
    yield "constant", np.full(60, 2.5), np.full(40, 2.5)
    yield "new constant", np.full(60, 2.5), np.full(40, 3.5)


def categorical():
    def draw(n, p):
        return [f"c{i}" for i in rng.choice(len(p), n, p=np.array(p) / sum(p))]

    yield "plain", draw(500, [5, 3, 2, 1]), draw(300, [5, 3, 2, 1])
    yield "moved", draw(500, [5, 3, 2, 1]), draw(300, [3, 3, 2, 3])
    yield "two", draw(200, [3, 2]), draw(200, [1, 1])
    yield "two, large", draw(1300, [3, 2]), draw(500, [1, 1])
    yield "many", draw(2000, range(1, 41)), draw(400, range(1, 41))
    yield "new category", draw(300, [2, 2, 1]), draw(300, [2, 2, 1, 1])
    yield "new category, large", draw(3000, [2, 2, 1]), draw(3000, [2000, 2000, 1000, 1])
    yield "gone category", draw(1200, [2, 2, 1, 1]), draw(300, [2, 2, 1])
    yield "one", ["c0"] * 50, ["c0"] * 40
    yield "another", ["c0"] * 50, ["c1"] * 50


def scores(x, y, names, kind):
    for name in names:
        np.random.seed(0)  # empirical_mmd has no seed of its own
        try:
            r = get_registered_stattest(name, kind)(x.copy(), y.copy(), kind, None)
        except Exception:
            continue
        if np.isfinite(r.drift_score):
            yield [name, float(r.drift_score), float(r.actual_threshold), bool(r.drifted)]


def inferred(y):
    return ColumnType.Categorical if y.dtype.name.startswith("int") and y.nunique() <= 10 else ColumnType.Numerical


def columns():
    for name, x, y in numeric():
        x, y = (pd.Series(v if v.dtype.kind == "i" else np.round(v, 4)) for v in (x, y))
        kind = inferred(y)
        yield {"case": name, "numeric": True, "whole": x.dtype.kind == "i", "reference": x.tolist(), "current": y.tolist(),
               "default": get_stattest(x, y, kind, None).name,
               "scores": list(scores(x, y, NUM if kind == ColumnType.Numerical else CAT, kind))}
    for name, x, y in categorical():
        x, y = pd.Series(x), pd.Series(y)
        keys = sorted(set(x) | set(y))
        yield {"case": name, "numeric": False, "reference": [int((x == k).sum()) for k in keys], "current": [int((y == k).sum()) for k in keys],
               "default": get_stattest(x, y, ColumnType.Categorical, None).name,
               "scores": list(scores(x, y, CAT, ColumnType.Categorical))}


def examples():
    at = HERE.parents[2] / "examples"
    ref, cur = (pd.read_csv(at / f"{side}.csv", float_precision="round_trip") for side in ("reference", "current"))
    keep = [c for c in ref.columns if c not in ("id", "scheduled")]
    num = [c for c in keep if ref[c].dtype.kind in "if"]
    definition = DataDefinition(numerical_columns=num, categorical_columns=[c for c in keep if c not in num])
    snap = Report([DataDriftPreset()]).run(*(Dataset.from_pandas(d[keep], data_definition=definition) for d in (cur, ref)))
    for m in snap.dict()["metrics"]:
        print(m.get("metric_name", m.get("metric_id")), m["value"])


def main():
    found = list(columns())
    (HERE / "columns.json").write_text("[\n" + ",\n".join(json.dumps(c) for c in found) + "\n]\n")
    print(f"columns.json: {len(found)} pairs, {sum(len(c['scores']) for c in found)} scores")
    examples()


main()
