# SPDX-License-Identifier: Apache-2.0
"""Evidently's data summary preset: counts, missing and extreme values, duplicates.  usage: evidently_summary.py DATA"""
import json
import os
import sys
import warnings

os.environ.setdefault("DO_NOT_TRACK", "1")
warnings.filterwarnings("ignore")
import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataSummaryPreset

data = pd.read_parquet(sys.argv[1])
kinds = DataDefinition(numerical_columns=[c for c in data if c[0] == "n"], categorical_columns=[c for c in data if c[0] == "c"])
report = Report([DataSummaryPreset()]).run(Dataset.from_pandas(data, data_definition=kinds), None).dict()
print(json.dumps({"metrics": len(report["metrics"])}))
