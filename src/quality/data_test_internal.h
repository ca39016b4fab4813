// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "base/rng.h"
#include "quality/quality.h"
#include "stats/distributions.h"

namespace vigie::quality::test {

/// A column of a test: numbers and times in `numbers`, NaN missing; strings in `texts`, "\0" missing.
struct Data {
  ColumnSpec spec;
  std::vector<double> numbers;
  std::vector<std::string> texts;
  std::int64_t mismatches = 0;
};
inline const std::string kNone(1, '\0');

struct Table {
  std::vector<Data> columns;
  std::int64_t first = 0;

  std::size_t rows() const {
    return columns.empty() ? 0 : std::max(columns[0].numbers.size(), columns[0].texts.size());
  }
  Data& operator[](std::string_view name) {
    return *std::find_if(columns.begin(), columns.end(), [&](const Data& d) { return d.spec.name == name; });
  }
  /// Keeps the rows of these numbers, in this order.
  void keep(const std::vector<std::size_t>& rows) {
    for (Data& d : columns) {
      Data before = d;
      d.numbers.clear();
      d.texts.clear();
      for (const std::size_t r : rows) {
        if (before.numbers.empty())
          d.texts.push_back(before.texts[r]);
        else
          d.numbers.push_back(before.numbers[r]);
      }
    }
  }
  std::vector<ColumnSpec> specs() const {
    std::vector<ColumnSpec> out;
    for (const Data& d : columns) out.push_back(d.spec);
    return out;
  }
};

/// Feeds rows [from, to) as one batch, each batch with a dictionary of its own.
inline void feed(TableState& state, const Table& table, std::size_t from, std::size_t to) {
  state.begin(table.first + static_cast<std::int64_t>(from), to - from);
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const Data& d = table.columns[i];
    Values values;
    std::vector<std::int32_t> codes;
    std::vector<std::string_view> dictionary{"never used"};
    std::map<std::string_view, std::int32_t> places;
    if (d.spec.kind == Kind::kString) {
      for (std::size_t r = from; r < to; ++r) {
        if (d.texts[r] == kNone) {
          codes.push_back(-1);
          continue;
        }
        const auto [at, fresh] = places.emplace(d.texts[r], static_cast<std::int32_t>(dictionary.size()));
        if (fresh) dictionary.push_back(d.texts[r]);
        codes.push_back(at->second);
      }
      values.codes = codes;
      values.dictionary = dictionary;
    } else {
      values.numbers = std::span(d.numbers).subspan(from, to - from);
    }
    if (from == 0) values.mismatches = d.mismatches;
    state.column(i, values);
  }
  state.end();
}

/// The state of the whole table, in batches of `batch` rows, in their order or shuffled by `rng`.
inline TableState state_of(const Table& table, const TableState* reference = nullptr, std::size_t batch = 1000,
                           Rng* rng = nullptr) {
  TableState state(table.specs(), reference);
  std::vector<std::size_t> starts;
  for (std::size_t at = 0; at < table.rows(); at += batch) starts.push_back(at);
  if (rng)
    for (std::size_t i = starts.size(); i > 1; --i) std::swap(starts[i - 1], starts[rng->below(i)]);
  for (const std::size_t at : starts) feed(state, table, at, std::min(table.rows(), at + batch));
  return state;
}

inline double normal(Rng& rng) {
  return stats::normal_quantile(rng.uniform() * (1 - 1e-12) + 5e-13);
}

inline std::string zipf(Rng& rng, std::size_t k) {
  double total = 0;
  for (std::size_t i = 1; i <= k; ++i) total += 1 / static_cast<double>(i);
  double u = rng.uniform() * total;
  for (std::size_t i = 1; i <= k; ++i)
    if ((u -= 1 / static_cast<double>(i)) < 0) return "c" + std::to_string(i);
  return "c" + std::to_string(k);
}

/// Rows of one law: thin, heavy and infinite tails, ties, rare flags, few and many categories, texts that are all
/// different, missing values, times with nights, an id and a label.
inline Table healthy(Rng& rng, std::size_t rows, double start = 1.7e15) {
  Table t;
  for (const char* name : {"normal", "related", "lognormal", "cauchy", "integer", "zero_inflated", "flag", "gappy"})
    t.columns.push_back({{name, Kind::kNumber, Role::kFeature}, {}, {}, 0});
  for (const char* name : {"few", "follows", "many", "text"})
    t.columns.push_back({{name, Kind::kString, Role::kFeature}, {}, {}, 0});
  t.columns.push_back({{"label", Kind::kNumber, Role::kLabel}, {}, {}, 0});
  t.columns.push_back({{"id", Kind::kString, Role::kId}, {}, {}, 0});
  t.columns.push_back({{"at", Kind::kTime, Role::kTime}, {}, {}, 0});
  double at = start;
  const std::uint64_t serial = rng();
  for (std::size_t i = 0; i < rows; ++i) {
    const double x = normal(rng);
    t["normal"].numbers.push_back(x);
    t["related"].numbers.push_back(.8 * x + .6 * normal(rng));
    t["lognormal"].numbers.push_back(std::exp(1.5 * normal(rng)));
    t["cauchy"].numbers.push_back(std::tan(M_PI * (rng.uniform() - .5)));
    t["integer"].numbers.push_back(std::round(10 + 3 * normal(rng)));
    t["zero_inflated"].numbers.push_back(rng.uniform() < .8 ? 0 : std::exp(normal(rng)));
    t["flag"].numbers.push_back(rng.uniform() < .02);
    t["gappy"].numbers.push_back(rng.uniform() < .05 ? kNaN : normal(rng));
    const std::string few = zipf(rng, 8);
    t["few"].texts.push_back(few);
    t["follows"].texts.push_back(rng.uniform() < .7 ? few : zipf(rng, 8));
    t["many"].texts.push_back(rng.uniform() < .03 ? kNone : zipf(rng, 600));
    t["text"].texts.push_back("text " + std::to_string(rng()));
    t["label"].numbers.push_back(rng.uniform() < 1 / (1 + std::exp(-x)));
    t["id"].texts.push_back(std::to_string(serial) + "-" + std::to_string(i));
    at += -std::log(1 - rng.uniform()) * 60e6;
    t["at"].numbers.push_back(at);
  }
  return t;
}

}  // namespace vigie::quality::test
