#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes drift.json: what scipy says of seeded pairs of samples, for src/drift/golden_test.cc.

usage: python3 -m venv v && v/bin/pip install numpy==2.4.6 scipy==1.17.1 && v/bin/python make.py

Each case is a method, two samples (of values, or of counts of categories) and scipy's statistic and p-value. A p-value
is left out where scipy has none, or clips it (anderson_ksamp), or leaves the ties out of account (cramervonmises_2samp).
"""
import json
import pathlib

import numpy as np
from scipy import stats

rng = np.random.default_rng(20240611)


def pairs():
    yield "plain", rng.normal(size=60), rng.normal(0.4, 1, size=60)
    yield "ties", np.round(2 * rng.normal(size=80)), np.round(2 * rng.normal(0.3, 1.2, size=50))
    yield "small", rng.normal(size=7), rng.normal(1, 1, size=9)
    yield "unequal", rng.normal(size=400), rng.normal(0.2, 1.3, size=45)
    yield "larger", rng.normal(size=1200), rng.normal(0.08, 1.0, size=1500)


def tables():
    yield "plain", [40, 30, 20, 60], [55, 25, 30, 40]
    yield "boolean", [60, 40], [45, 65]
    yield "small", [6, 9], [11, 3]
    yield "unequal", [500, 300, 200], [60, 20, 30]
    yield "ties", [50, 50, 50], [40, 70, 40]
    yield "sparse", [30, 5, 1, 0, 2], [25, 9, 2, 3, 0]


def js(p, q):
    m = (p + q) / 2
    return np.sqrt((stats.entropy(p, m) + stats.entropy(q, m)) / 2)


def numeric(x, y):
    exact = max(len(x), len(y)) <= 10000
    r = stats.ks_2samp(x, y, method="exact" if exact else "asymp")
    yield "ks", r.statistic, r.pvalue
    tied = len(np.unique(np.concatenate([x, y]))) < len(x) + len(y)
    r = stats.cramervonmises_2samp(x, y)
    yield "cvm", r.statistic, None if tied else r.pvalue
    yield "anderson_darling", stats.anderson_ksamp([x, y], variant="midrank").statistic, None
    r = stats.mannwhitneyu(x, y)
    yield "mann_whitney", r.statistic, r.pvalue
    r = stats.ttest_ind(x, y, equal_var=False)
    yield "welch_t", r.statistic, r.pvalue
    r = stats.epps_singleton_2samp(x, y)
    yield "epps_singleton", r.statistic, r.pvalue if min(len(x), len(y)) < 30 or min(len(x), len(y)) >= 1000 else None
    yield "wasserstein", stats.wasserstein_distance(x, y), None
    yield "energy", stats.energy_distance(x, y), None


def categorical(a, b):
    table = np.array([a, b])
    n, m = table.sum(axis=1)
    p, q, k = table[0] / n, table[1] / m, table.shape[1]
    r = stats.chi2_contingency(table, correction=False)
    yield "chi2", r.statistic, r.pvalue if r.expected_freq.min() >= 5 else None
    g = stats.chi2_contingency(table, correction=False, lambda_="log-likelihood")
    yield "g_test", g.statistic, g.pvalue if g.expected_freq.min() >= 25 else None
    phi2 = max(0, r.statistic / (n + m) - (k - 1) / (n + m - 1))
    width = min(k - (k - 1) ** 2 / (n + m - 1), 2 - 1 / (n + m - 1)) - 1
    yield "cramers_v", np.sqrt(phi2 / width), None
    ps, qs = (table[0] + 0.5) / (n + k / 2), (table[1] + 0.5) / (m + k / 2)
    yield "psi", stats.entropy(ps, qs) + stats.entropy(qs, ps), None
    yield "kl", stats.entropy(qs, ps), None
    yield "js", js(p, q), None
    yield "hellinger", np.sqrt(max(0, 1 - np.sqrt(p * q).sum())), None
    yield "tvd", np.abs(p - q).sum() / 2, None
    yield "l_infinity", np.abs(p - q).max(), None
    if k == 2:
        first = 0 if table[:, 0].sum() >= table[:, 1].sum() else 1
        r = stats.fisher_exact(table[:, [first, 1 - first]])
        yield "fisher", r.statistic, r.pvalue
        s = (table[0, first] + table[1, first]) / (n + m)
        z = (p[first] - q[first]) / np.sqrt(s * (1 - s) * (1 / n + 1 / m))
        large = min(n, m) * min(s, 1 - s) >= 50
        yield "z", z, 2 * stats.norm.sf(abs(z)) if large or 2 * stats.norm.sf(abs(z)) > 0.25 else None


def main():
    cases = []
    for name, x, y in pairs():
        x, y = np.sort(np.round(x, 6)), np.sort(np.round(y, 6))
        found = [{"method": m, "statistic": float(s), "p_value": None if p is None else float(p)} for m, s, p in numeric(x, y)]
        cases.append({"case": name, "values": True, "reference": x.tolist(), "current": y.tolist(), "scores": found})
    for name, a, b in tables():
        found = [{"method": m, "statistic": float(s), "p_value": None if p is None else float(p)} for m, s, p in categorical(a, b)]
        cases.append({"case": name, "values": False, "reference": a, "current": b, "scores": found})
    path = pathlib.Path(__file__).with_name("drift.json")
    path.write_text("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")
    print(f"{path.name}: {len(cases)} pairs, {sum(len(c['scores']) for c in cases)} scores")


main()
