// SPDX-License-Identifier: Apache-2.0
#include "server/row_samples.h"

#include <algorithm>

#include "base/hash.h"

namespace vigie::server {

RowSamples::RowSamples(std::string model, const engine::Profile& reference, const table::Schema& columns)
    : model_(std::move(model)) {
  // The first is of all rows.
  for (std::size_t k = 1; k < reference.segmentations.size(); ++k) {
    std::vector<std::size_t> at;
    for (const auto& name : reference.segmentations[k])
      for (std::size_t i = 0; i < columns.size(); ++i)
        if (columns[i].name == name) at.push_back(i);
    if (at.size() == reference.segmentations[k].size())
      segmenters_.emplace_back(reference.segmentations[k], std::move(at), &reference.segments[k]);
  }
}

void RowSamples::show_by(std::shared_ptr<const RowPrivacy> privacy) {
  if (privacy_ && privacy_->said_hash() != privacy->said_hash()) windows_.clear();
  privacy_ = std::move(privacy);
}

Status RowSamples::add(table::Batch& batch, const table::JsonRows& rows, std::size_t id,
                       const engine::LiveWindows& windows) {
  if (!privacy_) return {};
  VIGIE_ASSIGN(const auto ids, batch.column(id));
  std::vector<std::vector<std::int32_t>> segments(segmenters_.size());
  for (std::size_t k = 0; k < segmenters_.size(); ++k) VIGIE_TRY(segmenters_[k].assign(batch, segments[k]));
  for (std::size_t row = 0; row < static_cast<std::size_t>(batch.rows()); ++row) {
    const auto window = windows.window_of(row);
    if (!window || *window < windows.gone_below() || ids.codes[row] < 0) continue;
    const auto name = ids.dictionary[static_cast<std::size_t>(ids.codes[row])];
    const auto hash = hash64(name, mix64(static_cast<std::uint64_t>(*window)));
    auto& by_segment = windows_[*window].by_segment;
    std::string text;
    const auto offer = [&](const std::string& segment) {
      auto found = by_segment.find(segment);
      if (found == by_segment.end()) {
        if (by_segment.size() > kMostSegments) return;
        found = by_segment.try_emplace(segment).first;
      }
      auto& chosen = found->second;
      if (chosen.size() == kRows && hash >= std::prev(chosen.end())->first) return;
      if (text.empty()) text = privacy_->shown(rows.text_of(row));
      chosen.try_emplace(hash, text);
      if (chosen.size() > kRows) chosen.erase(std::prev(chosen.end()));
    };
    offer("");
    for (std::size_t k = 0; k < segmenters_.size(); ++k)
      if (const auto segment = segments[k][row]; segment >= 0)
        offer(segmenters_[k].names()[static_cast<std::size_t>(segment)]);
  }
  return {};
}

void RowSamples::save(ByteWriter& out) const {
  out.varint(windows_.size());
  for (const auto& [key, window] : windows_) {
    out.fixed(key);
    out.varint(window.by_segment.size());
    for (const auto& [segment, rows] : window.by_segment) {
      out.string(segment);
      out.varint(rows.size());
      for (const auto& [hash, row] : rows) out.fixed(hash), out.string(row);
    }
  }
}

void RowSamples::load(ByteReader& in) {
  for (auto windows = in.count(9); windows > 0 && in.ok(); --windows) {
    auto& by_segment = windows_[in.fixed<std::int64_t>()].by_segment;
    for (auto segments = in.count(2); segments > 0 && in.ok(); --segments) {
      auto& chosen = by_segment[std::string(in.string())];
      for (auto rows = in.count(9); rows > 0 && in.ok(); --rows) {
        const auto hash = in.fixed<std::uint64_t>();
        chosen.try_emplace(hash, in.string());
      }
    }
  }
}

std::vector<store::Sample> RowSamples::chosen(std::int64_t window, const std::string& key) const {
  std::vector<store::Sample> out;
  if (const auto found = windows_.find(window); found != windows_.end())
    for (const auto& [segment, rows] : found->second.by_segment) {
      std::string body;
      for (const auto& [hash, row] : rows) body.append(body.empty() ? "[" : ",").append(row);
      out.push_back({model_, key, segment, body + "]"});
    }
  return out;
}

}  // namespace vigie::server
