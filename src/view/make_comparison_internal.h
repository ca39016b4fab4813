// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "base/rng.h"
#include "base/text.h"
#include "engine/comparison.h"

namespace vigie::view {

namespace sample {

using engine::ColumnResult;
using engine::ColumnType;
using engine::Comparison;
using engine::Role;
using engine::Verdict;

inline double phi(double z) {
  return 0.5 * std::erfc(-z / std::sqrt(2.0));
}

inline std::string day(int offset) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  int year = 2013, month = 0, d = offset;
  while (d >= kDays[month]) {
    d -= kDays[month];
    if (++month == 12) month = 0, ++year;
  }
  return fmt::format("{}-{:02}-{:02}T00:00:00-05:00", year, month + 1, d + 1);
}

inline engine::Picture picture(const std::string& name, int i, int windows, Rng& rng) {
  engine::Picture p;
  p.column = name;
  double last = i % 5 == 1 ? 0.3 + 0.08 * (i % 7) : 0;
  p.reference.missing_share = i % 6 == 1 ? 0.02 : 0;
  if (i % 7 == 3) {
    p.type = ColumnType::kCategorical;
    constexpr const char* kNames[] = {"UA", "B6", "EV", "DL", "AA", "MQ", "US",     "9E",
                                      "WN", "VX", "FL", "AS", "F9", "YV", "(other)"};
    double sum = 0;
    for (int k = 0; k < 15; ++k) {
      p.categories.push_back(kNames[k]);
      p.reference_shares.push_back(1.0 / (1 + k));
      sum += 1.0 / (1 + k);
    }
    for (auto& s : p.reference_shares) s /= sum;
    p.current_shares = p.reference_shares;
    p.current_shares[0] *= 1 - last / 2;
    p.current_shares[1] += p.reference_shares[0] * last / 2;
    for (double s : p.reference_shares) p.reference.shares.push_back(static_cast<float>(s));
  } else {
    bool heavy = i % 4 == 2;
    auto value = [&](double z) { return heavy ? std::exp(1.5 * z) * 20 : 40 + 12 * z; };
    for (int k = 0; k <= 128; ++k) {
      double z = -3.2 + 6.4 * k / 128;
      p.cuts.push_back(value(z));
    }
    p.minimum = value(-3.2);
    p.maximum = value(3.9);
    double before_reference = 0, before_current = 0;
    for (int k = 0; k <= 129; ++k) {
      double z = k == 129 ? 40.0 : -3.2 + 6.4 * k / 128;
      p.reference_shares.push_back(phi(z) - before_reference);
      p.current_shares.push_back(phi(z - last) - before_current);
      before_reference = phi(z);
      before_current = phi(z - last);
    }
    p.reference.p10 = value(-1.2816);
    p.reference.p50 = value(0);
    p.reference.p90 = value(1.2816);
  }
  for (int w = 0; w < windows; ++w) {
    engine::ColumnPoint point;
    double at = (3 * w >= 2 * windows || windows == 1 ? last : 0) + 0.05 * (rng.uniform() - 0.5);
    point.missing_share = p.reference.missing_share * (0.5 + rng.uniform());
    if (p.categories.empty()) {
      bool heavy = i % 4 == 2;
      auto value = [&](double z) { return heavy ? std::exp(1.5 * z) * 20 : 40 + 12 * z; };
      point.p10 = value(at - 1.2816);
      point.p50 = value(at);
      point.p90 = value(at + 1.2816);
    } else {
      point.p10 = point.p50 = point.p90 = NAN;
      for (std::size_t k = 0; k < p.categories.size(); ++k) {
        double share = p.reference_shares[k];
        if (k == 0) share *= 1 - at / 2;
        if (k == 1) share += p.reference_shares[0] * at / 2;
        point.shares.push_back(static_cast<float>(share));
      }
    }
    p.points.push_back(std::move(point));
  }
  if (i % 11 == 9) {
    p.points.assign(static_cast<std::size_t>(windows), {});
    for (auto& point : p.points) point.p10 = point.p50 = point.p90 = NAN;
  }
  return p;
}

inline ColumnResult result(const std::string& name, int i, int w, int windows, Rng& rng) {
  ColumnResult r;
  r.column = name;
  r.type = i % 7 == 3 ? ColumnType::kCategorical : ColumnType::kNumeric;
  r.role = i == 5 ? Role::kScore : i == 6 ? Role::kPrediction : Role::kFeature;
  r.method = "omnibus";
  r.effect_scale = r.type == ColumnType::kNumeric ? "reference sd" : "share of rows";
  r.watch = r.type == ColumnType::kNumeric ? 0.1 : 0.05;
  r.major = r.type == ColumnType::kNumeric ? 0.25 : 0.15;
  r.detectable_effect = 0.12;
  r.n_reference = 10000;
  r.n_current = 1000;
  r.null = "simulated";
  if (i % 11 == 9) {
    r.statistic = r.p_value = r.p_adjusted = r.effect = r.detectable_effect = NAN;
    r.reason = "the reference has one value only";
    return r;
  }
  bool moves = i % 5 == 1 && (3 * w >= 2 * windows || windows == 1);
  r.effect = (moves ? 0.3 + 0.08 * (i % 7) : 0.0) * (r.type == ColumnType::kNumeric ? 1 : 0.4) + 0.05 * rng.uniform();
  r.statistic = 1 + 100 * r.effect;
  r.p_value = moves ? std::pow(10.0, -4 - 20 * rng.uniform()) : 0.05 + 0.95 * rng.uniform();
  r.p_adjusted = std::min(1.0, r.p_value * 20);
  r.verdict = !moves ? Verdict::kOk : r.effect >= r.major ? Verdict::kDrift : Verdict::kWarning;
  r.reason =
      r.verdict == Verdict::kOk
          ? "no detectable change"
          : fmt::format("moved {} on the scale of {}, {} its major level {}; decided by the center", human(r.effect, 2),
                        r.effect_scale, r.verdict == Verdict::kDrift ? "over" : "below", r.major);
  r.components = {{"anderson_darling", r.p_value}, {"scores", 0.01}, {"range", NAN}};
  return r;
}

}  // namespace sample

/// For tests only: a plausible comparison, the same for the same arguments. Column i % 7 = 3 is categorical, i % 4 = 2
/// heavy-tailed, i % 11 = 9 constant and so without verdict, i % 5 = 1 moves from two thirds of the windows on (with a
/// segment that moves more); 5 is a score, 6 a prediction. Days when there are several windows.
inline engine::Comparison make_comparison(int columns, int windows, std::uint64_t seed = 1) {
  using namespace sample;
  constexpr const char* kNames[] = {"dep_time", "age",  "distance", "carrier", "air_time", "late_score",
                                    "late",     "temp", "humidity", "tailnum", "origin",   "visib"};
  Rng rng(seed);
  Comparison c;
  c.version = "0.1.0";
  c.reference = {"flights-2013-h1.parquet", 166158, windows > 1 ? 26 : 0};
  c.current = {"flights-2013-h2.parquet", 1000LL * windows, 0};
  c.options = {{"alpha", "0.05"},
               {"method", "\"auto\""},
               {"window", windows > 1 ? "\"day\"" : "null"},
               {"segment", "[\"origin\"]"},
               {"seed", "1"}};
  for (int i = 0; i < columns; ++i) {
    auto name = i < 12 ? std::string(kNames[i]) : fmt::format("feature_{}", i);
    c.pictures.push_back(picture(name, i, windows, rng));
    c.pictures.back().role = i == 5 ? Role::kScore : i == 6 ? Role::kPrediction : Role::kFeature;
  }
  for (int w = 0; w < windows; ++w) {
    engine::WindowResult window;
    window.index = w;
    window.rows = 1000;
    if (windows > 1) {
      window.start = day(w + 150);
      window.end = day(w + 151);
      window.partial = w + 1 == windows;
    }
    for (int i = 0; i < columns; ++i) {
      auto r = result(c.pictures[static_cast<std::size_t>(i)].column, i, w, windows, rng);
      window.verdict = std::max(window.verdict, r.verdict);
      window.columns.push_back(r);
      if (i % 5 == 1 && r.verdict >= Verdict::kWarning) {
        r.segment = "origin=JFK";
        r.effect *= 1.5;
        window.columns.push_back(r);
      }
      if (i % 6 == 1) {
        r = result(r.column, 0, w, windows, rng);
        r.column = window.columns.back().column;
        r.method = "missing_share";
        r.effect_scale = "share of rows";
        r.statistic = 0.001;
        r.watch = 0.05;
        r.major = 0.15;
        r.missing_reference = 200;
        r.missing_current = 20;
        window.columns.push_back(r);
      }
    }
    window.quality.push_back({"missing", window.columns.empty() ? "none" : window.columns[0].column, 0.006,
                              "at most 0.01", "pass", "0.6 % missing"});
    c.windows.push_back(std::move(window));
  }
  auto& s = c.summary;
  s.windows = windows;
  s.columns = columns;
  s.expected_false_windows = 0.05 * windows;
  std::vector<Verdict> worst(static_cast<std::size_t>(columns));
  for (const auto& window : c.windows) {
    s.verdict = std::max(s.verdict, window.verdict);
    s.windows_with_drift += window.verdict == Verdict::kDrift;
    for (const auto& r : window.columns)
      for (int i = 0; i < columns; ++i)
        if (c.pictures[static_cast<std::size_t>(i)].column == r.column)
          worst[static_cast<std::size_t>(i)] = std::max(worst[static_cast<std::size_t>(i)], r.verdict);
  }
  for (auto v : worst)
    ++(v == Verdict::kDrift ? s.drift : v == Verdict::kWarning ? s.warning : v == Verdict::kOk ? s.ok : s.no_data);
  c.notes = {"assumes independent rows: the reference has fewer than five windows"};
  return c;
}

}  // namespace vigie::view
