// SPDX-License-Identifier: Apache-2.0
#include "engine/score_reference.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>
#include <numeric>
#include <optional>
#include <tuple>
#include <type_traits>

#include "base/text.h"
#include "engine/class_key.h"
#include "engine/class_names_internal.h"
#include "engine/counts_bytes_internal.h"
#include "engine/profile.h"
#include "engine/scorer_internal.h"
#include "metric/binary.h"
#include "metric/fairness.h"
#include "metric/multiclass.h"
#include "metric/ranking.h"
#include "metric/regression.h"
#include "metric/segmentation.h"
#include "metric/text.h"

namespace vigie::engine {
namespace {

using metric::Task;

/// Of options that are read, or written.
template <class Options>
auto columns_of(Options& o) {
  return std::array{&o.label, &o.prediction, &o.group, &o.token_logprob, &o.sensitive};
}

/// "--score a,b", "--prediction c" or both: what was taken for the model's answer.
std::string answer(const ScoreOptions& o) {
  const bool decided = o.scores.empty() || o.task == Task::kBinary || o.task == Task::kMulticlass;
  auto out = o.scores.empty() ? std::string() : fmt::format("--score {}", fmt::join(o.scores, ","));
  if (decided && !o.prediction.empty()) out += (out.empty() ? "--prediction " : " --prediction ") + o.prediction;
  return out;
}

void save_options(ByteWriter& out, const ScoreOptions& o) {
  const auto strings = [&](const std::vector<std::string>& list) {
    out.varint(list.size());
    for (const auto& s : list) out.string(s);
  };
  out.fixed(static_cast<std::uint8_t>(o.task));
  for (const auto* column : columns_of(o)) out.string(*column);
  strings(o.scores);
  strings(o.classes);
  out.fixed(o.threshold);
  out.string(o.positive.value_or(""));
  out.fixed(static_cast<std::uint8_t>(o.costs.has_value()));
  for (const double worth : o.costs.value_or(std::array<double, 4>{})) out.fixed(worth);
  out.array(std::span<const std::uint32_t>(o.ks));
  save_windows(out, o.window);
  out.varint(o.segments.size());
  for (const auto& by : o.segments) strings(by);
}

ScoreOptions load_options(ByteReader& in) {
  ScoreOptions o;
  const auto strings = [&] {
    std::vector<std::string> list(in.count(1));
    for (auto& s : list) s = in.string();
    return list;
  };
  const auto task = in.fixed<std::uint8_t>();
  if (task > static_cast<std::uint8_t>(Task::kSegmentation)) in.fail();
  o.task = static_cast<Task>(task);
  for (auto* column : columns_of(o)) *column = in.string();
  o.scores = strings();
  o.classes = strings();
  o.threshold = in.fixed<double>();
  if (const auto positive = in.string(); !positive.empty()) o.positive = positive;
  const bool has_costs = in.fixed<std::uint8_t>() != 0;
  std::array<double, 4> costs;
  for (double& worth : costs) worth = in.fixed<double>();
  if (has_costs) o.costs = costs;
  in.array(o.ks);
  o.window = load_windows(in);
  o.segments.resize(in.count(1));
  for (auto& by : o.segments) by = strings();
  return o;
}

void save_metric(ByteWriter& out, const ScoreReference& reference, std::size_t i) {
  const auto& r = reference.metrics[i];
  out.string(r.metric->name);
  out.fixed(static_cast<std::uint8_t>(r.metric->task()));
  out.string(r.part);
  out.fixed(static_cast<std::uint8_t>(r.segment.has_value()));
  out.string(r.segment.value_or(""));
  const auto& v = r.value;
  for (const double number : {v.value, v.low, v.high, v.baseline, v.noise, v.rounding, v.scale}) out.fixed(number);
  out.varint(static_cast<std::uint64_t>(v.n));
  out.string(v.reason);
  const auto save = [&](const HealthyWindows& healthy) {
    for (const double sum : {healthy.count, healthy.sum, healthy.squares}) out.fixed(sum);
  };
  save(reference.healthy[i]);
  for (const auto& of : reference.coarser) save(of[i]);
}

/// Of names that stand twice, for the whole and by class, the one with a part.
const metric::Metric* metric_of(std::string_view name, Task task, bool part) {
  for (const auto* m : metric::metrics())
    if (m->name == name && m->task() == task && m->key().empty() != part) return m;
  return nullptr;
}

/// States of parts of the rows, each with the classes that it knows: they are moved to `classes` first.
struct Part {
  ByteReader in;
  const std::vector<std::string>* classes;
};
struct Parts {
  const std::vector<std::string>& classes;
  std::vector<Part> all;
};

template <class State>
Result<State> merged(Parts& parts, ByteWriter& out) {
  std::optional<State> sum;
  for (auto& [in, own] : parts.all) {
    VIGIE_ASSIGN(auto state, State::load(in));
    if constexpr (requires { state.move_to(*own, std::span<const std::uint32_t>()); }) {
      std::vector<std::uint32_t> place;
      for (const ClassIndex index(parts.classes); const auto& name : *own) place.push_back(index.find(name));
      VIGIE_TRY(state.move_to(parts.classes, place));
    }
    if (!sum) {
      sum.emplace(std::move(state));
    } else if constexpr (std::is_void_v<decltype(sum->merge(state))>) {
      sum->merge(state);
    } else {
      VIGIE_TRY(sum->merge(state));
    }
  }
  sum->save(out);
  return std::move(*sum);
}

template <class State>
Result<std::vector<metric::Entry>> merged_entries(Parts& parts, ByteWriter& out) {
  VIGIE_ASSIGN(auto state, merged<State>(parts, out));
  return metric::evaluate(state.summarize());
}

/// The metrics of the rows of all states, whose own goes to `out`.
Result<std::vector<metric::Entry>> merge_states(const ScoreOptions& options, std::vector<Part> all, ByteWriter& out) {
  Parts parts{options.classes, std::move(all)};
  switch (options.task) {
    case Task::kMulticlass:
      return merged_entries<metric::MulticlassState>(parts, out);
    case Task::kRegression:
      return merged_entries<metric::RegressionState>(parts, out);
    case Task::kRanking:
      return merged_entries<metric::RankingState>(parts, out);
    case Task::kText:
      return merged_entries<metric::TextState>(parts, out);
    case Task::kSegmentation:
      return merged_entries<metric::SegmentationState>(parts, out);
    default:
      break;
  }
  VIGIE_ASSIGN(auto state, merged<metric::BinaryState>(parts, out));
  auto entries = metric::evaluate(state.summarize(2, options.costs));
  if (options.sensitive.empty()) return entries;
  VIGIE_ASSIGN(auto fair, merged_entries<metric::FairnessState>(parts, out));
  std::move(fair.begin(), fair.end(), std::back_inserter(entries));
  return entries;
}

MetricResult result_of(metric::Entry entry) {
  MetricResult r;
  r.metric = entry.metric, r.part = std::move(entry.part), r.value = std::move(entry.value);
  return r;
}

/// What the `k`th longer windows that are cut off in `a` and `b` make up together: those that become whole are counted
/// in `out`, the others stay.
Status join_cut(const StoredScores& a, const StoredScores& b, std::size_t k, StoredScores& out, std::size_t& lost) {
  struct Known {
    CutWindow window;
    const std::vector<std::string>* classes;
  };
  std::vector<Known> all;
  for (const auto* side : {&a, &b})
    for (const auto& window : side->cut[k]) all.push_back({window, &side->options.classes});
  std::stable_sort(all.begin(), all.end(), [](const Known& x, const Known& y) {
    return std::tie(x.window.key, x.window.first) < std::tie(y.window.key, y.window.first);
  });
  for (std::size_t i = 0; i < all.size();) {
    auto sum = all[i].window;
    bool known = true;
    std::vector<Part> parts;
    for (const auto from = i; i < all.size() && (i == from || sum.meets(all[i].window)); ++i) {
      const auto& next = all[i].window;
      if (next.first == sum.first) sum.starts_cut = sum.starts_cut && next.starts_cut;
      if (next.last >= sum.last) sum.ends_cut = next.ends_cut && (next.last > sum.last || sum.ends_cut);
      sum.last = std::max(sum.last, next.last);
      known = known && !next.state.empty();
      parts.push_back({ByteReader(next.state), all[i].classes});
    }
    const bool whole = !sum.starts_cut && !sum.ends_cut;
    ScoreWindow window;
    sum.state.clear();
    if (known) {
      ByteWriter state;
      VIGIE_ASSIGN(auto entries, merge_states(out.options, std::move(parts), state));
      sum.state = state.take();
      for (auto& entry : entries) window.metrics.push_back(result_of(std::move(entry)));
    }
    lost += whole && !known;
    if (!whole) {
      out.cut[k].push_back(std::move(sum));
    } else if (known) {
      const auto healthy = healthy_of(out.reference.metrics, {&window, 1});
      for (std::size_t m = 0; m < healthy.size(); ++m) out.reference.coarser[k][m] += healthy[m];
    }
  }
  return {};
}

}  // namespace

std::span<const WindowSpec::Kind> coarser_than(WindowSpec::Kind kind) {
  using enum WindowSpec::Kind;
  static constexpr std::array kAll = {kHour, kDay, kWeek, kMonth};
  const std::span<const WindowSpec::Kind> all(kAll);
  switch (kind) {
    case kMinutes:
      return all;
    case kHour:
      return all.subspan(1);
    case kDay:
      return all.subspan(2);
    default:
      return {};
  }
}

std::optional<Task> likely_task(const Profile& profile) {
  const ColumnProfile *label = nullptr, *answer = nullptr;
  int scores = 0;
  for (const auto& c : profile.columns) {
    if (c.role == Role::kLabel) label = &c;
    if (c.role == Role::kScore) ++scores, answer = &c;
    if (c.role == Role::kPrediction && scores == 0) answer = &c;
  }
  if (!label || !answer) return std::nullopt;
  if (scores > 1) return Task::kMulticlass;
  // Metrics of texts cost much: they are counted where --task asks for them.
  if (label->type == ColumnType::kText) return std::nullopt;
  if (label->distinct <= 2) return Task::kBinary;
  const bool numbers = label->type == ColumnType::kNumeric && answer->type == ColumnType::kNumeric;
  if (numbers) return Task::kRegression;
  return scores ? std::nullopt : std::optional(Task::kMulticlass);
}

Status check_stored(const StoredScores& stored, const ScoreOptions& options, std::string_view name) {
  const auto& was = stored.options;
  const auto differs = [&](const std::string& then, const std::string& now) {
    return fail(Code::kUsage,
                fmt::format("--reference {}: was made {}, not {}; make it again so, or give the labelled data", name,
                            then, now));
  };
  const auto with = [](std::string_view option, const std::string& value) {
    return value.empty() ? fmt::format("without {}", option) : fmt::format("with {} {}", option, value);
  };
  if (was.task != options.task)
    return differs(fmt::format("for --task {}", to_string(was.task)),
                   fmt::format("for --task {}", to_string(options.task)));
  if (was.label != options.label) return differs(with("--label", was.label), with("--label", options.label));
  if (answer(was) != answer(options)) return differs("with " + answer(was), "with " + answer(options));
  if (was.task == Task::kBinary) {
    if (class_key(was.positive.value_or("")) != class_key(options.positive.value_or("")))
      return differs(with("--positive", was.positive.value_or("")), with("--positive", options.positive.value_or("")));
    if (!was.scores.empty() && was.prediction.empty() && was.threshold != options.threshold)
      return differs(fmt::format("with --threshold {}", was.threshold),
                     fmt::format("with --threshold {}", options.threshold));
    if (options.costs && was.costs != options.costs)
      return differs(was.costs ? "with another --cost-matrix" : "without --cost-matrix", "with this one");
  }
  if (was.task == Task::kRanking && was.ks != options.ks)
    return differs(fmt::format("with --k {}", fmt::join(was.ks, ",")),
                   fmt::format("with --k {}", fmt::join(options.ks, ",")));
  for (const auto& [option, then, now] : {std::tuple{"--group", &was.group, &options.group},
                                          std::tuple{"--token-logprob", &was.token_logprob, &options.token_logprob},
                                          std::tuple{"--sensitive", &was.sensitive, &options.sensitive}})
    if (!now->empty() && *then != *now) return differs(with(option, *then), with(option, *now));
  for (const auto& by : options.segments)
    if (std::find(was.segments.begin(), was.segments.end(), by) == was.segments.end())
      return differs("without --segment " + to_string(by), "with it");
  return {};
}

Result<std::shared_ptr<const StoredScores>> merge_scores(const StoredScores& a, const StoredScores& b,
                                                         std::size_t& lost) {
  lost = 0;
  const auto no = [](std::string_view why) { return fail(Code::kUsage, std::string(why)); };
  for (const auto* side : {&a, &b})
    if (side->state.empty()) {
      if (side->options.task == Task::kDetection) return no("of objects in images, and cannot be merged");
      const bool classes = side->options.task == Task::kBinary || side->options.task == Task::kMulticlass;
      return no(classes && side->options.classes.empty() ? "of classes whose names are too long to be merged"
                                                         : "of too many rows to be merged");
    }
  auto out = std::make_shared<StoredScores>();
  out->options = a.options, out->options.segments.clear();
  auto theirs = b.options;
  theirs.segments.clear();
  if (!check_stored(a, theirs, {}) || !check_stored(b, out->options, {})) return no("of other columns or options");
  auto& classes = out->options.classes;
  add_classes(classes, theirs.classes);
  if (classes.size() == a.options.classes.size()) classes = a.options.classes;
  if (a.options.task == Task::kBinary && classes.size() > 2)
    return no(fmt::format("of other classes ({} and {})", fmt::join(a.options.classes, ", "),
                          fmt::join(theirs.classes, ", ")));
  ByteWriter state;
  auto entries = merge_states(
      out->options, {{ByteReader(a.state), &a.options.classes}, {ByteReader(b.state), &b.options.classes}}, state);
  if (!entries) return no(fmt::format("of {}", entries.error().message));
  out->state = state.take();
  const bool windows = a.options.window == b.options.window;
  if (!windows) out->options.window = {};
  auto& reference = out->reference;
  // Where one of them is of an older vigie, none.
  if (windows && a.reference.coarser.size() == b.reference.coarser.size())
    reference.coarser.resize(a.reference.coarser.size());
  for (auto& entry : *entries) {
    const auto& r = reference.metrics.emplace_back(result_of(std::move(entry)));
    reference.healthy.emplace_back();
    for (auto& of : reference.coarser) of.emplace_back();
    for (const auto* side : {&a.reference, &b.reference})
      for (std::size_t i = 0; windows && i < side->metrics.size(); ++i) {
        const auto& m = side->metrics[i];
        if (m.metric != r.metric || m.part != r.part || m.segment) continue;
        reference.healthy.back() += side->healthy[i];
        for (std::size_t k = 0; k < reference.coarser.size(); ++k) reference.coarser[k].back() += side->coarser[k][i];
      }
  }
  out->cut.resize(reference.coarser.size());
  for (std::size_t k = 0; k < out->cut.size(); ++k)
    if (auto joined = join_cut(a, b, k, *out, lost); !joined) return no("of " + joined.error().message);
  return std::shared_ptr<const StoredScores>(std::move(out));
}

void save_scores(ByteWriter& out, const StoredScores* scores, std::size_t room) {
  if (!scores) return out.string("");
  const auto& reference = scores->reference;
  const auto& metrics = reference.metrics;
  // As long as there is room: of all rows the metrics of the whole before those of classes, then segments as a whole.
  std::vector<std::size_t> order(metrics.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto of_all = [&](std::size_t i) { return !metrics[i].segment; };
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return of_all(a) && of_all(b) && metrics[a].part.empty() && !metrics[b].part.empty();
  });
  std::size_t count = 0;
  auto options = scores->options;
  const auto bytes = [&] {
    ByteWriter tried;
    save_options(tried, options);
    return tried.bytes().size();
  };
  std::string_view state = scores->state;
  if (state.size() >= room / 2) state = {};
  if (bytes() > room / 4) options.classes.clear(), state = {};
  if (bytes() > room / 4) return out.string("");
  room -= state.size();
  std::size_t rows_of_cut = 0;
  for (const auto& of : scores->cut)
    for (const auto& window : of) rows_of_cut += window.state.size();
  const bool keep_cut = !state.empty() && rows_of_cut < room / 2;
  if (keep_cut) room -= rows_of_cut;
  ByteWriter tried;
  save_options(tried, options);
  for (std::size_t i = 0; i < metrics.size() && tried.bytes().size() <= room; ++i) {
    save_metric(tried, reference, order[i]);
    const bool last = of_all(i) || i + 1 == metrics.size() || metrics[i + 1].segment != metrics[i].segment;
    if (last && tried.bytes().size() <= room) count = i + 1;
  }
  ByteWriter held;
  save_options(held, options);
  held.fixed(static_cast<std::uint8_t>(reference.cut || count < metrics.size()));
  held.fixed(static_cast<std::uint8_t>(!reference.coarser.empty()));
  for (const auto& of : scores->cut) {
    held.varint(of.size());
    for (const auto& window : of) {
      for (const auto key : {window.key, window.first, window.last}) held.fixed(key);
      for (const bool cut : {window.starts_cut, window.ends_cut}) held.fixed(static_cast<std::uint8_t>(cut));
      held.string(keep_cut ? window.state : std::string());
    }
  }
  held.varint(count);
  for (std::size_t i = 0; i < count; ++i) save_metric(held, reference, order[i]);
  held.string(state);
  out.string(held.bytes());
}

bool load_scores(ByteReader& from, bool coarser, std::shared_ptr<const StoredScores>& out) {
  const auto bytes = from.string();
  if (!from.ok()) return false;
  if (bytes.empty()) return true;
  ByteReader in(bytes);
  auto scores = std::make_shared<StoredScores>();
  scores->options = load_options(in);
  auto& reference = scores->reference;
  reference.cut = in.fixed<std::uint8_t>() != 0;
  if (coarser && in.fixed<std::uint8_t>() != 0) {
    reference.coarser.resize(coarser_than(scores->options.window.kind).size());
    scores->cut.resize(reference.coarser.size());
  }
  for (auto& of : scores->cut) {
    of.resize(in.count(27));
    for (auto& window : of) {
      for (auto* key : {&window.key, &window.first, &window.last}) *key = in.fixed<std::int64_t>();
      for (auto* cut : {&window.starts_cut, &window.ends_cut}) *cut = in.fixed<std::uint8_t>() != 0;
      window.state = in.string();
      // A window that begins after it ends, or at the end of all numbers, has no next one.
      if (window.first > window.last || window.last == std::numeric_limits<std::int64_t>::max()) return false;
    }
  }
  const auto count = in.count(84);
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    auto& r = reference.metrics.emplace_back();
    const auto name = in.string();
    const auto task = in.fixed<std::uint8_t>();
    r.part = in.string();
    const bool segment = in.fixed<std::uint8_t>() != 0;
    if (const auto of = in.string(); segment) r.segment = of;
    auto& v = r.value;
    for (double* number : {&v.value, &v.low, &v.high, &v.baseline, &v.noise, &v.rounding, &v.scale})
      *number = in.fixed<double>();
    r.value.n = static_cast<std::int64_t>(in.varint());
    r.value.reason = in.string();
    bool counted = true;
    const auto load = [&](HealthyWindows& healthy) {
      for (double* sum : {&healthy.count, &healthy.sum, &healthy.squares}) *sum = in.fixed<double>();
      counted = counted && healthy.count >= 0 && std::isfinite(healthy.count);
    };
    load(reference.healthy.emplace_back());
    for (auto& of : reference.coarser) load(of.emplace_back());
    if (task <= static_cast<std::uint8_t>(Task::kFairness))
      r.metric = metric_of(name, static_cast<Task>(task), !r.part.empty());
    if (!r.metric || r.value.n < 0 || !counted) return false;
  }
  scores->state = in.string();
  out = std::move(scores);
  return in.ok() && in.remaining() == 0;
}

}  // namespace vigie::engine
