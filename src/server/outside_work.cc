// SPDX-License-Identifier: Apache-2.0
#include "server/outside_work.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <unordered_map>
#include <vector>

#include "engine/windows.h"
#include "event/record.h"
#include "table/json_rows.h"

namespace vigie::server {
namespace {

using Kind = engine::WindowSpec::Kind;
constexpr std::int64_t kMinute = 60'000'000;  // within which all rows are alike, where they are in no window of time

struct Sorted {
  std::vector<bool> planned;  // per row
  std::size_t windows = 0;    // that have rows, and nothing planned
};

Result<Sorted> sort(std::span<const double> times, const engine::WindowSpec& spec, const Planned& planned) {
  Sorted out;
  out.planned.resize(times.size());
  if (!spec.calendar()) {
    std::unordered_map<std::int64_t, bool> known;
    for (std::size_t row = 0; row < times.size(); ++row) {
      if (!(std::abs(times[row]) < 4e17)) continue;
      const auto minute = static_cast<std::int64_t>(std::floor(times[row] / kMinute)) * kMinute;
      const auto [at, fresh] = known.try_emplace(minute);
      if (fresh) at->second = planned(minute, minute + kMinute);
      out.planned[row] = at->second;
    }
    return out;
  }
  VIGIE_ASSIGN(auto windower, engine::Windower::make(spec));
  std::vector<std::int32_t> windows;
  windower.assign(0, std::ssize(times), times, windows);
  std::vector<bool> of_window;
  for (std::size_t i = 0; i < windower.size(); ++i) {
    const auto key = windower[i].key;
    of_window.push_back(planned(std::llround(windower.start(key)), std::llround(windower.start(key + 1))));
    out.windows += !of_window.back();
  }
  for (std::size_t row = 0; row < times.size(); ++row)
    if (windows[row] >= 0) out.planned[row] = of_window[static_cast<std::size_t>(windows[row])];
  return out;
}

}  // namespace

Result<OutsideWork> outside_work(std::string_view body, const engine::WindowSpec& window, const Planned& planned) {
  table::JsonRows rows;
  rows.read(body, event::keys_of(event::Kind::kPredictions, table::OtherKeys::kSkipped));
  VIGIE_ASSIGN(const auto times, rows.column(event::kPredictionTime));
  OutsideWork out{.body = {}, .window = window};
  VIGIE_ASSIGN(auto sorted, sort(times.numbers, window, planned));
  const auto any = [](const Sorted& some) {
    return std::find(some.planned.begin(), some.planned.end(), true) != some.planned.end();
  };
  for (auto kind : {Kind::kDay, Kind::kHour}) {
    if (window.kind != Kind::kNone) break;
    auto spec = window;
    spec.kind = kind;
    VIGIE_ASSIGN(auto by, sort(times.numbers, spec, planned));
    if (kind == Kind::kDay && !any(by)) break;
    if (by.windows < kTellingWindows) continue;
    sorted = std::move(by), out.window = spec;
    break;
  }
  double from = std::numeric_limits<double>::infinity(), to = -from;
  for (std::size_t row = 0; row < times.numbers.size(); ++row) {
    const auto time = times.numbers[row];
    if (sorted.planned[row] || !(std::abs(time) < 4e17)) continue;
    from = std::min(from, time), to = std::max(to, time);
  }
  if (from <= to) out.from = std::llround(from), out.to = std::llround(to);
  if (!any(sorted)) {
    out.body = body;
    return out;
  }
  for (std::size_t row = 0; row < sorted.planned.size(); ++row)
    sorted.planned[row] ? void(++out.left_out) : void(out.body.append(rows.text_of(row)) += '\n');
  if (out.body.empty()) return fail(Code::kInput, "all rows are in windows of planned maintenance");
  return out;
}

}  // namespace vigie::server
