# SPDX-License-Identifier: Apache-2.0
"""NannyML's univariate drift with all its methods.  usage: nannyml_drift.py REFERENCE CURRENT ROWS_PER_CHUNK"""
import json
import logging
import os
import sys
import warnings

os.environ.setdefault("NML_DISABLE_USAGE_LOGGING", "1")
warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)
import nannyml
import pandas as pd

reference, current = pd.read_parquet(sys.argv[1]), pd.read_parquet(sys.argv[2])
calculator = nannyml.UnivariateDriftCalculator(
    column_names=list(reference.columns), chunk_size=int(sys.argv[3]),
    continuous_methods=["kolmogorov_smirnov", "jensen_shannon", "wasserstein", "hellinger"],
    categorical_methods=["chi2", "jensen_shannon", "l_infinity"])
result = calculator.fit(reference).calculate(current).filter(period="analysis").to_df()
alerts = int(sum(result[c].sum() for c in result.columns if c[-1] == "alert"))
print(json.dumps({"chunks": len(result), "alerts": alerts}))
