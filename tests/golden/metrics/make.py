#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the golden files of src/metric: small seeded inputs, and what other programs say of them.

usage: tests/golden/metrics/make.py [VENV]     (default: a fresh one under the folder for temporary files)
Writes NAME.in (rows), and NAME.out (lines "metric value" or "metric key value") beside itself.
"""
import collections
import contextlib
import io
import os
import pathlib
import re
import string
import subprocess
import sys
import tempfile

PACKAGES = ["scikit-learn==1.9.1", "scipy==1.17.1", "numpy==2.4.6", "sacrebleu==2.6.0", "rouge-score==0.1.2",
            "pycocotools==2.0.11", "jiwer==4.0.0"]
HERE = pathlib.Path(__file__).resolve().parent


def write(name, lines, expected):
    (HERE / f"{name}.in").write_text("".join(line + "\n" for line in lines))
    (HERE / f"{name}.out").write_text("".join(f"{key} {float(value)!r}\n" for key, value in expected))


def row(*values):
    return " ".join(repr(v.item() if hasattr(v, "item") else v) for v in values)


def binary(np, m, name, scores, labels, threshold=0.5):
    predicted = (scores >= threshold).astype(int)
    tn, fp, fn, tp = m.confusion_matrix(labels, predicted, labels=[0, 1]).ravel()
    false_rate, true_rate, _ = m.roc_curve(labels, scores, drop_intermediate=False)
    order = np.argsort(scores, kind="stable")
    ece = sum(len(b) / len(labels) * abs(labels[b].mean() - scores[b].mean()) for b in np.array_split(order, 15) if len(b))
    out = [("accuracy", m.accuracy_score(labels, predicted)),
           ("balanced_accuracy", m.balanced_accuracy_score(labels, predicted)),
           ("precision", m.precision_score(labels, predicted)), ("recall", m.recall_score(labels, predicted)),
           ("specificity", m.recall_score(labels, predicted, pos_label=0)), ("f1", m.f1_score(labels, predicted)),
           ("f_beta", m.fbeta_score(labels, predicted, beta=2)), ("mcc", m.matthews_corrcoef(labels, predicted)),
           ("kappa", m.cohen_kappa_score(labels, predicted)), ("roc_auc", m.roc_auc_score(labels, scores)),
           ("pr_auc", m.average_precision_score(labels, scores)), ("log_loss", m.log_loss(labels, scores)),
           ("brier", m.brier_score_loss(labels, scores)), ("ks", np.max(np.abs(true_rate - false_rate))),
           ("gini", 2 * m.roc_auc_score(labels, scores) - 1), ("selection_rate", predicted.mean()),
           ("business_value", tn * 0 + fp * -5 + fn * -50 + tp * 100)]
    if len(set(scores)) == len(scores):
        out.append(("ece", ece))
        if len(scores) % 10 == 0:
            top = np.argsort(-scores)[:len(scores) // 10]
            out.append(("lift_10", labels[top].mean() / labels.mean()))
    write(name, [row(s, int(y)) for s, y in zip(scores, labels)], out)


def multiclass(np, m):
    rng = np.random.default_rng(2)
    n, k = 300, 4
    labels = rng.choice(k, n, p=[.5, .25, .2, .05])
    logits = rng.normal(size=(n, k)) + 1.2 * np.eye(k)[labels]
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    predicted = p.argmax(1)
    out = [("accuracy", m.accuracy_score(labels, predicted)),
           ("balanced_accuracy", m.balanced_accuracy_score(labels, predicted)),
           ("kappa", m.cohen_kappa_score(labels, predicted)), ("mcc", m.matthews_corrcoef(labels, predicted)),
           ("log_loss", m.log_loss(labels, p)), ("brier", ((p - np.eye(k)[labels]) ** 2).sum(1).mean()),
           ("top_k_accuracy", m.top_k_accuracy_score(labels, p, k=3))]
    order = np.argsort(p.max(1), kind="stable")
    hit = predicted == labels
    out.append(("ece", sum(len(b) / n * abs(hit[b].mean() - p.max(1)[b].mean()) for b in np.array_split(order, 15))))
    for average in ("macro", "micro", "weighted"):
        precision, recall, f1, _ = m.precision_recall_fscore_support(labels, predicted, average=average)
        out += [(f"precision_{average}", precision), (f"recall_{average}", recall), (f"f1_{average}", f1),
                (f"roc_auc_{average}", m.roc_auc_score(labels, p, multi_class="ovr", average=average))]
    precision, recall, f1, _ = m.precision_recall_fscore_support(labels, predicted)
    for c in range(k):
        out += [(f"precision {c}", precision[c]), (f"recall {c}", recall[c]), (f"f1 {c}", f1[c]),
                (f"roc_auc {c}", m.roc_auc_score(labels == c, p[:, c]))]
    write("multiclass", [row(int(y), *map(float, q)) for y, q in zip(labels, p)], out)


def regression(np, m):
    rng = np.random.default_rng(3)
    y = np.round(rng.gamma(2, 10, 250), 3)
    p = np.round(np.maximum(0, y * rng.lognormal(0, .2, 250) + rng.normal(0, 2, 250)), 3)
    out = [("me", np.mean(p - y)), ("mae", m.mean_absolute_error(y, p)), ("mape", m.mean_absolute_percentage_error(y, p)),
           ("smape", np.mean(2 * np.abs(p - y) / (np.abs(p) + np.abs(y)))), ("mse", m.mean_squared_error(y, p)),
           ("rmse", m.root_mean_squared_error(y, p)), ("rmsle", m.root_mean_squared_log_error(y, p)),
           ("r2", m.r2_score(y, p)), ("max_error", m.max_error(y, p)), ("medae", m.median_absolute_error(y, p))]
    out += [(f"pinball_{a}", m.mean_pinball_loss(y, p, alpha=a / 100)) for a in (10, 50, 90)]
    write("regression", [row(float(a), float(b)) for a, b in zip(y, p)], out)


def ranking(np, m):
    rng = np.random.default_rng(4)
    rows, lists = [], []
    for query in range(40):
        size = int(rng.integers(3, 25))
        relevance = rng.choice([0, 0, 0, 1, 2, 3], size)
        scores = np.round(rng.normal(size=size) + .5 * relevance, 6)
        assert len(set(scores)) == size
        lists.append((relevance, scores))
        rows += [row(query, float(s), int(r)) for s, r in zip(scores, relevance)]
    lists = [(r, s) for r, s in lists if r.any()]
    out = []
    for k in (5, 10):
        sums = collections.defaultdict(float)
        for relevance, scores in lists:
            hit = relevance[np.argsort(-scores)] > 0
            sums["precision_at_k"] += hit[:k].sum() / min(len(hit), k)
            sums["recall_at_k"] += hit[:k].sum() / hit.sum()
            sums["map_at_k"] += sum(hit[:i + 1].mean() for i in range(min(k, len(hit))) if hit[i]) / min(k, hit.sum())
            sums["mrr"] += 1 / (1 + hit.argmax())
            sums["ndcg_at_k"] += m.ndcg_score([relevance], [scores], k=k)
            sums["hit_rate_at_k"] += hit[:k].any()
        out += [(f"{name} {k}", value / len(lists)) for name, value in sums.items()]
    write("ranking", rows, out)
    rng = np.random.default_rng(5)  # few distinct scores: NDCG averages over the orders of equal ones
    rows, total = [], 0
    for query in range(20):
        relevance, scores = rng.integers(0, 4, 12), rng.integers(0, 4, 12)
        relevance[0] = 1
        rows += [row(query, float(s), int(r)) for s, r in zip(scores, relevance)]
        total += m.ndcg_score([relevance], [scores], k=5)
    write("ranking_ties", rows, [("ndcg_at_k 5", total / 20)])


WORDS = ("the a an of model rate price 3.14 1,000 U.S. it's don't e-mail café naïve Zürich 東京 данные \"quoted\" (aside) "
         "end. so, what? yes! &amp; &lt;tag&gt; 50% $5 #7 @home x/y a_b 10-fold 2.5kg -- … wait; then: run").split()


def text(np):
    import jiwer
    import sacrebleu
    from rouge_score import rouge_scorer
    rng = np.random.default_rng(6)
    references, hypotheses = [], []
    for i in range(80):
        words = list(rng.choice(WORDS, int(rng.integers(1, 22))))
        other = [w for w in words if rng.random() > .12]
        other = [str(rng.choice(WORDS)) if rng.random() < .15 else w for w in other]
        if rng.random() < .3 and len(other) > 2:
            i, j = rng.integers(0, len(other), 2)
            other[i], other[j] = other[j], other[i]
        references.append(" ".join(words))
        hypotheses.append(" ".join(other))
    hypotheses[3] = references[3]
    hypotheses[4] = references[4].upper()
    hypotheses[5] = ""

    def expected(hypotheses, references):
        out = [("bleu", sacrebleu.corpus_bleu(hypotheses, [references]).score),
               ("chrf", sacrebleu.corpus_chrf(hypotheses, [references]).score),
               ("wer", jiwer.wer(references, hypotheses))]
        scorer = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL"])
        scores = [scorer.score(r, h) for r, h in zip(references, hypotheses)]
        for name, key in (("rouge_1", "rouge1"), ("rouge_2", "rouge2"), ("rouge_l", "rougeL")):
            out.append((name, 100 * np.mean([s[key].fmeasure for s in scores])))

        def normal(text):  # the normalisation of the SQuAD evaluation
            text = "".join(c for c in text.lower() if c not in string.punctuation)
            return re.sub(r"\b(a|an|the)\b", " ", text).split()
        exact, f1 = [], []
        for r, h in zip(map(normal, references), map(normal, hypotheses)):
            exact.append(r == h)
            same = sum((collections.Counter(r) & collections.Counter(h)).values())
            f1.append(float(r == h) if not r or not h else 2 * same / (len(r) + len(h)))
        return out + [("exact_match", np.mean(exact)), ("token_f1", np.mean(f1))]

    def save(name, h, r):
        write(name, [line for pair in zip(h, r) for line in pair], expected(h, r))
    save("text", hypotheses, references)
    save("text_short", ["the cat", "b a"], ["the cat sat", "a b"])  # no 3-gram agrees: exponential smoothing
    save("text_one_word", ["hello"], ["hello"])
    save("text_nothing_right", ["alpha beta gamma delta epsilon"], ["one two three four five"])


def detection(np):
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval
    rng = np.random.default_rng(7)
    truth, found = [], []
    for image in range(1, 41):
        for _ in range(int(rng.integers(0, 8))):
            box = np.round(np.concatenate([rng.uniform(0, 300, 2), rng.uniform(10, 120, 2)]), 1)
            category = int(rng.integers(1, 4))
            crowd = int(rng.random() < .08)
            truth.append(dict(id=len(truth) + 1, image_id=image, category_id=category, bbox=box.tolist(),
                              area=float(box[2] * box[3]), iscrowd=crowd))
            for _ in range(int(rng.integers(0, 3))):
                moved = np.round(box + rng.normal(0, 1, 4) * box[2:].mean() * .1, 1)
                moved[2:] = np.maximum(1, moved[2:])
                found.append(dict(image_id=image, category_id=category if rng.random() < .9 else 1 + category % 3,
                                  bbox=moved.tolist(), score=float(np.round(rng.beta(4, 2), 2))))
        for _ in range(int(rng.integers(0, 3))):
            box = np.round(np.concatenate([rng.uniform(0, 300, 2), rng.uniform(10, 120, 2)]), 1)
            found.append(dict(image_id=image, category_id=int(rng.integers(1, 4)), bbox=box.tolist(),
                              score=float(np.round(rng.beta(2, 4), 2))))
    for _ in range(130):  # more than the 100 that count
        box = np.round(np.concatenate([rng.uniform(0, 300, 2), rng.uniform(10, 120, 2)]), 1)
        found.append(dict(image_id=7, category_id=2, bbox=box.tolist(), score=float(np.round(rng.uniform(), 2))))
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = dict(images=[dict(id=i) for i in range(1, 41)], annotations=truth,
                            categories=[dict(id=c) for c in (1, 2, 3)])
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(found), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
        # Precision and recall at IoU 0.5, all categories together, of the detections with a score of at least 0.5.
        right = wrong = objects = 0
        for e in evaluation.evalImgs:
            if e is None or e["aRng"] != evaluation.params.areaRng[0]:
                continue
            keep = np.array(e["dtScores"]) >= .5
            hit = (e["dtMatches"][0] > 0) & ~e["dtIgnore"][0]
            miss = (e["dtMatches"][0] == 0) & ~e["dtIgnore"][0]
            right, wrong = right + (hit & keep).sum(), wrong + (miss & keep).sum()
            objects += (np.array(e["gtIgnore"]) == 0).sum()
    lines = [row("g", g["image_id"], g["category_id"], *map(float, g["bbox"]), g["iscrowd"]) for g in truth]
    lines += [row("d", d["image_id"], d["category_id"], *map(float, d["bbox"]), d["score"]) for d in found]
    write("detection", [line.replace("'", "") for line in lines],
          [("map_50_95", evaluation.stats[0]), ("map_50", evaluation.stats[1]),
           ("precision_at_iou", right / (right + wrong)), ("recall_at_iou", right / objects)])


def masks(np):
    """COCO files with polygons, several to an object, and run lengths; what COCOeval says of their masks."""
    import json
    from pycocotools import mask as m
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval
    rng = np.random.default_rng(10)
    truth, found = [], []
    corner = lambda center, size: np.round(center + size * np.array([(np.cos(a), np.sin(a)) for a in
                                           np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 9))))]), 2)
    for image in range(1, 13):
        for _ in range(int(rng.integers(1, 5))):
            center, size, category = rng.uniform(5, 55, 2), rng.uniform(4, 20), int(rng.integers(1, 3))
            polygons = [corner(center, size).ravel().tolist() for _ in range(int(rng.integers(1, 3)))]
            rle = m.merge(m.frPyObjects(polygons, 50, 60))
            crowd = int(rng.random() < .1)
            shape = dict(size=rle["size"], counts=rle["counts"].decode()) if crowd else polygons
            truth.append(dict(id=len(truth) + 1, image_id=image, category_id=category, segmentation=shape,
                              area=float(m.area(rle)), iscrowd=crowd, bbox=m.toBbox(rle).tolist()))
            for _ in range(int(rng.integers(0, 3))):
                moved = [(np.array(p).reshape(-1, 2) + rng.normal(0, size / 12, 2)).ravel().tolist() for p in polygons]
                rle = m.merge(m.frPyObjects(moved, 50, 60))
                found.append(dict(image_id=image, category_id=category if rng.random() < .9 else 3 - category,
                                  segmentation=dict(size=rle["size"], counts=rle["counts"].decode()),
                                  score=float(np.round(rng.beta(3, 2), 2))))
    dataset = dict(images=[dict(id=i, height=50, width=60, camera="ab"[i % 2], date_captured=f"2024-03-{i:02} 10:00:00")
                           for i in range(1, 13)],
                   annotations=truth, categories=[dict(id=c, name=f"kind {c}") for c in (1, 2)])
    (HERE / "masks_truth.json").write_text(json.dumps(dataset) + "\n")
    (HERE / "masks_found.json").write_text(json.dumps(found) + "\n")
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = dataset
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(found), "segm")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    out = [("map_50_95", evaluation.stats[0]), ("map_50", evaluation.stats[1])]
    areas = "".join(f"area {a['id']} {float(a['area'])!r}\n" for a in truth)
    (HERE / "masks.out").write_text("".join(f"{key} {float(value)!r}\n" for key, value in out) + areas)


def segmentation(np, m):
    rng = np.random.default_rng(8)
    images = []
    for _ in range(6):
        truth = rng.integers(0, 3, (5, 8)).repeat(2, 0).repeat(2, 1).ravel()
        images.append((truth, np.where(rng.random(truth.size) < .25, rng.integers(0, 4, truth.size), truth)))
    truth, predicted = (np.concatenate(x) for x in zip(*images))
    out = [("iou", m.jaccard_score(truth, predicted, average="macro")), ("dice", m.f1_score(truth, predicted, average="macro"))]
    out += [(f"iou {c}", v) for c, v in enumerate(m.jaccard_score(truth, predicted, average=None))]
    out += [(f"dice {c}", v) for c, v in enumerate(m.f1_score(truth, predicted, average=None))]
    write("segmentation", [row(*map(int, x)) for image in images for x in image], out)


def fairness(np, m):
    rng = np.random.default_rng(9)
    group = rng.choice(3, 300, p=[.6, .3, .1])
    labels = (rng.random(300) < .3 + .1 * group).astype(int)
    predicted = np.where(rng.random(300) < .7, labels, (rng.random(300) < .4).astype(int))
    out = []
    for name, f in (("selection_rate", lambda y, p: p.mean()), ("tpr", m.recall_score),
                    ("fpr", lambda y, p: 1 - m.recall_score(y, p, pos_label=0))):
        rates = [f(labels[group == g], predicted[group == g]) for g in range(3)]
        out += [(f"{name} {g}", rate) for g, rate in enumerate(rates)]
        out += [(f"{name}_difference", max(rates) - min(rates)), (f"{name}_ratio", min(rates) / max(rates))]
    write("fairness", [row(int(g), int(p), int(y)) for g, p, y in zip(group, predicted, labels)], out)


def main():
    import numpy as np
    import sklearn.metrics as m
    rng = np.random.default_rng(1)
    labels = (rng.random(500) < .3).astype(int)
    scores = 1 / (1 + np.exp(-(rng.normal(size=500) + 1.5 * labels - 1)))
    binary(np, m, "binary", scores, labels)
    binary(np, m, "binary_ties", np.round(scores, 1), labels)
    binary(np, m, "binary_ten_rows", np.array([.1, .4, .35, .8, .65, .7, .2, .9, .55, .3]), np.array([0, 0, 1, 1, 0, 1, 0, 1, 1, 0]))
    binary(np, m, "binary_rare", rng.random(700) ** 3, (np.arange(700) % 100 == 0).astype(int))
    multiclass(np, m)
    regression(np, m)
    ranking(np, m)
    text(np)
    detection(np)
    masks(np)
    segmentation(np, m)
    fairness(np, m)


if __name__ == "__main__":
    if os.environ.get("GOLDEN_INSIDE"):
        main()
    else:
        venv = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp()) / "golden-metrics"
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        subprocess.run([venv / "bin/pip", "install", "-q", "--disable-pip-version-check", *PACKAGES], check=True)
        subprocess.run([venv / "bin/python", __file__], check=True, env={**os.environ, "GOLDEN_INSIDE": "1"})
