// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "engine/judge_internal.h"
#include "engine/movement_internal.h"
#include "stats/multiple_testing.h"

namespace vigie::engine {
namespace {

std::string unseen(const ColumnResult& r, bool share) {
  if (std::isnan(r.detectable_effect)) return "no change seen";
  if (r.detectable_effect > r.major)
    return fmt::format("no change seen, but one of {} could have been missed", amount(r.major, share));
  return fmt::format("no change seen; {} would have been", amount(r.detectable_effect, share));
}

}  // namespace

void correct(std::span<Draft* const> drafts) {
  std::vector<double> smallest;
  std::vector<std::size_t> member;
  for (std::size_t i = 0; i < drafts.size(); i += drafts[i]->methods) {
    double& p = smallest.emplace_back(NAN);
    for (std::size_t k = 0; k < drafts[i]->methods; ++k) {
      const auto& d = *drafts[i + k];
      if (d.tested) p = std::fmin(p, std::min(1., static_cast<double>(d.methods) * d.result.p_value));
      member.push_back(smallest.size() - 1);
    }
  }
  const auto adjusted = stats::benjamini_hochberg(smallest);
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    auto& d = *drafts[i];
    d.result.p_adjusted =
        d.tested ? std::max(adjusted[member[i]], std::min(1., static_cast<double>(d.methods) * d.result.p_value)) : NAN;
  }
}

void decide(Draft& d, double alpha, bool warn_at_most) {
  auto& r = d.result;
  if (!d.tested) return;
  bool share = r.effect_scale == scale_of(true);
  auto seen = d.movement.empty() ? std::string() : d.movement + ", ";
  if (!(r.p_adjusted <= alpha)) {
    if (d.unsure && r.effect >= r.major && d.outside >= kFarOutside) {
      r.verdict = Verdict::kWarning;
      r.reason = fmt::format(
          "{}moved {}: outside all healthy windows by {} times the range that they span, which change "
          "too slowly to tell more",
          seen, amount(r.effect, share), human(d.outside, 2));
      return;
    }
    if (d.unsure && r.effect >= r.watch) {
      r.reason = fmt::format(
          "{}moved {}: more than by chance, but the healthy windows are too few, or change too slowly, "
          "to tell if it is usual",
          seen, amount(r.effect, share));
      return;
    }
    if (!d.usual && r.effect >= r.major && std::isnan(r.detectable_effect)) {
      r.verdict = Verdict::kOk;
      r.reason = fmt::format("{}moved {}, which {} does not tell from chance", seen, amount(r.effect, share), r.method);
      return;
    }
    // Sparse cells, as of many categories, are pooled for the test, which then misses what its power says it would
    // see: that is not told to be unchanged.
    if (!d.usual && r.effect >= r.major && r.effect > 2 * r.detectable_effect) {
      r.reason = fmt::format("{}moved {}, but the rows are too few for that to be told from chance", seen,
                             amount(r.effect, share));
      return;
    }
    r.verdict = Verdict::kOk;
    r.reason = d.usual ? fmt::format("{}within what healthy windows differ by", seen) : unseen(r, share);
    return;
  }
  if (r.effect < r.watch) {
    r.verdict = Verdict::kOk;
    r.reason = fmt::format("{}detectable, too small to matter: {}", seen, amount(r.effect, share));
    return;
  }
  r.verdict = r.effect >= r.major ? Verdict::kDrift : Verdict::kWarning;
  r.reason = fmt::format("{}moved {} (p {} corrected)", seen, amount(r.effect, share),
                         r.p_adjusted < 1e-15 ? "< 1e-15" : human(r.p_adjusted, 2));
  if (!r.guess.empty()) r.reason += "; " + r.guess;
  // What noise alone would show is known up to itself.
  const bool uncertain = d.noise >= r.major && std::hypot(r.effect, d.noise) - d.noise < r.major;
  if (!d.aspect && r.type == ColumnType::kTimestamp && r.role == Role::kFeature)
    r.reason += "; leave times that move on by themselves out with --ignore";
  if (r.verdict == Verdict::kDrift && uncertain) {
    r.verdict = Verdict::kWarning;
    r.reason += "; but the rows are so few for so many values that its size is uncertain";
  } else if (r.verdict == Verdict::kDrift && warn_at_most) {
    r.verdict = Verdict::kWarning;
    r.held = true;
    r.reason += "; assumes independent rows: the reference has fewer than five windows";
  } else if (r.verdict == Verdict::kDrift && d.alone) {
    r.verdict = Verdict::kWarning;
    r.held = true;
    r.reason += fmt::format("; assumes independent rows: fewer than five healthy windows have {} rows of this {}",
                            drift::kFewestRows, r.segment ? "segment" : "column");
  }
}

}  // namespace vigie::engine
