# SPDX-License-Identifier: Apache-2.0
"""whylogs' profile of a Parquet file, a million rows at a time.  usage: whylogs_profile.py FILE"""
import json
import os
import sys
import warnings

os.environ.setdefault("WHYLOGS_NO_ANALYTICS", "True")
warnings.filterwarnings("ignore")
import pyarrow.parquet as pq
from whylogs.core import DatasetProfile

profile, rows = DatasetProfile(), 0
for batch in pq.ParquetFile(sys.argv[1]).iter_batches(1_000_000):
    frame = batch.to_pandas()
    profile.track(frame)
    rows += len(frame)
print(json.dumps({"rows": rows, "bytes": len(profile.view().serialize())}))
