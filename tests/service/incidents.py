#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A model of `vigie serve` that goes wrong and recovers, as its people see it: windows, incidents, answers, the page.

usage: incidents.py VIGIE     the last line says what was found
"""
import datetime
import json
import pathlib
import random
import signal
import sys
import tempfile
import time
import urllib.parse

from service import Checks, Hook, Service

START = datetime.datetime(2026, 3, 2, tzinfo=datetime.timezone.utc)
ROWS = 120
rng = random.Random(1)
checks = Checks()
expect, until = checks.expect, checks.until


def hour(number, age=40, score=0.0, labels=False):
    """Rows of an hour; `score` is added to what the model answers, and `age` is that of applicants in the north."""
    rows = []
    for i in range(ROWS):
        truth = rng.random() < 0.4
        answer = min(1, max(0, (0.7 if truth else 0.3) + rng.gauss(0, 0.15) + score))
        at = START + datetime.timedelta(hours=number, seconds=i * 3600 / ROWS)
        shop = rng.choice(["north", "south"])
        row = {"id": f"{number}-{i}", "timestamp": at.isoformat(), "features": {"age": rng.gauss(age if shop == "north" else 40, 10), "kind": rng.choice("abc")},
               "prediction": "yes" if answer > 0.5 else "no", "score": round(answer, 4), "tags": {"shop": shop}}
        if labels:
            row["label"] = "yes" if truth else "no"
        rows.append(row)
    return rows


def lines(rows):
    return "\n".join(json.dumps(row) for row in rows).encode()


class FirstRefused(Hook):
    asked = 0

    def refuse(self):
        FirstRefused.asked += 1
        return FirstRefused.asked == 1


class Moved(Hook):
    """An address that is gone, and mended later."""
    gone, told = True, []

    def do_POST(self):
        if not Moved.gone:
            return super().do_POST()
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(404)
        self.send_header("Content-Length", "0")
        self.end_headers()


def main():
    vigie = sys.argv[1]
    hook = FirstRefused.start()
    more = ["--notify", f"webhook(url={hook})", "--notify", f"webhook(url={Moved.start()}, name=moved)", "--page", "https://vigie.example.org"]
    with tempfile.TemporaryDirectory() as folder:
        data = str(pathlib.Path(folder) / "data")
        service = Service(vigie, data, more=more)
        model = "/v1/models/credit"

        def get(path):
            return service.ask("GET", path)[1]

        def post(path, body=None):
            return service.ask("POST", path, body)

        config = {"owner": "ana", "runbook": "https://wiki.example.org/credit", "window": "hour", "positive": "yes", "segments": ["shop"],
                  "notify": ["webhook", "moved"],
                  "monitors": [{"column": "age", "owner": "bob", "notify": ["webhook", "moved"]}]}
        status, said = service.ask("PUT", model, json.dumps(config))
        expect("PUT", (status, said.get("config")), (200, config))
        expect("PUT with an unknown key", service.ask("PUT", model, '{"ownr": "x"}'),
               (400, {"error": 'unknown key "ownr"; did you mean "owner"?', "where": "body"}))
        expect("PUT with an unknown target", service.ask("PUT", model, '{"monitors": [{"what": "accuracy", "notify": ["webhok"]}]}'),
               (400, {"error": 'monitors[0].notify: unknown target "webhok"; did you mean "webhook"?', "where": "body"}))
        status, said = post(model + "/reference", lines(r for h in range(24 * 14) for r in hour(h, labels=True)))
        expect("reference", (status, said.get("window"), said.get("windows")), (202, "hour", 24 * 14))

        # Eight good hours, three in which the applicants are others, then good ones again.
        first = 24 * 14
        for h in range(first, first + 8):
            post(model + "/predictions", lines(hour(h)))
        for h in range(first + 8, first + 11):
            post(model + "/predictions", lines(hour(h, age=55)))
        opened = until("an incident", lambda: get("/v1/incidents"), bool)
        expect("incidents", len(opened), 1)
        incident = opened[0]
        expect("since", incident["since"], (START + datetime.timedelta(hours=first + 8)).strftime("%Y-%m-%dT%H:%M:%SZ"))
        expect("cause", (incident["causes"][0]["column"], incident["causes"][0]["segment"]), ("age", "shop=north"))
        expect("who", (incident["owner"], incident["runbook"], incident["severity"], incident["state"]),
               ("bob", "https://wiki.example.org/credit", "warning", "open"))
        one = "/v1/incidents/" + urllib.parse.quote(incident["id"], safe="")

        status, said = post(one + "/ack", '{"by": "bob", "note": "a campaign"}')
        expect("ack", (status, said["state"], said["answered_by"]), (200, "acknowledged", "bob"))
        expect("an unknown action", post(one + "/acknowledge")[0], 400)
        expect("an unknown incident", post("/v1/incidents/none/ack")[0], 404)
        expect("snooze without an end that is to come", post(one + "/snooze", '{"until": "2020-01-01"}')[0], 400)
        status, said = post(one + "/snooze", '{"for": "2h"}')
        expect("snooze", (status, said["state"]), (200, "snoozed"))

        # What was said is there after a kill.
        service.end(signal.SIGKILL)
        service = Service(vigie, data, more=more)
        expect("after a kill", get(one)["state"], "snoozed")
        for h in range(first + 11, first + 15):
            post(model + "/predictions", lines(hour(h)))
        said = until("recovery", lambda: get(one), lambda i: i["state"] == "resolved")
        expect("until", said["until"], (START + datetime.timedelta(hours=first + 11)).strftime("%Y-%m-%dT%H:%M:%SZ"))
        expect("an answer to what is over", post(one + "/ack")[0], 409)

        # The model answers something else: that is critical; somebody says it is as it should be, and hears no more.
        for h in range(first + 15, first + 18):
            post(model + "/predictions", lines(hour(h, score=0.35)))
        worse = until("a critical incident", lambda: get("/v1/incidents?state=open"), bool)
        expect("critical", [(i["severity"], i["owner"]) for i in worse], [("critical", "ana")])
        other = "/v1/incidents/" + urllib.parse.quote(worse[0]["id"], safe="")
        until("all of it", lambda: get(other), lambda i: i["windows"] >= 2)
        status, said = post(other + "/false-alarm", '{"by": "ana"}')
        expect("false alarm", (status, said["state"], said["false_alarm"]), (200, "resolved", True))
        for h in range(first + 18, first + 22):
            post(model + "/predictions", lines(hour(h, score=0.35)))
        until("windows", lambda: get(model + "/windows"), lambda w: len(w) >= 21)
        expect("after a false alarm", get("/v1/incidents?state=open"), [])

        # Labels say that it is wrong more often: that is another matter.
        for h in range(first, first + 8):
            post(model + "/labels", lines({"id": f"{h}-{i}", "label": rng.choice(["yes", "no"])} for i in range(ROWS)))
        worse = until("an incident of the score", lambda: get("/v1/incidents?state=open"), bool)
        expect("its cause", {c["what"] for c in worse[0]["causes"]} & {"roc_auc", "accuracy"} != set(), True)
        expect("all incidents, the youngest first",
               [i["since"] for i in get("/v1/incidents")], sorted((i["since"] for i in get("/v1/incidents")), reverse=True))
        expect("incidents by pages", [get(f"/v1/incidents?limit=1&after={urllib.parse.quote(i['id'])}")[0]["id"]
                                      for i in get("/v1/incidents")[:-1]], [i["id"] for i in get("/v1/incidents")[1:]])

        status, said = post(one + "/false-alarm", '{"by": "bob"}')
        expect("a false alarm that is over", (status, said["state"], said["false_alarm"], said["answered_by"]), (200, "resolved", True, "bob"))

        # Told once each, over a kill and a refusal; of one incident in order.
        told = until("notices", lambda: Hook.told, lambda told: len(told) >= 5)
        said = [(t["alerts"][0]["labels"]["severity"], t["status"]) for t in told]
        expect("notices", sorted(said), [("critical", "firing"), ("critical", "firing"), ("critical", "resolved"),
                                         ("warning", "firing"), ("warning", "resolved")])
        expect("in order", [s for s in said if s[0] == "warning"], [("warning", "firing"), ("warning", "resolved")])

        # What one could not be told is there, and told once somebody wants it.
        dead = until("what was given up", lambda: get("/v1/notices?state=given_up"), lambda found: len(found) >= 5)
        expect("all of them", sorted((n["notice"], n["target"], "404" in n["why"], n["ended"] is not None) for n in dead),
               [("opened", "moved", True, True)] * 3 + [("resolved", "moved", True, True)] * 2)
        expect("by pages", [n["id"] for n in get(f"/v1/notices?state=given_up&limit=2&after={dead[0]['id']}")], [n["id"] for n in dead[1:3]])
        Moved.gone = False
        status, said = post(f"/v1/notices/{dead[0]['id']}/resend", '{"by": "ana", "note": "a new address"}')
        expect("told again", (status, said), (202, {"accepted": True, "target": "moved", "incident": dead[0]["incident"]}))
        came = until("it came", lambda: Moved.told, bool)
        expect("which", [dead[0]["incident"] in json.dumps(t) for t in came], [True])
        sent = until("it was sent", lambda: [n for n in get("/v1/notices?state=sent") if n["target"] == "moved"], bool)
        expect("and is one", (len(sent), sent[0]["incident"], len(get("/v1/notices?state=given_up"))), (1, dead[0]["incident"], 4))
        expect("once", post(f"/v1/notices/{dead[0]['id']}/resend")[0], 404)
        expect("not what was sent", post(f"/v1/notices/{sent[0]['id']}/resend")[0], 409)
        expect("what of it is no key", post(f"/v1/notices/{dead[1]['id']}/resend", '{"bye": "ana"}')[0], 400)
        expect("audit", [(e["by"], e["details"]["note"]) for e in get("/v1/audit?event=notice_resent")], [("ana", "a new address")])

        status, page = service.ask("GET", "/", read=bytes)
        expect("page", (status, b"credit" in page, b"bob" in page, b"<svg" in page), (200, True, True, True))
        document = get("/openapi.json")
        expect("openapi", document["openapi"], "3.1.0")
        expect("graceful end", service.end(signal.SIGTERM), 0)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
