// SPDX-License-Identifier: Apache-2.0
#include "journal/reader.h"

#include <fmt/format.h>

#include <limits>

#include "journal/segment_internal.h"

namespace vigie::journal {

Reader::Reader(std::shared_ptr<const SegmentList> segments, Sequence from)
    : segments_(std::move(segments)), position_(from) {}

Result<const Block*> Reader::next() {
  while (true) {
    Sequence behind = std::numeric_limits<Sequence>::max();  // the first record of the next segment
    std::uint64_t lasting;                                   // bytes of this one
    {
      const std::lock_guard lock(segments_->mutex);
      if (position_ >= segments_->end) return nullptr;
      const auto& all = segments_->segments;
      if (all.empty()) return nullptr;
      if (!file_ || !all.contains(segment_)) {
        auto at = all.upper_bound(position_);
        if (at != all.begin()) --at;
        if (!file_ || at->first != segment_) file_.reset(), segment_ = at->first, offset_ = kSegmentHeader;
        position_ = std::max(position_, segment_);
      }
      // Another file stands in its place, with the same records.
      const auto& segment = all.at(segment_);
      if (file_ && packed_ != segment.packed) file_.reset(), offset_ = kSegmentHeader;
      lasting = segment.bytes, packed_ = segment.packed;
      if (const auto after = all.upper_bound(segment_); after != all.end()) behind = after->first;
    }
    if (offset_ >= lasting) {
      if (behind == std::numeric_limits<Sequence>::max()) return nullptr;
      file_.reset();
      position_ = std::max(position_, behind);
      continue;
    }
    if (!file_) {
      auto opened = InputFile::open(segments_->path(segment_));
      if (!opened) {
        const std::lock_guard lock(segments_->mutex);
        if (!segments_->segments.contains(segment_)) continue;  // dropped since
        return opened.error();
      }
      const std::lock_guard lock(segments_->mutex);
      const auto now = segments_->segments.find(segment_);
      if (now == segments_->segments.end() || now->second.packed != packed_) continue;
      file_ = std::move(*opened);
    }
    VIGIE_ASSIGN(const auto header, read_block(*file_, offset_, stored_));
    if (!header) return fail(Code::kCorrupt, fmt::format("{}: byte {}: the file was cut", file_->path(), offset_));
    const std::uint64_t at = offset_;
    if (header->first + header->count > position_) {
      VIGIE_TRY(unpack(*header, stored_, file_->path(), at, raw_, block_.records));
      const auto known = position_ > header->first ? position_ - header->first : 0;
      block_.records.erase(block_.records.begin(), block_.records.begin() + static_cast<std::ptrdiff_t>(known));
      block_.first = header->first + known;
      block_.arrived = header->arrived;
      position_ = header->first + header->count;
    } else {
      block_.records.clear();
    }
    offset_ += kBlockHeader + header->stored;
    if (!block_.records.empty()) return &block_;
  }
}

Status Reader::skip() {
  if (file_) {
    Sequence end;
    std::uint64_t size = 0;
    {
      const std::lock_guard lock(segments_->mutex);
      end = segments_->end;
      if (const auto at = segments_->segments.find(segment_); at != segments_->segments.end()) size = at->second.bytes;
    }
    VIGIE_ASSIGN(const auto found, find_block(*file_, offset_, size, position_, end));
    if (found) {
      offset_ = *found;
      return {};
    }
  }
  const std::lock_guard lock(segments_->mutex);
  const auto after = segments_->segments.upper_bound(segment_);
  if (after == segments_->segments.end()) {
    if (const auto at = segments_->segments.find(segment_); at != segments_->segments.end()) offset_ = at->second.bytes;
    position_ = segments_->end;
  } else {
    file_.reset();
    position_ = std::max(position_, after->first);
  }
  return {};
}

}  // namespace vigie::journal
