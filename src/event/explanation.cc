// SPDX-License-Identifier: Apache-2.0
#include "event/explanation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "event/record.h"

namespace vigie::event {
namespace {

constexpr std::string_view kAttributions = "attributions";

bool misfits(const table::Column& column, std::size_t row) {
  return std::binary_search(column.misfits.begin(), column.misfits.end(), static_cast<std::uint32_t>(row));
}

}  // namespace

ExplanationRows::ExplanationRows() {
  shape(keys_of(Kind::kPredictions, table::OtherKeys::kChecked).keys());
}

void ExplanationRows::shape(std::vector<table::JsonShape::Key> keys) {
  shape_ = std::make_unique<table::JsonShape>(std::move(keys), table::OtherKeys::kTold);
}

Status ExplanationRows::read(std::string_view body, table::JsonForm form) {
  features_.clear(), columns_.clear();
  std::vector<table::JsonShape::Key> fresh;
  const auto look = [&] {
    rows_.read(body, *shape_, form);
    fresh = rows_.unknown();
    std::erase_if(fresh, [](const auto& key) { return key.path.size() < 2 || key.path[0] != kAttributions; });
    for (auto& key : fresh) key.field.type = table::Type::kFloat;
  };
  const auto own = keys_of(Kind::kPredictions, table::OtherKeys::kChecked).keys();
  look();
  if (shape_->keys().size() - own.size() + fresh.size() > kMostFeatures) {
    // Names of bodies before, which may have been of other models.
    shape(own);
    look();
    if (fresh.size() > kMostFeatures) {
      const auto named = static_cast<long long>(fresh.size());
      rows_.read("", *shape_);
      return fail(Code::kInput, fmt::format("attributions: there are {}, and {} are admitted", plural(named, "feature"),
                                            with_commas(kMostFeatures)));
    }
  }
  if (!fresh.empty()) {
    auto keys = shape_->keys();
    keys.insert(keys.end(), fresh.begin(), fresh.end());
    shape(std::move(keys));
    rows_.read(body, *shape_, form);
  }
  for (std::size_t i = own.size(); i < shape_->keys().size(); ++i) {
    VIGIE_ASSIGN(const auto column, rows_.column(i));
    const bool any = !column.misfits.empty() || std::any_of(column.numbers.begin(), column.numbers.end(),
                                                            [](double value) { return !std::isnan(value); });
    if (!any) continue;
    features_.push_back(shape_->keys()[i].field.name.substr(kAttributions.size() + 1));
    columns_.push_back(column);
  }
  return {};
}

void ExplanationRows::of_row(std::size_t row, std::vector<double>& out) const {
  out.clear();
  for (const auto& column : columns_) {
    const double value = column.numbers[row];
    out.push_back(std::abs(value) <= kLargest ? value : std::nan(""));
  }
}

bool ExplanationRows::any(std::size_t row) const {
  return std::any_of(columns_.begin(), columns_.end(),
                     [&](const auto& column) { return !std::isnan(column.numbers[row]) || misfits(column, row); });
}

std::string ExplanationRows::wrong(std::size_t row) const {
  for (std::size_t i = 0; i < columns_.size(); ++i)
    if (misfits(columns_[i], row) || std::abs(columns_[i].numbers[row]) > kLargest)
      return fmt::format("\"attributions\": that of {} is no number", quoted(features_[i]));
  return any(row) ? "" : "\"attributions\" is missing: an object with a number for each feature";
}

}  // namespace vigie::event
