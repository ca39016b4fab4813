#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A detector of objects in images, watched by `vigie serve`: boxes and what was there, scored window by window as
`vigie score` scores the same as COCO files, over a kill -9; boxes that are none; masks.

usage: boxes.py VIGIE     the last line says what was found
"""
import datetime
import json
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import urllib.parse

from service import Checks, Service

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "clients" / "python"))
from vigie import Client  # noqa: E402

START = datetime.datetime(2026, 3, 2, tzinfo=datetime.timezone.utc)
IMAGES = 150  # an hour
KINDS = ["bike", "car", "dog"]
SIDE = 48  # of images with masks
rng = random.Random(3)
checks = Checks()
expect, until = checks.expect, checks.until


def iso(number):
    return (START + datetime.timedelta(hours=number)).strftime("%Y-%m-%dT%H:%M:%SZ")


def image(rng, worse):
    """What is in an image, and what a detector finds there."""
    there, found = [], []
    for _ in range(rng.choice([0, 1, 2, 3, 4, 8])):
        box = [rng.uniform(0, 500), rng.uniform(0, 300), rng.uniform(20, 120), rng.uniform(20, 120)]
        kind = rng.choice(KINDS)
        there.append({"bbox": box, "category": kind, "iscrowd": int(rng.random() < 0.03), "area": box[2] * box[3]})
        if rng.random() < 0.15 + worse:
            continue
        moved = [side + rng.gauss(0, 3) for side in box[:2]] + [side * rng.uniform(0.9, 1.1) for side in box[2:]]
        found.append({"bbox": moved, "category": kind if rng.random() < 0.95 else rng.choice(KINDS),
                      "score": round(rng.uniform(0.4, 1), 3)})
    for _ in range(rng.choice([0, 0, 1])):
        found.append({"bbox": [rng.uniform(0, 500), rng.uniform(0, 300), 40, 40], "category": rng.choice(KINDS),
                      "score": round(rng.uniform(0.2, 0.7), 3)})
    return there, found


def hour(number, worse=0.0):
    """Images: id, time, what is there, what was found."""
    own = random.Random(number)
    return [(f"{number}-{i}", (START + datetime.timedelta(hours=number, seconds=i * 3600 / IMAGES)).isoformat(),
             *image(own, worse)) for i in range(IMAGES)]


def camera(id):
    return "north" if id.endswith(("0", "3", "6", "9")) else "south"


def lines(rows):
    return "\n".join(map(json.dumps, rows)).encode()


def predictions(images):
    return lines({"id": id, "timestamp": time, "boxes": found, "tags": {"camera": camera(id)}} for id, time, _, found in images)


def labels(images):
    return lines({"id": id, "boxes": there} for id, _, there, _ in images)


def reference(images):
    return lines({"id": id, "timestamp": time, "boxes": found, "label": there, "tags": {"camera": camera(id)}}
                 for id, time, there, found in images)


def coco(folder, name, images, size=None):
    """Two COCO files of them."""
    number = {kind: i + 1 for i, kind in enumerate(KINDS)}
    shape = {"height": size, "width": size} if size else {}
    truth = {"images": [{"id": i, "date_captured": time, "camera": camera(id)} | shape for i, (id, time, _, _) in enumerate(images)],
             "categories": [{"id": id, "name": kind} for kind, id in number.items()],
             "annotations": [{k: v for k, v in one.items() if k != "category"} | {"image_id": i, "category_id": number[one["category"]]}
                             for i, (_, _, there, _) in enumerate(images) for one in there]}
    found = [{k: v for k, v in one.items() if k != "category"} | {"image_id": i, "category_id": number[one["category"]]}
             for i, (_, _, _, found) in enumerate(images) for one in found]
    paths = [pathlib.Path(folder) / f"{name}_{what}.json" for what in ("truth", "found")]
    for path, what in zip(paths, (truth, found)):
        path.write_text(json.dumps(what))
    return [str(path) for path in paths]


def scored(vigie, files, task="detection", *more):
    """What `vigie score` says of each window."""
    done = subprocess.run([vigie, "score", "--task", task, "--ground-truth", files[0], "--detections", files[1], "--json", *more],
                          capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"FAILED: vigie score said {done.stderr}")
    return json.loads(done.stdout)["windows"]


def figures(window):
    return {(m["metric"], m.get("class"), m.get("segment"), what): m.get(what) for m in window["metrics"]
            for what in ("value", "low", "high", "n", "verdict", "effect")}


def expect_same(what, got, wanted):
    """The numbers of two windows are the same but for how sums are rounded."""
    got, wanted = figures(got), figures(wanted)
    odd = [key for key in wanted.keys() | got.keys()
           if not (isinstance(got.get(key), (int, float)) and isinstance(wanted.get(key), (int, float))
                   and abs(got[key] - wanted[key]) < 1e-12) and got.get(key) != wanted.get(key)]
    expect(what, {key: (got.get(key), wanted.get(key)) for key in odd}, {})
    expect(f"{what}: metrics", len(wanted) >= 12, True)


def wrong_ones(service, model):
    """Each of them is told in a line, and the good record beside it is kept."""
    good = {"bbox": [1, 2, 3, 4], "category": "car", "score": 0.5}
    for boxes, wanted in [
            ([good, good | {"bbox": [1, 2, -3, 4]}], "boxes[1].bbox: expected [left, top, width, height], finite numbers and neither width nor height below 0, got [1,2,-3,4]"),
            ([good | {"bbox": [1, 2, float("nan"), 4]}], 'boxes[0].bbox: expected [left, top, width, height], finite numbers and neither width nor height below 0, got [1,2,"NaN",4]'),
            ([good | {"bbox": [1, 2, 3]}], "boxes[0].bbox: expected [left, top, width, height], finite numbers and neither width nor height below 0, got [1,2,3]"),
            ([good | {"bbx": 1}], 'boxes[0]: unknown key "bbx"; did you mean "bbox"?'),
            ([{"bbox": [1, 2, 3, 4], "score": 1}], "boxes[0].category: is missing, as is category_id"),
            ([{"bbox": [1, 2, 3, 4], "category_id": 3}], "boxes[0].score: is missing"),
            ([{"category": "car", "score": 1}], "boxes[0].bbox: is missing, as is segmentation"),
            ([good | {"score": "high"}], 'boxes[0].score: expected a number, got "high"'),
            ([good, 7], 'boxes[1]: expected an object with "bbox" and "category", got 7'),
            ({"bbox": [1, 2, 3, 4]}, 'boxes: expected a list of objects with "bbox" and "category", got an object'),
            ("none", 'boxes: expected a list of objects with "bbox" and "category", got none'),
            ([good | {"segmentation": {"size": [2, 2], "counts": [1, 2]}}],
             'boxes[0].segmentation: expected runs that fill 2 × 2 pixels, got {"size":[2,2],"counts":[1,2]}'),
            ([good | {"segmentation": [[0, 0, 5, 0, 5, 5]]}],
             'boxes[0].segmentation: polygons need "image_size": [height, width] of the record'),
            ([good] * 2001, "boxes: an image has at most 2,000")]:
        body = lines([{"id": f"good {wanted}", "boxes": []}, {"id": "bad", "boxes": boxes}])
        status, said = service.ask("POST", f"{model}/predictions", body)
        expect(wanted, (status, said.get("accepted"), said.get("rejected")), (202, 1, [{"index": 1, "error": wanted}]))
    body = lines([{"id": "a", "boxes": [{"bbox": [1, 2, 3, 4], "category": "car", "iscrowd": 2}]},
                  {"id": "b", "boxes": [good]}, {"id": "c", "boxes": []}, {"id": "d"}])
    said = service.ask("POST", f"{model}/labels", body)[1]
    expect("labels", (said.get("accepted"), [one["error"] for one in said.get("rejected", [])]),
           (1, ["boxes[0].iscrowd: expected 0 or 1, got 2",
                'boxes[0]: unknown key "score"',
                '"label" is missing']))


def detection(vigie, folder):
    service = Service(vigie, folder + "/data")
    model = "/v1/models/street"
    expect("PUT", service.ask("PUT", model, b'{"task": "detection", "window": "hour", "segments": ["camera"]}')[0], 200)
    wrong_ones(service, "/v1/models/odd")

    past = [hour(n) for n in range(-30, 0)]
    everything = [one for images in past for one in images]
    status, said = service.ask("POST", f"{model}/reference", b'{"id": "1", "features": {"x": 1}}')
    expect("a reference without boxes", (status, said.get("error")), (400, 'task: detection, and no row of body has "boxes"'))
    status, said = service.ask("POST", f"{model}/reference",
                               b'{"id": "1", "boxes": [], "label": []}\n{"id": "2", "boxes": [{"bbox": 1}]}')
    expect("a reference with boxes that are none", (status, said.get("error", "")[:25]), (400, "record 1: boxes[0].bbox: "))
    status, said = service.ask("POST", f"{model}/reference", reference(everything))
    expect("reference", (status, said.get("task"), said.get("windows"), said.get("rows")), (202, "detection", 30, 30 * IMAGES))

    healthy, corrected, worse = hour(0), hour(1), [hour(n, worse=0.35) for n in (2, 3, 4)]
    current = [healthy, corrected, *worse]
    boxes = sum(len(there) + len(found) for images in current for _, _, there, found in images)
    expect("some thousand boxes", boxes > 3000, True)
    service.ask("POST", f"{model}/predictions", predictions(healthy))
    # Of the second hour some labels come first, and wrong ones; of the first one half.
    service.ask("POST", f"{model}/labels", labels([(id, time, [], found) for id, time, _, found in corrected[:20]]))
    service.ask("POST", f"{model}/labels", labels(healthy[:75]))
    service.ask("POST", f"{model}/predictions", predictions(corrected))
    service.ask("POST", f"{model}/predictions", predictions(hour(2, worse=0.35)[:100]))

    def windows():
        return {w["start"]: w for w in service.ask("GET", f"{model}/windows")[1]}

    found = until("half of the labels", windows, lambda w: w.get(iso(0), {}).get("coverage") == 0.5 and "coverage" in w.get(iso(1), {}))
    half = coco(folder, "half", healthy[:75])
    before = coco(folder, "before", everything)
    against = ["--window", "hour", "--timestamp", "date_captured", "--segment", "camera", "--reference", ",".join(before)]
    expect("of the half", found[iso(0)]["labelled"], 75)
    expect("values of the half", {m["metric"]: round(m["value"], 12) for m in found[iso(0)]["metrics"] if not m.get("segment")},
           {m["metric"]: round(m["value"], 12) for m in scored(vigie, half)[0]["metrics"]})
    until("nothing was there", windows, lambda w: any(m["metric"] == "precision_at_iou" and not m.get("segment") and m["value"] == 0 for m in w[iso(1)]["metrics"]))

    service.end(signal.SIGKILL)
    service = Service(vigie, folder + "/data")
    service.ask("POST", f"{model}/labels", labels(healthy[75:] + corrected))
    for images in worse[:2]:
        service.ask("POST", f"{model}/predictions", predictions(images))
        service.ask("POST", f"{model}/labels", labels(images))
    with Client(service.url, "street") as client:
        for id, time, there, boxes in worse[2]:
            client.predict(id, timestamp=time, boxes=boxes, tags={"camera": camera(id)})
        for id, _, there, _ in worse[2]:
            client.label(id, boxes=there)
        client.flush()
        expect("of the client", (client.counters()["accepted"], client.counters()["rejected"]), (2 * IMAGES, 0))
    service.ask("POST", f"{model}/predictions", predictions(hour(5)[:1]))
    hours = [iso(n) for n in range(5)]
    found = until("all labels", windows, lambda w: all(w.get(h, {}).get("coverage") == 1 and not w[h]["preliminary"] for h in hours), 60)
    wanted = {w["start"]: w for w in scored(vigie, coco(folder, "now", [one for images in current for one in images]), "detection", *against)}
    expect("hours", sorted(wanted), hours)
    for h in hours:
        expect_same(f"scores of {h}", found[h], wanted[h])
    expect("segments", {m.get("segment") for m in found[iso(0)]["metrics"]}, {None, "camera=north", "camera=south"})
    by = {c["column"]: c for c in found[iso(0)]["columns"]}
    expect("what is compared", sorted(by), ["boxes.area", "boxes.count", "boxes.score"])
    expect("a healthy hour", found[iso(0)]["verdict"], "ok")

    def causes():
        return {c["what"]: c for i in service.ask("GET", "/v1/incidents")[1] if i["model"] == "street" for c in i["causes"]}

    told = until("an incident of the scores", causes, lambda c: "map_50" in c)
    expect("what it names", {"map_50", "recall_at_iou"} <= set(told), True)
    since = {i["since"] for i in service.ask("GET", "/v1/incidents")[1] if i["model"] == "street"}
    expect("since", since, {iso(2)})

    key = urllib.parse.quote(found[iso(3)]["key"], safe="")
    status, rows = service.ask("GET", f"{model}/rows?window={key}", read=bytes)
    expect("rows to look at", (status, b"camera" in rows, b"bbox" in rows), (200, True, False))

    # What came is made a reference of, labels and all.
    status, said = service.ask("POST", f"{model}/reference", json.dumps({"from": iso(0), "to": iso(2)}).encode())
    expect("a reference of what came", (status, said.get("task"), said.get("rows")), (202, "detection", 2 * IMAGES))
    expect("end", service.end(), 0)


def square(rng, size):
    """A mask: of a square's corners."""
    x, y, side = rng.randrange(size - 20), rng.randrange(size - 20), rng.randrange(6, 20)
    return [[x, y, x + side, y, x + side, y + side, x, y + side]]


def segmentation(vigie, folder):
    service = Service(vigie, folder + "/masks")
    model = "/v1/models/parts"
    expect("PUT of masks", service.ask("PUT", model, b'{"task": "segmentation", "window": "hour"}')[0], 200)
    own = random.Random(9)

    def masks(number):
        images = []
        for i in range(60):
            there = [{"category": kind, "segmentation": square(own, SIDE)} for kind in KINDS if own.random() < 0.7]
            found = [{"category": one["category"], "score": 0.9,
                      "segmentation": [[c + own.choice([0, 0, 1, 2]) for c in one["segmentation"][0]]]} for one in there]
            images.append((f"{number}-{i}", (START + datetime.timedelta(hours=number, minutes=i)).isoformat(), there, found))
        return images

    def sized(body):
        return lines(json.loads(line) | {"image_size": [SIDE, SIDE]} for line in body.decode().splitlines())

    past = [one for n in range(-20, 0) for one in masks(n)]
    now = masks(0)
    status, said = service.ask("POST", f"{model}/reference", sized(reference(past)))
    expect("reference of masks", (status, said.get("task")), (202, "segmentation"))
    service.ask("POST", f"{model}/predictions", sized(predictions(now)))
    service.ask("POST", f"{model}/labels", sized(labels(now)))
    service.ask("POST", f"{model}/predictions", sized(predictions(masks(1)[:1])))
    found = until("a score of masks", lambda: service.ask("GET", f"{model}/windows")[1], lambda w: w and w[0].get("coverage") == 1)
    wanted = scored(vigie, coco(folder, "masks", now, SIDE), "segmentation", "--window", "hour", "--timestamp", "date_captured",
                    "--reference", ",".join(coco(folder, "masks_before", past, SIDE)))
    expect_same("masks", found[0], wanted[0])
    expect("categories are named", {f'"{kind}"' in json.dumps(found[0]) for kind in KINDS}, {True})

    # Who hides the boxes hides what is made of them.
    hides = b'{"task": "segmentation", "window": "hour", "privacy": {"boxes": "drop"}}'
    expect("PUT of privacy", service.ask("PUT", model, hides)[0] in (200, 202), True)
    later = masks(2)
    service.ask("POST", f"{model}/predictions", sized(predictions(later)))
    service.ask("POST", f"{model}/labels", sized(labels(later)))
    service.ask("POST", f"{model}/predictions", sized(predictions(masks(3)[:1])))
    hidden = until("a score of hidden masks", lambda: service.ask("GET", f"{model}/windows")[1],
                   lambda w: w and w[-1]["start"] > iso(1) and w[-1].get("coverage") == 1)[-1]
    expect("no category is named", {f'"{kind}"' in json.dumps(hidden) for kind in KINDS}, {False})
    expect("nothing is drawn of them", [d["column"] for d in hidden.get("distributions", [])], [])
    expect("end", service.end(), 0)


with tempfile.TemporaryDirectory() as folder:
    detection(sys.argv[1], folder)
    segmentation(sys.argv[1], folder)
sys.exit(checks.end())
