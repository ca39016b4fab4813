#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What only the client in Python promises: values of any kind, fork, the end of the program.  usage: python_client.py"""
import datetime
import decimal
import math
import os
import pathlib
import re
import subprocess
import sys
import threading
import unittest
import uuid

from clients import Scripted

CLIENTS = pathlib.Path(sys.argv[0]).resolve().parents[2] / "clients" / "python"
sys.path.insert(0, str(CLIENTS))
import vigie  # noqa: E402

try:
    import numpy
except ImportError:
    numpy = None


class Scalar:
    """As numpy's are: no number, but with one inside."""

    def __init__(self, value):
        self.value = value

    def tolist(self):
        return self.value


class PythonClient(unittest.TestCase):
    def setUp(self):
        self.server = Scripted()
        self.addCleanup(self.server.__exit__)

    def client(self, **options):
        client = vigie.Client(self.server.url, "m", interval=0.02, **options)
        self.addCleanup(client.close, 0)
        return client

    def sent(self, client):
        self.assertTrue(client.flush(60))
        return self.server.records("taken")

    def test_values(self):
        client = self.client()
        client.predict("a", score={"yes": 0.75, "no": math.nan}, version="3", tags=("x", "y"), features={
            1: Scalar(0.5), "nan": Scalar(math.nan), "list": [1, math.inf, {"deep": -math.inf}],
            "time": datetime.datetime(2026, 11, 23, 7, tzinfo=datetime.timezone.utc), "decimal": decimal.Decimal("1.5"),
            "uuid": uuid.UUID(int=1), "set": {2}})
        record, = self.sent(client)
        del record["timestamp"]
        self.assertEqual(record, {
            "id": "a", "scores": {"yes": 0.75, "no": None}, "version": "3", "tags": ["x", "y"], "features": {
                "1": 0.5, "nan": None, "list": [1, None, {"deep": None}], "time": "2026-11-23T07:00:00+00:00",
                "decimal": 1.5, "uuid": "00000000-0000-0000-0000-000000000001", "set": [2]}})

    @unittest.skipUnless(numpy, "numpy is not installed")
    def test_values_of_numpy(self):
        client = self.client()
        client.predict("a", prediction=numpy.int64(7), score=numpy.float32(0.5), embedding=numpy.array([1.5, numpy.nan]),
                       features={"bool": numpy.bool_(True), "nan": numpy.float32("nan"), numpy.int64(3): numpy.str_("x")})
        record, = self.sent(client)
        del record["timestamp"]
        self.assertEqual(record, {"id": "a", "prediction": 7, "score": 0.5, "embedding": [1.5, None],
                                  "features": {"bool": True, "nan": None, "3": "x"}})

    def test_what_is_no_json_is_counted(self):
        client = self.client()
        endless = []
        endless.append(endless)
        for features in ({"x": object()}, {"x": endless}, {"x": b"bytes"}, 5, {"x": 1 + 2j}):
            self.assertEqual(client.predict("a", features=features), "a")
        client.label(object(), "no")
        client.predict("b")
        self.assertEqual([r["id"] for r in self.sent(client)], ["b"])
        counts = client.counters()
        self.assertEqual((counts["sent"], counts["failed"], counts["accepted"]), (7, 6, 1), counts)
        self.assertIn("object is no JSON", counts["trouble"])

    def test_the_caller_goes_on_with_his_dict(self):
        client, features = self.client(), {"x": 1}
        client.predict("a", features)
        features["x"] = 2
        self.assertEqual(self.sent(client)[0]["features"], {"x": 1})

    def test_ids(self):
        client, made = self.client(), []
        threads = [threading.Thread(target=lambda: made.extend(client.predict() for _ in range(1000))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(set(made)), 4000)
        self.assertEqual({r["id"] for r in self.sent(client)}, set(made))

    @unittest.skipUnless(hasattr(os, "fork"), "no fork here")
    def test_fork(self):
        self.server.script.append((503, [("Retry-After", "60")]))  # keeps the parent's records in its queue
        client = self.client()
        mine = client.predict()
        while not self.server.bodies:
            pass
        child = os.fork()
        if child == 0:
            ids = [client.predict(), client.predict()]
            ok = client.flush(60) and client.counters()["accepted"] == 2 and mine not in ids and len(set(ids)) == 2
            os._exit(0 if ok else 1)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        sent = [r["id"] for r in self.sent(client)]
        self.assertEqual((len(sent), sent.count(mine)), (3, 1))

    def test_the_end_of_the_program(self):
        program = "import sys, vigie\nclient = vigie.Client(sys.argv[1], 'm')\nfor i in range(100): client.predict(str(i))"
        subprocess.run([sys.executable, "-c", program, self.server.url], check=True,
                       env={**os.environ, "PYTHONPATH": str(CLIENTS)})
        self.assertEqual(len(self.server.records("taken")), 100)

    def test_the_example(self):
        page = (CLIENTS.parent / "README.md").read_text(encoding="utf-8")
        example, = re.findall("^```python\n(.*?)^```$", page, re.M | re.S)
        names = {"print": lambda counters: self.assertEqual(counters["sent"], 2)}
        exec(example.replace("http://127.0.0.1:8090", self.server.url), names)
        prediction, label = self.server.records("taken")
        self.assertEqual((prediction["features"], prediction["version"]), ({"age": 41, "country": "FR"}, "3"))
        self.assertEqual((label["id"], label["label"]), (prediction["id"], "no"))

    def test_closed(self):
        with self.client() as client:
            client.predict("a")
        client.predict("b")
        client.label("a", "no")
        counts = client.counters()
        self.assertEqual((counts["accepted"], counts["dropped"], counts["waiting"]), (1, 2, 0))
        self.assertEqual([r["id"] for r in self.server.records("taken")], ["a"])

    def test_where_it_cannot_send(self):
        for url in ("", "127.0.0.1:8090", "ftp://host", "http://", "http://host?x"):
            with self.assertRaises(ValueError):
                vigie.Client(url, "m")
        with self.assertRaises(ValueError):
            vigie.Client("http://127.0.0.1:8090", "")


if __name__ == "__main__":
    unittest.main()
