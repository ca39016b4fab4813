// SPDX-License-Identifier: Apache-2.0

// Elasticsearch's own bulk indexer for Go, as its documentation has it.  usage: bulk_indexer URL FILE [--without-ids]
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"

	"github.com/elastic/go-elasticsearch/v8"
	"github.com/elastic/go-elasticsearch/v8/esutil"
)

func main() {
	client, err := elasticsearch.NewClient(elasticsearch.Config{Addresses: os.Args[1:2]})
	if err != nil {
		log.Fatal(err)
	}
	indexer, err := esutil.NewBulkIndexer(esutil.BulkIndexerConfig{Client: client, Index: "bench"})
	if err != nil {
		log.Fatal(err)
	}
	file, err := os.Open(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	withIDs := len(os.Args) < 4
	lines := bufio.NewScanner(file)
	lines.Buffer(make([]byte, 1<<20), 1<<20)
	for lines.Scan() {
		document := bytes.Clone(lines.Bytes())
		var known struct {
			ID string `json:"id"`
		}
		if err := json.Unmarshal(document, &known); err != nil {
			log.Fatal(err)
		}
		item := esutil.BulkIndexerItem{Action: "create", Body: bytes.NewReader(document)}
		if withIDs {
			item.DocumentID = known.ID
		}
		if err := indexer.Add(ctx, item); err != nil {
			log.Fatal(err)
		}
	}
	if err := indexer.Close(ctx); err != nil {
		log.Fatal(err)
	}
	fmt.Println(indexer.Stats().NumFlushed)
}
