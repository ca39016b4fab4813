# SPDX-License-Identifier: Apache-2.0
"""One column's drift by scipy, which has the method under its own name or gives its pieces.

usage: scipy_drift.py METHOD REFERENCE CURRENT COLUMN
"""
import json
import sys

import numpy as np
import pyarrow.parquet as pq
from scipy import stats
from scipy.spatial import distance


def shares(x, y):
    """Ten bins at quantiles of the reference, or categories."""
    if x.dtype == object:
        names, codes = np.unique(np.concatenate([x, y]), return_inverse=True)
        counts = [np.bincount(c, minlength=len(names)) for c in (codes[:len(x)], codes[len(x):])]
    else:
        edges = np.quantile(x, np.arange(1, 10) / 10)
        counts = [np.bincount(np.searchsorted(edges, v, side="right"), minlength=10) for v in (x, y)]
    return np.array(counts)


METHODS = dict(
    ks=lambda x, y: stats.ks_2samp(x, y)[0],
    cvm=lambda x, y: stats.cramervonmises_2samp(x, y).statistic,
    anderson_darling=lambda x, y: stats.anderson_ksamp([x, y]).statistic,
    mann_whitney=lambda x, y: stats.mannwhitneyu(x, y).statistic,
    welch_t=lambda x, y: stats.ttest_ind(x, y, equal_var=False).statistic,
    epps_singleton=lambda x, y: stats.epps_singleton_2samp(x, y).statistic,
    wasserstein=stats.wasserstein_distance,
    energy=stats.energy_distance,
    js=lambda x, y: distance.jensenshannon(*shares(x, y)),
    kl=lambda x, y: stats.entropy(*(shares(x, y)[::-1] + .5)),
    chi2=lambda x, y: stats.chi2_contingency(shares(x, y), correction=False).statistic,
    g_test=lambda x, y: stats.chi2_contingency(shares(x, y), correction=False, lambda_="log-likelihood").statistic,
    cramers_v=lambda x, y: stats.contingency.association(shares(x, y), method="cramer"),
)

method, *paths, column = sys.argv[1:]
x, y = (pq.read_table(p, columns=[column])[column].drop_null().to_numpy() for p in paths)
print(json.dumps({"statistic": float(METHODS[method](x, y))}))
