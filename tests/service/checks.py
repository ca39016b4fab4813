#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Rules of people in the windows of `vigie serve`: what they find is what `vigie check --rules` finds of the same rows, over a
kill -9 within a window and with late rows; what PUT refuses; the incident.

usage: checks.py VIGIE     the last line says what was found
"""
import csv
import datetime
import json
import random
import signal
import subprocess
import sys
import tempfile
import time

from service import Checks, Service

START = datetime.datetime(2026, 3, 2, tzinfo=datetime.timezone.utc)
NAMES = ("not_null", "range", "set", "regex", "unique", "monotone", "relation")
rng = random.Random(7)
checks = Checks()
expect, until = checks.expect, checks.until


def rows_of(first, last, broken=False):
    """Rows of those minutes, one each six seconds."""
    rows = []
    for i in range(first * 10, last * 10):
        score = round(rng.random(), 4)
        rows.append({"id": f"p{i}", "timestamp": (START + datetime.timedelta(seconds=6 * i)).isoformat(),
                     "features": {"age": rng.randint(18, 80) + (rng.random() < 0.05) * 100 * broken,
                                  "net": round(rng.uniform(1, 50), 2), "gross": round(rng.uniform(40, 90), 2),
                                  "country": rng.choice(["FR", "DE", "IT"]) if not broken or rng.random() > 0.1 else "ZZ9"},
                     "prediction": "yes" if score > 0.5 else "no", "score": score})
        if broken and rng.random() < 0.1:
            del rows[-1]["features"]["net"]
    return rows


RULES = {"columns": {"age": {"range": [0, 120], "not_null": True, "at_most": 0.01},
                     "country": {"set": ["FR", "DE", "IT"], "regex": "[A-Z]{2}", "severity": "warn"},
                     "net": {"missing_at_most": 0.02, "unique": True, "at_most": 0.5},
                     "score": {"range": [0, 1]},
                     "timestamp": {"monotone": "increasing"}},
         "relations": ["net <= gross", {"rule": "gross != age", "at_most": 0.5, "severity": "warn"}]}
CONFIG = {"window": "hour", "allowed_lateness": "6h", "privacy": {"country": "show"}, "checks": RULES}


def lines(rows):
    return "\n".join(map(json.dumps, rows)).encode()


vigie = sys.argv[1]
with tempfile.TemporaryDirectory() as folder:

    def in_a_file(rows, rules=RULES):
        """By the start of a window, what vigie check says by the rules."""
        path, by = f"{folder}/rows.csv", f"{folder}/rules.yaml"
        columns = ["timestamp", *rows_of(0, 1)[0]["features"], "prediction", "score"]
        with open(path, "w", newline="") as file:
            table = csv.DictWriter(file, columns)
            table.writeheader()
            for row in rows:
                table.writerow({c: row.get(c, row["features"].get(c, "")) for c in columns})
        with open(by, "w") as file:
            json.dump(rules, file)
        done = subprocess.run([vigie, "check", path, "--rules", by, "--timestamp", "timestamp", "--window", "hour", "--json"],
                              capture_output=True, text=True)
        expect("vigie check", (done.returncode, done.stderr), (0, ""))
        return {w["start"]: of_rules(w) for w in json.loads(done.stdout)["windows"]}

    def of_rules(window):
        return [q for q in window["quality"] if q["check"] in NAMES]

    service = Service(vigie, f"{folder}/data")

    def put(config, model="credit"):
        return service.ask("PUT", f"/v1/models/{model}", json.dumps(config).encode())

    def windows(model="credit"):
        return {w["start"]: w for w in service.ask("GET", f"/v1/models/{model}/windows?limit=1000")[1]}

    def post(rows, model="credit"):
        expect("predictions", service.ask("POST", f"/v1/models/{model}/predictions", lines(rows))[0], 202)

    # What is wrong in itself.
    for said, why in (
            ([1], "checks: expected a JSON object of columns and relations, got [1]"),
            ({"column": {}}, 'checks: unknown key "column"; did you mean "columns"?'),
            ({"columns": {"age": {"range": [5, 1]}}}, "checks.columns.age.range: the low end is above the high one"),
            ({"columns": {"age": {"at_most": 2, "not_null": True}}}, 'checks.columns.age.at_most: expected 0..1, got "2"'),
            ({"columns": {"country": {"regex": "["}}},
             'checks.columns.country.regex: "[" is not a regular expression: missing ]: ['),
            ({"relations": ["net"]}, 'checks.relations: expected "a <= b", with one of < <= == != >= >, got "net"')):
        status, answer = put({"checks": said}, "none")
        expect(f"{said}", (status, answer.get("error")), (400, why))

    # And for the reference: whichever came first.
    past = lines(rows_of(-48 * 60, 0))
    expect("a column that there is not", put({"window": "hour", "checks": {"columns": {"ages": {"not_null": True}}}}, "first")[0], 200)
    status, answer = service.ask("POST", "/v1/models/first/reference", past)
    expect("its reference", (status, answer.get("error")),
           (400, 'checks.columns.ages.not_null: unknown column "ages"; did you mean "age"?'))
    expect("PUT", put(CONFIG)[0], 200)
    expect("reference", service.ask("POST", "/v1/models/credit/reference", past)[0], 202)
    # It is known once it was read.
    until("the reference", lambda: put({"checks": {"columns": {"ages": {"unique": True}}}}), lambda answer: answer[0] == 400)
    expect("PUT", put(CONFIG)[0], 200)
    for said, why in (
            ({"columns": {"ages": {"not_null": True}}}, 'checks.columns.ages.not_null: unknown column "ages"; did you mean "age"?'),
            ({"columns": {"country": {"range": [0, 1]}}},
             "checks.columns.country.range: cannot be judged: the column holds strings"),
            ({"relations": ["net <= groß"]}, 'checks.relations: net <= groß: unknown column "groß"; did you mean "gross"?')):
        status, answer = put(CONFIG | {"checks": said})
        expect(f"{said}", (status, answer.get("error")), (400, why))
    expect("as it was said", service.ask("GET", "/v1/models/credit")[1]["config"]["checks"], RULES)

    # An hour that keeps them, and one that does not, within which the service is killed.
    rows = rows_of(0, 60) + rows_of(60, 120, broken=True) + rows_of(120, 180)
    late = rows[700:710]
    ordered = rows[:700] + rows[710:1000] + late + rows[1000:]
    post(ordered[:850])
    until("an hour", windows, len)
    service.end(signal.SIGKILL)
    service = Service(vigie, f"{folder}/data")
    post(ordered[850:1250])
    found = until("two hours", windows, lambda w: len(w) == 2)
    want = in_a_file(ordered)
    hours = sorted(want)
    for hour in hours[:2]:
        expect(f"{hour}", of_rules(found[hour]), want[hour])
    verdicts = {(q["check"], q["column"]): q["verdict"] for q in want[hours[1]]}
    expect("what is broken", sorted(k for k, v in verdicts.items() if v == "fail"),
           [("monotone", "timestamp"), ("not_null", "net"), ("range", "age"), ("relation", "net <= gross")])
    expect("what warns", sorted(k for k, v in verdicts.items() if v == "warn"), [("regex", "country"), ("set", "country")])
    expect("verdict of a window", found[hours[1]]["verdict"], "drift")

    # Each is a cause.
    opened = until("an incident", lambda: service.ask("GET", "/v1/incidents?model=credit")[1], len)
    causes = {(c["what"], c["column"]): c["severity"] for c in opened[0]["causes"]}
    for key, verdict in verdicts.items():
        expect(f"cause {key}", causes.get(key), {"fail": "critical", "warn": "warning"}.get(verdict))
    page = service.ask("GET", "/", read=bytes.decode)[1]
    expect("on the page", [c["reason"] in page.replace("&quot;", '"') for c in opened[0]["causes"][:1]], [True])

    # Other rules are those of windows that begin later, over a kill as well; what comes late goes by those of its window.
    fewer = {"columns": {"age": {"range": [30, 60], "severity": "warn"}}}
    expect("PUT", put(CONFIG | {"checks": fewer})[0], 200)
    time.sleep(1)  # so that it was committed, and what came before is not read again
    service.end(signal.SIGKILL)
    service = Service(vigie, f"{folder}/data")
    more = rows_of(180, 240) + rows_of(240, 241)
    post(ordered[1250:] + more)
    found = until("four hours", windows, lambda w: len(w) == 4)
    want = in_a_file(ordered)
    expect("begun by the former", of_rules(found[hours[2]]), want[hours[2]])
    newer = in_a_file(ordered + more, fewer)
    expect("by the new ones", of_rules(found[sorted(newer)[3]]), newer[sorted(newer)[3]])
    again = [{**row, "id": f"late-{i}"} for i, row in enumerate(rows[1700:1720])]
    post(again)
    found = until("restated", windows, lambda w: w[hours[2]]["rows"] == 620)
    want = in_a_file(ordered + more + again)
    expect("with late rows", of_rules(found[hours[2]]), want[hours[2]])
    service.end()

    # What is hidden is not told of by them either.
    service = Service(vigie, f"{folder}/hidden")
    expect("PUT", put(CONFIG | {"privacy": {"country": "mask", "age": "drop"}})[0], 200)
    expect("reference", service.ask("POST", "/v1/models/credit/reference", past)[0], 202)
    post(rows[600:1200] + rows[1200:1201])
    found = until("an hour", windows, len)
    said = json.dumps([q for w in found.values() for q in of_rules(w) if q["column"] != "net <= gross"], ensure_ascii=False)
    expect("nothing of them", [text in said for text in ("ZZ9", "FR", "to 120")], [False] * 3)
    by = {(q["check"], q["column"]): q for w in found.values() for q in of_rules(w)}
    expect("that it is broken", by["range", "age"]["verdict"], "fail")
    expect("but not by what", by["range", "age"]["reason"], "its values are hidden")
    expect("nor between", by["relation", "gross != age"]["reason"], "its values are hidden")
    service.end()

sys.exit(checks.end())
