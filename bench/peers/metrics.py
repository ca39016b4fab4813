# SPDX-License-Identifier: Apache-2.0
"""Metrics by the programs that define them.  usage: metrics.py sklearn FILE | bleu FILE | coco TRUTH FOUND"""
import contextlib
import io
import json
import sys


def sklearn(path):
    """Six metrics of two classes."""
    import pyarrow.parquet as pq
    import sklearn.metrics as m
    table = pq.read_table(path)
    y, s = table["label"].to_numpy(), table["score"].to_numpy()
    p = s >= .5
    return dict(roc_auc=m.roc_auc_score(y, s), pr_auc=m.average_precision_score(y, s), f1=m.f1_score(y, p),
                log_loss=m.log_loss(y, s), brier=m.brier_score_loss(y, s), accuracy=m.accuracy_score(y, p))


def bleu(path):
    import pyarrow.csv
    import sacrebleu
    table = pyarrow.csv.read_csv(path)
    return dict(bleu=sacrebleu.corpus_bleu(table["said"].to_pylist(), [table["truth"].to_pylist()]).score)


def coco(truth, found):
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval
    with contextlib.redirect_stdout(io.StringIO()):
        objects = COCO(truth)
        run = COCOeval(objects, objects.loadRes(found), "bbox")
        run.evaluate(), run.accumulate(), run.summarize()
    return dict(map_50_95=run.stats[0], map_50=run.stats[1])


print(json.dumps({k: float(v) for k, v in globals()[sys.argv[1]](*sys.argv[2:]).items()}))
