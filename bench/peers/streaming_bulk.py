# SPDX-License-Identifier: Apache-2.0
"""Elasticsearch's own bulk helper for Python, as its documentation has it.

usage: streaming_bulk.py URL FILE [--max-retries=N] [--without-ids]
"""
import json
import sys

from elasticsearch import Elasticsearch, helpers


def actions(path):
    with open(path) as lines:
        for line in lines:
            document = json.loads(line)
            yield {"_op_type": "create", "_index": "bench", "_source": document} | ({"_id": document["id"]} if with_ids else {})


with_ids = "--without-ids" not in sys.argv
# What is refused comes again only where an error is not raised for it first.
options = {"max_retries": int(word.split("=")[1]) for word in sys.argv if word.startswith("--max-retries=")}
options |= {"raise_on_error": False} if options else {}
stored = refused = 0
for ok, item in helpers.streaming_bulk(Elasticsearch(sys.argv[1]), actions(sys.argv[2]), chunk_size=5000, **options):
    stored += ok
    refused += not ok and item["create"]["status"] != 409
print(stored)
sys.exit(refused > 0)
