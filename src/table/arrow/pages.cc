// SPDX-License-Identifier: Apache-2.0
#include <parquet/column_page.h>
#include <parquet/exception.h>
#include <parquet/metadata.h>

#include <algorithm>

#include "table/arrow/parquet_internal.h"

namespace vigie::table {
namespace {

class TrackedPages : public parquet::PageReader {
 public:
  TrackedPages(std::unique_ptr<parquet::PageReader> pages, std::shared_ptr<Track> track)
      : pages_(std::move(pages)), track_(std::move(track)) {}
  std::shared_ptr<parquet::Page> NextPage() override {
    auto at = track_->stream->tell();
    auto page = pages_->NextPage();
    if (!page) return page;
    if (page->type() == parquet::PageType::DICTIONARY_PAGE) {
      track_->dictionary_end = track_->stream->tell();
    } else if (page->type() == parquet::PageType::DATA_PAGE || page->type() == parquet::PageType::DATA_PAGE_V2) {
      track_->page = at;
      track_->page_row = track_->next_row;
      track_->next_row += static_cast<const parquet::DataPage&>(*page).num_values();
    }
    return page;
  }
  void set_max_page_header_size(std::uint32_t size) override { pages_->set_max_page_header_size(size); }

 private:
  std::unique_ptr<parquet::PageReader> pages_;
  std::shared_ptr<Track> track_;
};

// Arrow's own keeps whole chunks or a buffer of fixed size; this one reads page by page, and can start in the middle.
struct ChunkContents : parquet::RowGroupReader::Contents {
  const ParquetFile& file;
  std::unique_ptr<parquet::RowGroupMetaData> group;
  std::shared_ptr<Track> track;
  Resume resume;

  ChunkContents(const ParquetFile& f, int g, std::shared_ptr<Track> t, Resume r)
      : file(f), group(f.metadata->RowGroup(g)), track(std::move(t)), resume(r) {}
  const parquet::RowGroupMetaData* metadata() const override { return group.get(); }
  const parquet::ReaderProperties* properties() const override { return &file.properties; }
  std::unique_ptr<parquet::PageReader> GetColumnPageReader(int i) override {
    auto chunk = group->ColumnChunk(i);
    if (chunk->crypto_metadata()) throw parquet::ParquetException("the column is encrypted");
    auto begin = chunk->data_page_offset();
    if (chunk->has_dictionary_page() && chunk->dictionary_page_offset() > 0)
      begin = std::min(begin, chunk->dictionary_page_offset());
    auto size = chunk->total_compressed_size();
    if (begin < 0 || size < 0 || begin > file.file->size() || size > file.file->size() - begin)
      throw parquet::ParquetException("a column chunk lies outside the file");
    auto end = begin + size;
    // Some early writers left the dictionary's header out of the size.
    const auto& writer = file.metadata->writer_version();
    if (writer.VersionLt(parquet::ApplicationVersion::PARQUET_816_FIXED_VERSION()))
      end = std::min(end + 100, file.file->size());
    auto start = resume.page >= 0 && resume.dictionary_end < 0 ? resume.page : begin;
    track->stream = std::make_shared<ChunkStream>(file.file, start, end);
    if (resume.page >= 0 && resume.dictionary_end >= 0) track->stream->jump(resume.dictionary_end, resume.page);
    track->next_row = resume.row;
    auto pages =
        parquet::PageReader::Open(track->stream, chunk->num_values() - resume.row, chunk->compression(),
                                  file.properties, *file.metadata->schema()->Column(i),
                                  writer.VersionLt(parquet::ApplicationVersion::PARQUET_CPP_10353_FIXED_VERSION()));
    return std::make_unique<TrackedPages>(std::move(pages), track);
  }
};

}  // namespace

std::unique_ptr<parquet::RowGroupReader> open_row_group(const ParquetFile& file, int group,
                                                        std::shared_ptr<Track> track, const Resume& resume) {
  return std::make_unique<parquet::RowGroupReader>(
      std::make_unique<ChunkContents>(file, group, std::move(track), resume));
}

}  // namespace vigie::table
