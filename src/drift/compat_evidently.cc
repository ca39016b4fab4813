// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <numeric>

#include "drift/cells_internal.h"
#include "drift/compat_internal.h"
#include "drift/distance_internal.h"
#include "stats/distributions.h"
#include "stats/empirical_laws.h"
#include "stats/hypergeometric.h"

namespace vigie::drift {
namespace {

constexpr std::size_t kSmallReference = 1000, kFewValues = 5, kCodes = 10, kBinnedAbove = 20;
constexpr std::int64_t kMostExact = 10'000, kMostExactCvm = 20, kMostExactU = 8;

PeerScore of_p(double p) {
  return {.statistic = p, .p_value = p};
}
PeerScore none() {
  return {};
}

std::size_t distinct(std::span<const double> sorted) {
  std::size_t n = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) n += i == 0 || sorted[i] != sorted[i - 1];
  return n;
}

Cells values_of(const PeerColumn& column) {
  return numeric_cells({}, {.counts = {}, .values = column.reference}, {.counts = {}, .values = column.current});
}

std::vector<double> shares(std::span<const std::int64_t> counts) {
  const auto rows = static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}));
  std::vector<double> out;
  for (auto c : counts) out.push_back(static_cast<double>(c) / rows);
  return out;
}

// Equal bins over both samples, their number by Sturges' rule for `rows` of them.
Shares sturges(const PeerColumn& column, std::size_t rows) {
  const double low = std::min(column.reference.front(), column.current.front()),
               high = std::max(column.reference.back(), column.current.back());
  const auto edges = equal_edges(low, high, bins_of_width(high - low, sturges_width(high - low, rows), column.whole));
  return {shares(histogram(column.reference, edges)), shares(histogram(column.current, edges))};
}

Shares binned(const PeerColumn& column) {
  if (column.kind == kNumeric && distinct(column.reference) > kBinnedAbove)
    return sturges(column, column.reference.size() + column.current.size());
  return shares_of(table_of(column));
}

// An empty cell is given a small share, which the others do not lose.
Shares filled(Shares s) {
  for (auto* side : {&s.p, &s.q}) {
    double least = 1;
    for (double v : *side)
      if (v > 0) least = std::min(least, v);
    for (double& v : *side)
      if (v == 0) v = least <= 1e-4 ? least / 1e6 : 1e-4;
  }
  return s;
}

PeerScore ks_p(const PeerColumn& column) {
  const Cells c = values_of(column);
  __int128 apart = 0, most = 0;
  for (std::size_t i = 0; i < c.size(); ++i) {
    apart += static_cast<__int128>(c.x[i]) * c.m - static_cast<__int128>(c.y[i]) * c.n;
    most = std::max(most, apart < 0 ? -apart : apart);
  }
  if (std::max(c.n, c.m) <= kMostExact) return of_p(stats::smirnov_sf(c.n, c.m, static_cast<std::int64_t>(most)));
  const double n = static_cast<double>(c.n), m = static_cast<double>(c.m);
  return of_p(kolmogorov_exact_sf(static_cast<std::int64_t>(std::nearbyint(n * m / (n + m))),
                                  static_cast<double>(most) / (n * m)));
}

PeerScore wasserstein_norm(const PeerColumn& column) {
  const auto n = static_cast<double>(column.reference.size());
  const double mean = std::accumulate(column.reference.begin(), column.reference.end(), 0.0) / n;
  double squares = 0;
  for (double v : column.reference) squares += (v - mean) * (v - mean);
  return {.statistic = wasserstein_distance(column) / std::max(std::sqrt(squares / n), .001)};
}

PeerScore jensenshannon(const PeerColumn& column) {
  return {.statistic = jensen_shannon(binned(column))};
}

PeerScore kl_div(const PeerColumn& column) {
  const Shares s = filled(binned(column));
  const double p = std::accumulate(s.p.begin(), s.p.end(), 0.0), q = std::accumulate(s.q.begin(), s.q.end(), 0.0);
  double sum = 0;
  for (std::size_t i = 0; i < s.p.size(); ++i) sum += s.p[i] / p * std::log(s.p[i] / p / (s.q[i] / q));
  return {.statistic = sum};
}

PeerScore psi_of(const PeerColumn& column) {
  const Shares s = filled(binned(column));
  double sum = 0;
  for (std::size_t i = 0; i < s.p.size(); ++i) sum += (s.p[i] - s.q[i]) * std::log(s.p[i] / s.q[i]);
  return {.statistic = sum};
}

PeerScore hellinger_of(const PeerColumn& column) {
  const Shares s = column.kind == kNumeric ? sturges(column, values_of(column).size()) : shares_of(table_of(column));
  double sum = 0;
  for (std::size_t i = 0; i < s.p.size(); ++i) sum += std::sqrt(s.p[i] * s.q[i]);
  return {.statistic = std::sqrt(1 - std::clamp(sum, 0.0, 1.0))};
}

PeerScore energy_distance(const PeerColumn& column) {
  const Cells c = values_of(column);
  const double sum = sum_over_gaps(c.at, c.x, c.y, static_cast<double>(c.n), static_cast<double>(c.m),
                                   [](double apart) { return apart * apart; });
  return {.statistic = std::sqrt(2 * sum)};
}

// anderson_ksamp reads p off a parabola through seven critical values of Scholz & Stephens 1987, no further than .001
// and .25.
PeerScore anderson(const PeerColumn& column) {
  const double a =
      anderson_darling.run({}, {.counts = {}, .values = column.reference}, {.counts = {}, .values = column.current}, {})
          .statistic;
  if (a < .325) return of_p(.25);
  if (a > 6.546) return of_p(.001);
  if (std::isnan(a)) return none();
  return of_p(std::exp((.01819809457411147 * a - 1.0082265644652515) * a - 1.077770279820484));
}

PeerScore cramer_von_mises(const PeerColumn& column) {
  const Cells c = values_of(column);
  if (std::min(c.n, c.m) < 2) return none();
  const double n = static_cast<double>(c.n), m = static_cast<double>(c.m), k = n * m, all = n + m;
  double below = 0, x = 0, y = 0, u = 0;
  for (std::size_t i = 0; i < c.size(); ++i) {
    const double rank = below + static_cast<double>(c.pooled(i) + 1) / 2;
    for (std::int64_t j = 0; j < c.x[i]; ++j) u += n * std::pow(rank - ++x, 2);
    for (std::int64_t j = 0; j < c.y[i]; ++j) u += m * std::pow(rank - ++y, 2);
    below += static_cast<double>(c.pooled(i));
  }
  if (std::max(c.n, c.m) <= kMostExactCvm) {
    const auto step = static_cast<double>(std::gcd(c.n, c.m) * std::gcd(c.n, c.m));
    const double s = std::floor(all * (6 * u - k * (4 * k - 1)) / 6 / step) * step;
    return of_p(stats::cramer_von_mises_exact(c.n, c.m, static_cast<std::int64_t>(s)));
  }
  const double t = u / (k * all) - (4 * k - 1) / (6 * all), mean = (1 + 1 / all) / 6,
               variance = (all + 1) * (4 * k * all - 3 * (n * n + m * m) - 2 * k) / (45 * all * all * 4 * k),
               limit = 1. / 6 + (t - mean) / std::sqrt(45 * variance);
  return of_p(limit < .003 ? 1 : stats::cramer_von_mises_sf(limit));
}

PeerScore epps(const PeerColumn& column) {
  const Cells c = values_of(column);
  if (std::min(c.n, c.m) < 5) return none();
  auto quartile = [&](double at) {
    const double place = at * static_cast<double>(c.n + c.m - 1);
    auto value = [&](double rank) {
      double below = 0;
      for (std::size_t i = 0; i < c.size(); ++i)
        if ((below += static_cast<double>(c.pooled(i))) > rank) return c.at[i];
      return c.at.back();
    };
    const double low = value(std::floor(place));
    return low + (place - std::floor(place)) * (value(std::ceil(place)) - low);
  };
  if (!(quartile(.75) - quartile(.25) > 0)) return none();
  if (distinct(column.reference) == 1 && distinct(column.current) == 1) return of_p(0);
  const Score score = epps_singleton.run({}, {.counts = {}, .values = column.reference},
                                         {.counts = {}, .values = column.current}, {.level = .05, .params = {}});
  // The rank of the covariance of four waves.
  const double degrees = std::min<double>(4, static_cast<double>(c.size()) - 1);
  return of_p(stats::chi2_sf(score.statistic, degrees));
}

// One-sided, whatever its description says: small where the reference lies lower.
PeerScore mannw(const PeerColumn& column) {
  const Cells c = values_of(column);
  const double n = static_cast<double>(c.n), m = static_cast<double>(c.m), all = n + m;
  double below = 0, u = 0, ties = 0;
  for (std::size_t i = 0; i < c.size(); ++i) {
    const double l = static_cast<double>(c.pooled(i));
    u += static_cast<double>(c.x[i]) * (below + static_cast<double>(c.y[i]) / 2);
    below += static_cast<double>(c.y[i]);
    ties += l * l * l - l;
  }
  if (std::min(c.n, c.m) <= kMostExactU && ties == 0)
    return of_p(stats::mann_whitney_cdf(c.n, c.m, static_cast<std::int64_t>(u)));
  const double sd = std::sqrt(n * m / 12 * (all + 1 - ties / (all * (all - 1))));
  return of_p(stats::normal_sf((n * m / 2 - u - .5) / sd));
}

PeerScore t_of(const PeerColumn& column) {
  double mean[2] = {}, squares[2] = {}, rows[2] = {};
  std::span<const double> sides[2] = {column.reference, column.current};
  for (int s = 0; s < 2; ++s) {
    rows[s] = static_cast<double>(sides[s].size());
    mean[s] = std::accumulate(sides[s].begin(), sides[s].end(), 0.0) / rows[s];
    for (double v : sides[s]) squares[s] += (v - mean[s]) * (v - mean[s]);
  }
  const double degrees = rows[0] + rows[1] - 2,
               variance = (squares[0] + squares[1]) / degrees * (1 / rows[0] + 1 / rows[1]);
  const double apart = mean[0] - mean[1];
  if (!(variance > 0)) return apart == 0 ? none() : of_p(0);
  return of_p(2 * stats::student_t_sf(std::abs(apart) / std::sqrt(variance), degrees));
}

// One-sample: the reference is taken for the truth, and its own noise for drift.
PeerScore chisquare(const PeerColumn& column) {
  const Table t = table_of(column);
  if (t.x.size() < 2) return none();
  double sum = 0;
  for (std::size_t i = 0; i < t.x.size(); ++i) {
    const double e = static_cast<double>(t.x[i]) * (static_cast<double>(t.m) / static_cast<double>(t.n));
    if (e == 0) return of_p(0);
    sum += std::pow(static_cast<double>(t.y[i]) - e, 2) / e;
  }
  return of_p(stats::chi2_sf(sum, static_cast<double>(t.x.size() - 1)));
}

PeerScore g_of(const PeerColumn& column) {
  const Table t = table_of(column);
  if (t.x.size() < 2 || t.n != t.m) return none();
  double sum = 0;
  for (std::size_t i = 0; i < t.x.size(); ++i) {
    if (t.y[i] == 0) continue;
    if (t.x[i] == 0) return of_p(0);
    sum += 2 * static_cast<double>(t.y[i]) * std::log(static_cast<double>(t.y[i]) / static_cast<double>(t.x[i]));
  }
  return of_p(stats::chi2_sf(std::max(0.0, sum), static_cast<double>(t.x.size() - 1)));
}

// The share of what is not the first category.
PeerScore z_of(const PeerColumn& column) {
  const Table t = table_of(column);
  if (t.x.size() < 2) return of_p(1);
  const double n = static_cast<double>(t.n), m = static_cast<double>(t.m);
  const double x = n - static_cast<double>(t.x[0]), y = m - static_cast<double>(t.y[0]), all = (x + y) / (n + m);
  const double z = (x / n - y / m) / std::sqrt(all * (1 - all) * (1 / n + 1 / m));
  return of_p(2 * stats::normal_sf(std::abs(z)));
}

PeerScore fisher_exact(const PeerColumn& column) {
  const Table t = table_of(column);
  if (t.n != t.m || t.x.size() > 2) return none();
  if (t.x.size() < 2) return of_p(1);
  const stats::Hypergeometric law{t.n + t.m, t.x[0] + t.y[0], t.n};
  const double seen = law.log_pmf(t.x[0]) + 1e-9;
  double sum = 0;
  for (auto k = law.lowest(); k <= law.highest(); ++k)
    if (law.log_pmf(k) <= seen) sum += law.pmf(k);
  return of_p(std::min(1.0, sum));
}

constexpr std::uint8_t kBoth = kNumeric | kCategorical;
constexpr PeerMethod kMethods[] = {
    {"ks", "two-sided p of Kolmogorov–Smirnov", kNumeric, PeerRule::kPAtMost, .05, ks_p},
    {"wasserstein", "W₁ in the reference's standard deviation, at least 0.001", kNumeric, PeerRule::kAtLeast, .1,
     wasserstein_norm},
    {"chisquare", "p of a one-sample χ², the reference taken as exact", kCategorical, PeerRule::kPBelow, .05,
     chisquare},
    {"z", "two-sided p of the difference of the shares of all but the first category", kCategorical, PeerRule::kPBelow,
     .05, z_of},
    {"jensenshannon", "Jensen–Shannon distance in nats, on Sturges' bins of both samples", kBoth, PeerRule::kAtLeast,
     .1, jensenshannon},
    {"kl_div", "Kullback–Leibler divergence of the reference from current, empty bins filled", kBoth,
     PeerRule::kAtLeast, .1, kl_div},
    {"psi", "population stability index, empty bins filled", kBoth, PeerRule::kAtLeast, .1, psi_of},
    {"hellinger", "Hellinger distance, on Sturges' bins for the distinct values", kBoth, PeerRule::kAtLeast, .1,
     hellinger_of},
    {"ed", "energy distance", kNumeric, PeerRule::kAbove, .1, energy_distance},
    {"anderson", "p of Anderson–Darling, between 0.001 and 0.25", kNumeric, PeerRule::kPBelow, .1, anderson},
    {"cramer_von_mises", "p of Cramér–von Mises", kNumeric, PeerRule::kPAtMost, .1, cramer_von_mises},
    {"es", "p of Epps–Singleton", kNumeric, PeerRule::kPBelow, .05, epps},
    {"mannw", "one-sided p of Mann–Whitney: small where the reference is lower", kNumeric, PeerRule::kPBelow, .05,
     mannw},
    {"t_test", "two-sided p of Student's t with one variance", kNumeric, PeerRule::kPBelow, .05, t_of},
    {"g_test", "p of a one-sample G; samples of one size only", kCategorical, PeerRule::kPBelow, .1, g_of},
    {"fisher_exact", "two-sided p of Fisher; two categories and samples of one size only", kCategorical,
     PeerRule::kPBelow, .1, fisher_exact},
    {"TVD", "p of total variation distance, by 1,000 permutations", kCategorical, PeerRule::kPBelow, .1, shuffled_tvd},
    {"empirical_mmd", "p of MMD² with a Gaussian kernel, by 100 permutations", kNumeric, PeerRule::kPBelow, .1,
     shuffled_mmd},
};
constexpr const PeerMethod &kKs = kMethods[0], &kWasserstein = kMethods[1], &kChisquare = kMethods[2],
                           &kZ = kMethods[3], &kJensenShannon = kMethods[4];

// Whole numbers of ten values at most are categories.
Kind kind_of(const PeerColumn& column) {
  return column.kind == kNumeric && column.current_whole && distinct(column.current) <= kCodes ? kCategorical
                                                                                               : column.kind;
}

const PeerMethod& usual(const PeerColumn& column) {
  const Table t = table_of(column);
  const bool small = static_cast<std::size_t>(t.n) <= kSmallReference;
  if (column.kind == kCategorical || t.x.size() <= kFewValues) {
    if (!small) return kJensenShannon;
    return t.x.size() > 2 ? kChisquare : kZ;
  }
  return small ? kKs : kWasserstein;
}

}  // namespace

const Peer evidently{.name = "evidently",
                     .version = "0.7.23",
                     .methods = kMethods,
                     .kind = kind_of,
                     .usual = usual,
                     .share = .5,
                     .chunks = 0};

}  // namespace vigie::drift
