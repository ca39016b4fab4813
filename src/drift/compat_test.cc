// SPDX-License-Identifier: Apache-2.0
#include "drift/compat.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "drift/compat_internal.h"

namespace vigie::drift {
namespace {

using Values = std::vector<double>;
using Counts = std::vector<std::int64_t>;

nlohmann::json golden(std::string_view folder) {
  const auto path = std::filesystem::path(VIGIE_GOLDEN).parent_path() / folder / "columns.json";
  std::ifstream file(path);
  auto cases = nlohmann::json::parse(file, nullptr, false);
  EXPECT_TRUE(cases.is_array()) << path;
  return cases;
}

Values sorted(Values v) {
  std::sort(v.begin(), v.end());
  return v;
}

void expect_near(double is, double wanted, double within = 1e-9) {
  EXPECT_NEAR(is, wanted, within * std::max(1.0, std::abs(wanted)));
}

TEST(Compat, EvidentlyToTheDigit) {
  int scores = 0;
  for (const auto& c : golden("evidently-0.7.23")) {
    Values x, y;
    Counts a, b;
    PeerColumn column;
    if (c["numeric"]) {
      x = sorted(c["reference"]), y = sorted(c["current"]);
      column.reference = x, column.current = y, column.whole = column.current_whole = c["whole"];
    } else {
      a = c["reference"].get<Counts>(), b = c["current"].get<Counts>();
      column.kind = kCategorical, column.reference_counts = a, column.current_counts = b;
    }
    SCOPED_TRACE(c["case"].get<std::string>());
    column.kind = evidently.kind(column);
    EXPECT_EQ(evidently.usual(column).name, c["default"].get<std::string>());
    for (const auto& s : c["scores"]) {
      const auto name = s[0].get<std::string>();
      SCOPED_TRACE(name);
      const auto* method = find_method(evidently, name);
      ASSERT_NE(method, nullptr);
      EXPECT_TRUE(method->accepts & column.kind);
      const auto score = method->run(column);
      EXPECT_EQ(threshold_of(*method, {}), s[2].get<double>());
      if (const int draws = name == "TVD" ? 1000 : name == "empirical_mmd" ? 100 : 0) {
        // Both sides are draws: theirs go by the order of the rows, too.
        const double p = s[1], sd = std::sqrt((p * (1 - p) + .5 / draws) * 2 / draws);
        EXPECT_NEAR(score.p_value, p, 4.5 * sd);
        ++scores;
        continue;
      }
      // Evidently's own series of this law ends at terms of 1e-7.
      expect_near(score.statistic, s[1], name == "cramer_von_mises" ? 1e-8 : 1e-9);
      EXPECT_EQ(drifted(*method, score, s[2]), s[3].get<bool>());
      ++scores;
    }
  }
  EXPECT_EQ(scores, 248);
}

Values told(const nlohmann::json& c) {
  if (c.is_array()) return c;
  Values v;
  const std::int64_t step = c["step"], modulus = c["modulus"], rows = c["rows"];
  for (std::int64_t i = 0; i < rows; ++i)
    v.push_back(static_cast<double>(i * step % modulus) / 64 + c["shift"].get<double>());
  return v;
}

Counts counted(std::span<const double> codes) {
  Counts counts(8);
  for (double v : codes) ++counts[static_cast<std::size_t>(v)];
  return counts;
}

TEST(Compat, NannymlToTheDigit) {
  int values = 0;
  for (const auto& c : golden("nannyml-0.13.1")) {
    const Values x = told(c["reference"]), y = told(c["current"]);
    const std::size_t size = c["chunk"];
    SCOPED_TRACE(c["case"].get<std::string>());
    for (const auto& wanted : c["methods"]) {
      SCOPED_TRACE(wanted["method"].get<std::string>());
      const auto* method = find_method(nannyml, wanted["method"].get<std::string>());
      ASSERT_NE(method, nullptr);
      const auto whole = sorted(x);
      const auto all = c["numeric"] ? Counts() : counted(x);
      auto run = [&](const Values& side, std::size_t from) {
        const Values part = sorted({side.begin() + static_cast<std::ptrdiff_t>(from),
                                    side.begin() + static_cast<std::ptrdiff_t>(std::min(side.size(), from + size))});
        const auto now = c["numeric"] ? Counts() : counted(part);
        PeerColumn column;
        if (c["numeric"])
          column.reference = whole, column.current = part;
        else
          column.kind = kCategorical, column.reference_counts = all, column.current_counts = now;
        return method->run(column);
      };
      Values healthy;
      for (std::size_t i = 0; i < x.size(); i += size) {
        healthy.push_back(run(x, i).statistic);
        expect_near(healthy.back(), wanted["reference"][healthy.size() - 1]);
      }
      const double upper = threshold_of(*method, healthy);
      if (!wanted["upper"].is_null()) expect_near(upper, wanted["upper"]);
      for (std::size_t i = 0; i < y.size(); i += size, ++values) {
        const auto score = run(y, i);
        expect_near(score.statistic, wanted["current"][i / size]);
        EXPECT_EQ(drifted(*method, score, upper), wanted["alert"][i / size].get<bool>());
      }
    }
  }
  EXPECT_GT(values, 100);
}

// scipy 1.17.1: kstwo.sf(d, n), in each of its regions.
TEST(Compat, KolmogorovOfOneSample) {
  expect_near(kolmogorov_exact_sf(5, 0.3), 0.664);
  expect_near(kolmogorov_exact_sf(5, 0.7), 0.005560000000000004);
  expect_near(kolmogorov_exact_sf(50, 0.1), 0.6623112704658186);
  expect_near(kolmogorov_exact_sf(100, 0.12), 0.1033037490181987);
  expect_near(kolmogorov_exact_sf(140, 0.15), 0.0032495604415101703);
  expect_near(kolmogorov_exact_sf(140, 0.2), 2.1981563302200222e-05);
  expect_near(kolmogorov_exact_sf(900, 0.012), 0.999335590622352);
  expect_near(kolmogorov_exact_sf(900, 0.03), 0.3851661801951911);
  expect_near(kolmogorov_exact_sf(900, 0.045), 0.050659686215029365);
  expect_near(kolmogorov_exact_sf(900, 0.06), 0.0029366548669443253);
  expect_near(kolmogorov_exact_sf(20000, 0.004), 0.9048968240702959);
  expect_near(kolmogorov_exact_sf(20000, 0.009), 0.07785289326070222);
  expect_near(kolmogorov_exact_sf(1000000, 0.0011), 0.1775881691134995);
}

// NannyML's own tests and docstrings.
TEST(Compat, ThresholdIsMeanAndThreeSd) {
  const Values ten = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, std::nan("")};
  EXPECT_NEAR(threshold_of(*find_method(nannyml, "wasserstein"), ten), 13.116843969807043, 1e-12);
  EXPECT_EQ(threshold_of(*find_method(nannyml, "kolmogorov_smirnov"), ten), 1);
}

TEST(Compat, PeersAndTheirMethodsHaveNames) {
  for (const auto& peer : peers()) {
    EXPECT_EQ(find_peer(peer.name)->version, peer.version);
    for (const auto& method : peer.methods) EXPECT_EQ(find_method(peer, method.name), &method);
  }
  EXPECT_EQ(find_peer("whylogs"), nullptr);
  EXPECT_EQ(find_method(nannyml, "psi"), nullptr);
}

}  // namespace
}  // namespace vigie::drift
