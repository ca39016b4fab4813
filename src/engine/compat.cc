// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/parallel.h"
#include "base/text.h"
#include "engine/compat_internal.h"
#include "engine/movement_internal.h"

namespace vigie::engine {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

bool numeric(ColumnType type) {
  return type == ColumnType::kNumeric;
}

// Of the whole rows, over all methods: as the summary counts columns.
std::map<std::string_view, Verdict> worst_by_column(const WindowResult& window) {
  std::map<std::string_view, Verdict> worst;
  for (const auto& r : window.columns) {
    if (r.segment) continue;
    auto& verdict = worst.try_emplace(r.column, r.verdict).first->second;
    verdict = std::max(verdict, r.verdict);
  }
  return worst;
}

std::string named(const drift::Peer& peer, std::string_view method) {
  return fmt::format("{}:{}", peer.name, method);
}

std::string told(const drift::PeerMethod& method, const drift::PeerScore& score, double threshold, bool drifted,
                 std::size_t chunks) {
  using drift::PeerRule;
  const bool p = method.rule == PeerRule::kPBelow || method.rule == PeerRule::kPAtMost;
  const std::string_view sign = method.rule == PeerRule::kAtLeast   ? (drifted ? "≥" : "<")
                                : method.rule == PeerRule::kPBelow  ? (drifted ? "<" : "≥")
                                : method.rule == PeerRule::kPAtMost ? (drifted ? "≤" : ">")
                                                                    : (drifted ? ">" : "≤");
  auto text = fmt::format("{}{} {} {} {}", method.name, p ? ", p" : "", human(p ? score.p_value : score.statistic),
                          sign, human(threshold));
  if (method.rule == PeerRule::kReference)
    text += fmt::format(", mean + 3 sd of the reference's {}", plural(static_cast<long long>(chunks), "chunk"));
  return text;
}

}  // namespace

Result<PeerWindows> peer_windows(const drift::Peer& peer, const WindowSpec& asked, const Profile& reference,
                                 table::Input& current) {
  PeerWindows windows{asked, {}};
  if (peer.chunks == 0) return windows;
  windows.reference = asked;
  if (asked.kind != WindowSpec::Kind::kNone) return windows;
  VIGIE_ASSIGN(auto reader, current.open());
  std::int64_t rows = 0;
  while (true) {
    VIGIE_ASSIGN(auto batch, reader->next());
    if (!batch) break;
    rows += batch->rows();
  }
  auto chunk = [&](std::int64_t of) {
    return WindowSpec{WindowSpec::Kind::kRows, std::max<std::int64_t>(1, of / peer.chunks), {}};
  };
  return PeerWindows{chunk(rows), chunk(reference.rows)};
}

Result<PeerMethods> choose(const drift::Peer& peer, const Profile& profile, std::span<const MethodChoice> choices) {
  for (const auto& choice : choices)
    if (choice.method != "auto" && choice.method != "all" && !drift::find_method(peer, choice.method))
      return fail(Code::kUsage, fmt::format("--method: {} has no method {}", peer.name, vigie::quoted(choice.method)));
  PeerMethods chosen;
  for (const auto& column : profile.columns) {
    auto& methods = chosen.emplace_back();
    const auto kind = column.categorical() ? drift::kCategorical : drift::kNumeric;
    for (bool own : {true, false}) {
      if (!methods.empty()) break;
      for (const auto& method : peer.methods)
        if ((method.accepts & kind) && std::any_of(choices.begin(), choices.end(), [&](const auto& choice) {
              return (own ? choice.column == column.name : choice.column.empty()) &&
                     (choice.method == "all" || choice.method == method.name);
            }))
          methods.push_back(&method);
    }
    // Where thresholds are learnt, the method has to be known before there is anything to judge.
    if (methods.empty() && peer.chunks > 0) methods.push_back(&peer.usual({}));
  }
  return chosen;
}

PeerJudge::PeerJudge(const drift::Peer& peer, const Profile& reference, const Tally& current, const Tally& rows,
                     PeerMethods methods, unsigned threads)
    : peer_(peer), reference_(reference), current_(current), rows_(rows), methods_(std::move(methods)) {
  order_.resize(reference.columns.size());
  sides_.resize(reference.columns.size());
  parallel_for(reference.columns.size(), threads, [&](std::size_t c) {
    const auto& column = reference.columns[c];
    if (column.categorical()) {
      const auto known = column.categories.size();
      std::vector<std::string_view> names;
      for (const auto& category : column.categories) names.push_back(category.name);
      names.emplace_back();  // other
      for (const auto& name : current_.fresh[c]) names.push_back(name);
      for (std::size_t i = 0; i < names.size(); ++i)
        if (i != known) order_[c].push_back(i);
      std::sort(order_[c].begin(), order_[c].end(), [&](auto a, auto b) { return names[a] < names[b]; });
    }
    for (std::size_t k = 0; k < current_.widths.size(); ++k) {
      sides_[c].emplace_back();
      for (std::size_t s = 0; s < current_.widths[k]; ++s) sides_[c][k].push_back(side(c, k, s));
    }
  });
}

std::vector<std::int64_t> PeerJudge::by_name(std::size_t column, const Counts* counts) const {
  std::vector<std::int64_t> out;
  for (auto cell : order_[column]) out.push_back(counts && cell < counts->cells.size() ? counts->cells[cell] : 0);
  return out;
}

PeerJudge::Side PeerJudge::side(std::size_t c, std::size_t k, std::size_t s) const {
  Side out;
  const auto& column = reference_.columns[c];
  if (!column.categorical() && !numeric(column.type)) return out;
  const auto windows = rows_.windower->order();
  out.counts.resize(order_[c].size());
  for (auto w : windows) {
    const auto values = rows_.values_at(c, k, w, s);
    out.values.insert(out.values.end(), values.begin(), values.end());
    const auto counts = by_name(c, rows_.at(c, k, w, s));
    for (std::size_t i = 0; i < counts.size(); ++i) out.counts[i] += counts[i];
    out.chunks += rows_.window_rows[w] > 0;
  }
  std::sort(out.values.begin(), out.values.end());
  if (out.values.empty() && std::all_of(out.counts.begin(), out.counts.end(), [](auto n) { return n == 0; }))
    return out;
  for (const auto* method : methods_[c]) {
    std::vector<double> healthy;
    for (auto w : windows) {
      if (method->rule != drift::PeerRule::kReference) break;
      const auto values = rows_.values_at(c, k, w, s);
      const auto counts = by_name(c, rows_.at(c, k, w, s));
      if (values.empty() && std::all_of(counts.begin(), counts.end(), [](auto n) { return n == 0; })) continue;
      healthy.push_back(method->run(seen(c, out, values, counts, false)).statistic);
    }
    out.thresholds.push_back(drift::threshold_of(*method, healthy));
  }
  return out;
}

drift::PeerColumn PeerJudge::seen(std::size_t c, const Side& side, std::span<const double> values,
                                  std::span<const std::int64_t> counts, bool gaps) const {
  const auto& column = reference_.columns[c];
  const bool whole = column.source == table::Type::kInteger;
  drift::PeerColumn out{.kind = column.categorical() ? drift::kCategorical : drift::kNumeric,
                        .reference = side.values,
                        .current = values,
                        .reference_counts = side.counts,
                        .current_counts = counts,
                        .whole = whole && !gaps && column.whole().total_missing() == 0,
                        .current_whole = whole && !gaps};
  out.kind = peer_.kind(out);
  return out;
}

std::string PeerJudge::refusal(std::size_t c, const Counts* current) const {
  const auto& column = reference_.columns[c];
  switch (column.type) {
    case ColumnType::kTimestamp:
    case ColumnType::kEmbedding:
      return fmt::format("{} does not compare a column that is {}", peer_.name, to_string(column.type));
    case ColumnType::kText:
      return fmt::format("how {} compares texts is not reproduced; as categories: --schema", peer_.name);
    default:
      break;
  }
  const auto other = column.categories.size();
  const bool unnamed = current && other < current->cells.size() && current->cells[other] > 0;
  if (column.categorical() && (column.halved || column.other > 0 || unnamed))
    return "more categories than are counted by name";
  return {};
}

void PeerJudge::judge(Draft& d, const drift::PeerMethod& method, const drift::PeerColumn& column, double threshold,
                      std::size_t chunks) const {
  auto& r = d.result;
  r.method = named(peer_, method.name);
  if (!(method.accepts & column.kind)) {
    r.reason = fmt::format("{} does not take what {} sees as {}", method.name, peer_.name,
                           column.kind == drift::kCategorical ? "categories" : "numbers");
    return;
  }
  const auto score = method.run(column);
  r.statistic = score.statistic, r.p_value = score.p_value, r.threshold = threshold;
  if (std::isnan(score.statistic) || std::isnan(threshold)) {
    r.reason = fmt::format("{} has no {} for these rows", peer_.name,
                           std::isnan(threshold) ? std::string("threshold") : std::string(method.name));
    return;
  }
  const bool drifted = drift::drifted(method, score, threshold);
  r.verdict = drifted ? Verdict::kDrift : Verdict::kOk;
  r.reason = (d.movement.empty() ? std::string() : d.movement + ", ") + told(method, score, threshold, drifted, chunks);
}

std::vector<Draft> PeerJudge::column(std::span<const Draft> own, std::size_t c, std::size_t window) const {
  std::vector<Draft> out;
  for (const auto& theirs : own) {
    if (theirs.result.method != kDefaultMethod) continue;
    Draft d = theirs;
    auto& r = d.result;
    r.method = peer_.name;
    r.statistic = r.p_value = r.p_adjusted = r.detectable_effect = kNaN;
    r.null.clear(), r.components.clear();
    r.exact = true, r.error_bound = 0;
    d.tested = false, d.methods = 1;
    const auto* counts = current_.at(c, d.segmentation, window, d.segment);
    const auto& side = sides_[c][d.segmentation][d.segment];
    auto why = current_.present[c] ? refusal(c, counts) : r.reason;
    if (why.empty() && (r.n_reference == 0 || r.n_current == 0)) why = r.reason;
    if (!why.empty()) {
      r.reason = std::move(why);
      out.push_back(std::move(d));
      continue;
    }
    const auto now = by_name(c, counts);
    const auto column =
        seen(c, side, current_.values_at(c, d.segmentation, window, d.segment), now, r.missing_current > 0);
    const auto& methods = methods_[c];
    if (methods.empty()) {
      const auto& usual = peer_.usual(column);
      judge(d, usual, column, usual.threshold, side.chunks);
      out.push_back(std::move(d));
    }
    for (std::size_t i = 0; i < methods.size(); ++i) {
      out.push_back(d);
      judge(out.back(), *methods[i], column, side.thresholds[i], side.chunks);
    }
  }
  return out;
}

std::optional<DatasetDrift> PeerJudge::dataset(const WindowResult& window) const {
  if (std::isnan(peer_.share)) return std::nullopt;
  DatasetDrift d{.threshold = peer_.share};
  for (const auto& [name, worst] : worst_by_column(window)) {
    if (worst == Verdict::kNoData) continue;
    ++d.columns;
    d.drifted += worst == Verdict::kDrift;
  }
  return d;
}

std::string dataset_note(const drift::Peer& peer, std::span<const WindowResult> windows) {
  if (std::isnan(peer.share) || windows.empty()) return {};
  const auto rule =
      fmt::format("{} calls a data set drifted from {} of its columns on: ", peer.name, percent(peer.share));
  if (windows.size() == 1) {
    const auto& d = *windows[0].dataset;
    const auto left_out = static_cast<long long>(worst_by_column(windows[0]).size()) - d.columns;
    return rule + fmt::format("{}, {} of {}{}", d.drift() ? "this one is" : "this one is not", d.drifted, d.columns,
                              left_out == 0
                                  ? ""
                                  : fmt::format("; {} without a verdict not counted", plural(left_out, "column")));
  }
  const auto n = std::count_if(windows.begin(), windows.end(), [](const auto& w) { return w.dataset->drift(); });
  return rule + fmt::format("{} of {} are", n, plural(static_cast<long long>(windows.size()), "window"));
}

}  // namespace vigie::engine
