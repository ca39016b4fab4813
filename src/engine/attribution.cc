// SPDX-License-Identifier: Apache-2.0
#include "engine/attribution.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/text.h"
#include "engine/compare.h"
#include "metric/ranking.h"
#include "stats/distributions.h"

namespace vigie::engine {
namespace {

constexpr std::uint8_t kVersion = 1;

// "1st", "22nd", "113th"
std::string ordinal(std::int64_t rank) {
  const auto last = rank % 10;
  const bool teen = rank / 10 % 10 == 1;
  return fmt::format("{}{}", rank, teen || last == 0 || last > 3 ? "th" : last == 1 ? "st" : last == 2 ? "nd" : "rd");
}

std::vector<std::size_t> descending(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return values[a] > values[b]; });
  return order;
}

// Scores of the order that has the greatest gains first, but for items that surely stand behind others.
std::vector<double> best_order(std::span<const double> gains, std::span<const double> middle,
                               std::span<const double> half) {
  auto left = descending(gains);
  std::vector<double> scores(gains.size());
  while (!left.empty()) {
    double first = -1;
    for (auto i : left) first = std::max(first, middle[i] - half[i]);
    const auto next = std::find_if(left.begin(), left.end(), [&](auto i) { return middle[i] + half[i] >= first; });
    scores[*next] = static_cast<double>(left.size());
    left.erase(next);
  }
  return scores;
}

// The feature that moved farthest, and the one that took its place.
std::string sentence(const AttributionChange& change) {
  using Importance = AttributionChange::Importance;
  const auto moved = [](const Importance& f) { return f.share - f.reference_share; };
  const auto told = [&](const Importance& f) {
    return fmt::format("{} {} from {} to {}", quoted(f.feature), f.rank > f.reference_rank ? "fell" : "rose",
                       ordinal(f.reference_rank), ordinal(f.rank));
  };
  std::vector<const Importance*> found;
  for (const auto& f : change.features)
    if (f.rank != f.reference_rank) found.push_back(&f);
  std::stable_sort(found.begin(), found.end(),
                   [&](const auto* a, const auto* b) { return std::abs(moved(*a)) > std::abs(moved(*b)); });
  std::string out;
  if (found.empty()) return out;
  const auto& first = *found.front();
  out = fmt::format("{} in what explains answers, with {} of it where it had {}", told(first), percent(first.share),
                    percent(first.reference_share));
  const auto other = std::find_if(found.begin(), found.end(), [&](const auto* f) {
    return (f->rank < f->reference_rank) != (first.rank < first.reference_rank);
  });
  if (other != found.end()) out += "; " + told(**other);
  return out;
}

}  // namespace

double ndcg(std::span<const double> gains, std::span<const double> scores) {
  if (gains.empty()) return std::nan("");
  metric::RankingState state({static_cast<std::uint32_t>(gains.size())});
  state.update(std::vector<std::uint64_t>(gains.size()), scores, gains);
  const auto found = state.summarize();
  return found.of_lists.at(0)[metric::RankingSummary::kNdcg].mean();
}

void Attributions::add(std::span<const std::string> names, std::span<const double> values) {
  std::vector<Feature*> at;
  for (const auto& name : names) {
    auto found = features_.find(name);
    if (found == features_.end() && features_.size() < kMostFeatures) found = features_.try_emplace(name).first;
    at.push_back(found == features_.end() ? nullptr : &found->second);
  }
  for (; values.size() >= names.size() && !names.empty(); values = values.subspan(names.size())) {
    double all = 0;
    for (std::size_t i = 0; i < at.size(); ++i)
      if (at[i] && !std::isnan(values[i])) all += std::abs(values[i]);
    for (std::size_t i = 0; i < at.size(); ++i) {
      if (!at[i] || std::isnan(values[i])) continue;
      const double size = std::abs(values[i]);
      at[i]->size += size, at[i]->sum += values[i], at[i]->squares += size * size, at[i]->with_all += size * all;
    }
    ++rows_, all_ += all, all_squares_ += all * all;
  }
}

void Attributions::merge(const Attributions& other) {
  rows_ += other.rows_, all_ += other.all_, all_squares_ += other.all_squares_;
  for (const auto& [name, theirs] : other.features_) {
    if (features_.size() >= kMostFeatures && !features_.contains(name)) continue;
    auto& own = features_[name];
    own.size += theirs.size, own.sum += theirs.sum, own.squares += theirs.squares, own.with_all += theirs.with_all;
  }
}

Attributions::Feature Attributions::of(std::string_view feature) const {
  const auto found = features_.find(feature);
  return found == features_.end() ? Feature() : found->second;
}

double Attributions::share(std::string_view feature) const {
  return all_ > 0 ? of(feature).size / all_ : std::nan("");
}

double Attributions::mean(std::string_view feature) const {
  return of(feature).sum / static_cast<double>(rows_);
}

double Attributions::noise(std::string_view feature) const {
  if (rows_ < 2 || !(all_ > 0)) return std::nan("");
  const auto f = of(feature);
  const double share = f.size / all_, n = static_cast<double>(rows_);
  const double squares = f.squares - 2 * share * f.with_all + share * share * all_squares_;
  return std::max(0., squares) / all_ / all_ * n / (n - 1);
}

void AttributionReference::add(const Attributions& window) {
  all_.merge(window);
  ++windows_;
  for (const auto& [name, feature] : window.features()) {
    if (spreads_.size() >= Attributions::kMostFeatures && !spreads_.contains(name)) continue;
    const double share = window.share(name), noise = window.noise(name);
    if (std::isnan(share) || std::isnan(noise)) continue;
    auto& spread = spreads_[name];
    spread.sum += share, spread.squares += share * share, spread.noise += noise;
  }
}

double AttributionReference::half_width(const Attributions& window, std::string_view feature, double level) const {
  const double rows = static_cast<double>(window.rows()), windows = static_cast<double>(windows_);
  const double usual = all_.noise(feature);
  // Little noise may be why the share is small: were nothing changed, it would be as in the reference.
  const double chance = std::max(window.noise(feature), usual * static_cast<double>(all_.rows()) / rows) + usual;
  double among = 0;
  if (const auto found = spreads_.find(feature); windows_ >= kSpread && found != spreads_.end()) {
    const auto& s = found->second;
    among = std::max(0., (s.squares - s.sum * s.sum / windows) / (windows - 1) - s.noise / windows) * (1 + 1 / windows);
  }
  const double variance = chance + among;
  if (!(variance > 0)) return 0;
  // Welch and Satterthwaite's.
  double freedom = chance * chance / (rows - 1);
  if (among > 0) freedom += among * among / (windows - 1);
  freedom = variance * variance / freedom;
  return std::sqrt(variance) * stats::student_t_quantile(1 - level / 2, freedom);
}

AttributionChange AttributionReference::judge(const Attributions& window, double level) const {
  AttributionChange out;
  out.rows = window.rows(), out.ndcg = out.upper = std::nan("");
  std::vector<std::string> names;
  for (const auto& [name, feature] : window.features()) names.push_back(name);
  if (ready())
    for (const auto& [name, feature] : all_.features())
      if (!window.features().contains(name)) names.push_back(name);
  std::vector<double> gains, shares;
  for (const auto& name : names) gains.push_back(all_.share(name)), shares.push_back(window.share(name));
  const auto usual = descending(gains), now = descending(shares);
  for (std::size_t rank = 0; rank < now.size(); ++rank) {
    const auto i = now[rank];
    const auto place = std::find(usual.begin(), usual.end(), i) - usual.begin();
    out.features.push_back({names[i], shares[i], ready() ? gains[i] : std::nan(""), window.mean(names[i]),
                            static_cast<std::int64_t>(rank) + 1, ready() ? place + 1 : 0});
  }
  if (!ready()) {
    out.reason =
        fmt::format("nothing to compare with: no reference has attributions, and {} of {} windows to learn from",
                    windows_, kWindows);
    return out;
  }
  if (window.rows() < kFewestRows) {
    out.reason = fmt::format("{}: fewer than {}", plural(window.rows(), "explanation"), kFewestRows);
    return out;
  }
  out.ndcg = ndcg(gains, shares);
  if (std::isnan(out.ndcg)) {
    out.reason = "all attributions are 0";
    return out;
  }
  out.upper = 1, out.verdict = Verdict::kOk;
  if (out.ndcg < kWatch) {
    std::vector<double> half;
    for (const auto& name : names) half.push_back(half_width(window, name, level / static_cast<double>(names.size())));
    out.upper = std::max(out.ndcg, ndcg(gains, best_order(gains, shares, half)));
  }
  if (out.upper >= kWatch) return out;
  const bool held = windows_ < kSpread;
  out.verdict = out.ndcg < kMajor && !held ? Verdict::kDrift : Verdict::kWarning;
  out.reason = fmt::format("{}; NDCG {} against {}", sentence(out), human(out.ndcg),
                           given_ ? "the reference" : fmt::format("the first {}", plural(windows_, "window")));
  if (held && out.ndcg < kMajor)
    out.reason += fmt::format("; held to a warning: the reference has {}", plural(windows_, "window"));
  return out;
}

Sighting AttributionReference::sighting(const Attributions& window, std::int64_t start, std::int64_t end,
                                        double level) const {
  const auto found = judge(window, std::min(level, CompareOptions().alpha));
  Sighting out{Sighting::Track::kAttributions, start, end};
  out.judged = found.verdict != Verdict::kNoData;
  if (found.verdict != Verdict::kWarning && found.verdict != Verdict::kDrift) return out;
  out.firm = found.verdict == Verdict::kDrift;
  out.causes.push_back({"", "", std::string(kAttributionDrift), event::Severity::kWarning,
                        (1 - found.ndcg) / (1 - kMajor), found.reason, start, 1});
  return out;
}

void Attributions::save(ByteWriter& out) const {
  out.varint(static_cast<std::uint64_t>(rows_));
  out.fixed(all_), out.fixed(all_squares_);
  out.varint(features_.size());
  for (const auto& [name, f] : features_) {
    out.string(name);
    for (const double sum : {f.size, f.sum, f.squares, f.with_all}) out.fixed(sum);
  }
}

Result<Attributions> Attributions::load(ByteReader& in) {
  Attributions out;
  out.rows_ = static_cast<std::int64_t>(in.varint());
  out.all_ = in.fixed<double>(), out.all_squares_ = in.fixed<double>();
  for (auto left = in.count(33); left > 0 && in.ok(); --left) {
    auto& f = out.features_[std::string(in.string())];
    for (auto* sum : {&f.size, &f.sum, &f.squares, &f.with_all}) *sum = in.fixed<double>();
  }
  if (!in.ok()) return fail(Code::kCorrupt, "what was kept of attributions: not a saved state");
  return out;
}

void AttributionReference::save(ByteWriter& out) const {
  out.fixed(kVersion);
  out.fixed(std::uint8_t{given_});
  out.varint(static_cast<std::uint64_t>(windows_));
  all_.save(out);
  out.varint(spreads_.size());
  for (const auto& [name, s] : spreads_) {
    out.string(name);
    for (const double sum : {s.sum, s.squares, s.noise}) out.fixed(sum);
  }
}

Result<AttributionReference> AttributionReference::load(ByteReader& in) {
  AttributionReference out;
  const auto version = in.fixed<std::uint8_t>();
  out.given_ = in.fixed<std::uint8_t>() != 0;
  out.windows_ = static_cast<std::int64_t>(in.varint());
  VIGIE_ASSIGN(out.all_, Attributions::load(in));
  for (auto left = in.count(25); left > 0 && in.ok(); --left) {
    auto& s = out.spreads_[std::string(in.string())];
    for (auto* sum : {&s.sum, &s.squares, &s.noise}) *sum = in.fixed<double>();
  }
  if (!in.ok() || version != kVersion)
    return fail(Code::kCorrupt, "what was kept of usual attributions: not a saved state");
  return out;
}

}  // namespace vigie::engine
