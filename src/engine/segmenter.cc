// SPDX-License-Identifier: Apache-2.0
#include "engine/segmenter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>

namespace vigie::engine {
namespace {

constexpr std::size_t kMostSegments = 10'000;

}  // namespace

void Membership::find_runs() {
  runs.clear();
  auto most = groups.size() / 64 + 1;
  for (std::size_t i = 0; i < groups.size();) {
    std::size_t end = i + 1;
    while (end < groups.size() && groups[end] == groups[i]) ++end;
    if (runs.size() == most) {
      runs.clear();
      return;
    }
    runs.push_back({static_cast<std::int64_t>(i), static_cast<std::int64_t>(end), groups[i]});
    i = end;
  }
}

Segmenter::Segmenter(SegmentBy by, std::vector<std::size_t> columns, const std::vector<std::string>* known)
    : by_(std::move(by)), columns_(std::move(columns)), fixed_(known != nullptr) {
  if (!known) return;
  names_ = *known;
  for (std::size_t i = 0; i < names_.size(); ++i) index_.emplace(names_[i], static_cast<std::int32_t>(i));
  if (auto it = index_.find(to_string(by_) + "=(other)"); it != index_.end()) other_ = it->second;
}

std::int32_t Segmenter::number(const std::string& name) {
  if (auto it = index_.find(name); it != index_.end()) return it->second;
  if (fixed_) return other_;
  auto n = static_cast<std::int32_t>(names_.size());
  names_.push_back(name);
  index_.emplace(name, n);
  return n;
}

Status Segmenter::assign(table::Batch& batch, std::vector<std::int32_t>& out) {
  auto rows = static_cast<std::size_t>(batch.rows());
  out.assign(rows, 0);
  // Values are numbered within the batch first (texts by their code, numbers by value), joined, then named once each.
  std::vector<std::vector<std::string>> texts(columns_.size());
  std::vector<std::vector<std::uint32_t>> locals(columns_.size());
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    VIGIE_ASSIGN(auto column, batch.column(columns_[c]));
    auto& local = locals[c];
    local.assign(rows, 0);
    texts[c].push_back("(missing)");
    if (column.type == table::Type::kString) {
      for (auto name : column.dictionary) texts[c].emplace_back(name);
      for (std::size_t i = 0; i < rows; ++i) local[i] = static_cast<std::uint32_t>(column.codes[i] + 1);
    } else if (column.type == table::Type::kList || column.type == table::Type::kSkip) {
      return fail(Code::kUsage, fmt::format("--segment {}: a list of numbers cannot be a segment", by_[c]));
    } else {
      std::unordered_map<double, std::uint32_t> seen;
      for (std::size_t i = 0; i < rows; ++i) {
        double v = column.numbers[i];
        if (std::isnan(v)) continue;
        auto [it, fresh] = seen.try_emplace(v, static_cast<std::uint32_t>(texts[c].size()));
        if (fresh)
          texts[c].push_back(column.type == table::Type::kBoolean ? (v != 0 ? "true" : "false") : fmt::format("{}", v));
        local[i] = it->second;
      }
    }
  }
  std::unordered_map<std::uint64_t, std::int32_t> numbers;
  std::uint64_t last = ~0ULL;
  std::int32_t last_number = -1;
  for (std::size_t i = 0; i < rows; ++i) {
    std::uint64_t key = locals[0][i];
    if (columns_.size() > 1) key |= static_cast<std::uint64_t>(locals[1][i]) << 32;
    if (key != last) {
      last = key;
      auto [it, fresh] = numbers.try_emplace(key, -1);
      if (fresh) {
        auto name = by_[0] + "=" + texts[0][key & 0xffffffffU];
        if (columns_.size() > 1) name += "," + by_[1] + "=" + texts[1][key >> 32];
        it->second = number(name);
        if (it->second < 0 && stray_.empty()) stray_ = name;
        if (names_.size() > kMostSegments)
          return fail(Code::kUsage, fmt::format("--segment {}: more than {} different values; choose a column with few",
                                                to_string(by_), kMostSegments));
      }
      last_number = it->second;
    }
    out[i] = last_number;
    strays_ += last_number < 0;
  }
  return {};
}

std::vector<std::string> segments_to_watch(const SegmentBy& by, const std::vector<std::string>& names,
                                           const std::vector<std::int64_t>& rows) {
  std::vector<std::size_t> order(names.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [&](auto a, auto b) { return rows[a] != rows[b] ? rows[a] > rows[b] : names[a] < names[b]; });
  std::vector<std::string> kept;
  for (auto i : order)
    if (rows[i] >= kSegmentFloor && kept.size() < kSegments) kept.push_back(names[i]);
  if (kept.size() < names.size()) kept.push_back(to_string(by) + "=(other)");
  return kept;
}

}  // namespace vigie::engine
