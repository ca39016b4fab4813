# SPDX-License-Identifier: Apache-2.0
"""Evidently's data drift preset.  usage: evidently_drift.py REFERENCE CURRENT…    one report for each CURRENT

As a job that runs once per window does it, the reference is read again for each.
"""
import json
import os
import sys
import warnings

os.environ.setdefault("DO_NOT_TRACK", "1")
warnings.filterwarnings("ignore")
import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset

drifted = 0
for path in sys.argv[2:]:
    reference, current = pd.read_parquet(sys.argv[1]), pd.read_parquet(path)
    kinds = DataDefinition(numerical_columns=[c for c in reference if c[0] == "n"],
                           categorical_columns=[c for c in reference if c[0] == "c"])
    report = Report([DataDriftPreset()]).run(Dataset.from_pandas(current, data_definition=kinds),
                                             Dataset.from_pandas(reference, data_definition=kinds)).dict()
    drifted += int(next(m["value"]["count"] for m in report["metrics"]
                        if "DriftedColumnsCount" in str(m.get("metric_id", m.get("metric_name")))))
print(json.dumps({"drifted": drifted}))
