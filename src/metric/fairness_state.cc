// SPDX-License-Identifier: Apache-2.0
#include "metric/counts_internal.h"
#include "metric/fairness.h"

namespace vigie::metric {

void FairnessState::update(std::span<const std::string_view> groups, std::span<const std::uint8_t> predictions,
                           std::span<const std::uint8_t> labels) {
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] > 1) {
      ++unlabelled_;
    } else if (predictions[i] > 1 || !groups[i].data()) {
      ++unscored_;
    } else {
      auto group = groups_.find(groups[i]);
      if (group == groups_.end()) group = groups_.emplace(groups[i], BinaryCounts{}).first;
      group->second.add(labels[i] == 1, predictions[i] == 1);
    }
  }
}

void FairnessState::merge(const FairnessState& other) {
  unlabelled_ += other.unlabelled_;
  unscored_ += other.unscored_;
  for (const auto& [name, counts] : other.groups_) groups_[name].add(BinaryCounts(counts));
}

void FairnessState::save(ByteWriter& out) const {
  out.varint(static_cast<std::uint64_t>(unlabelled_));
  out.varint(static_cast<std::uint64_t>(unscored_));
  out.varint(groups_.size());
  for (const auto& [name, c] : groups_) {
    out.string(name);
    for (const std::int64_t count : {c.tn, c.fp, c.fn, c.tp}) out.varint(static_cast<std::uint64_t>(count));
  }
}

Result<FairnessState> FairnessState::load(ByteReader& in) {
  FairnessState state;
  bool good = true;
  CountReader read(in);
  state.unlabelled_ = read();
  state.unscored_ = read();
  for (std::uint64_t groups = in.count(5); groups > 0 && good; --groups) {
    std::string name(in.string());
    BinaryCounts counts;
    for (std::int64_t* count : {&counts.tn, &counts.fp, &counts.fn, &counts.tp}) *count = read();
    good = good && in.ok() && state.groups_.emplace(std::move(name), counts).second;
  }
  if (!good || !in.ok()) return fail(Code::kCorrupt, "a fairness state is damaged");
  return state;
}

FairnessSummary FairnessState::summarize() const {
  FairnessSummary out;
  for (const auto& [name, counts] : groups_) {
    out.parts.push_back(name);
    out.counts.push_back(counts);
    out.all.add(counts);
  }
  out.n = out.all.rows();
  return out;
}

}  // namespace vigie::metric
