module bulk_indexer

go 1.22

require github.com/elastic/go-elasticsearch/v8 v8.19.0
