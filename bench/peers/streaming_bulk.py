# SPDX-License-Identifier: Apache-2.0
"""Elasticsearch's own bulk helper for Python, as its documentation has it.  usage: streaming_bulk.py URL FILE"""
import json
import sys

from elasticsearch import Elasticsearch, helpers


def actions(path):
    with open(path) as lines:
        for line in lines:
            document = json.loads(line)
            yield {"_op_type": "create", "_index": "bench", "_id": document["id"], "_source": document}


print(sum(ok for ok, _ in helpers.streaming_bulk(Elasticsearch(sys.argv[1]), actions(sys.argv[2]), chunk_size=5000)))
