// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <utility>

#include "base/parallel.h"
#include "base/text.h"
#include "quality/judge_internal.h"
#include "quality/quality.h"
#include "stats/multiple_testing.h"

namespace vigie::quality {
namespace {

constexpr auto kChecks = std::to_array<const Check*>({
#define VIGIE_CHECK(name) &name,
#include "quality/checks.def"
#undef VIGIE_CHECK
});

Status known(std::string_view name) {
  if (find_check(name)) return {};
  std::vector<std::string> names;
  for (const Check* check : kChecks) names.emplace_back(check->name);
  return fail(Code::kUsage, unknown_name("check", name, names));
}

Result<std::vector<double>> params_of(const Check& check, const RunOptions& options) {
  std::vector<double> args;
  for (const Param& param : check.params) args.push_back(param.fallback);
  const auto given = options.params.find(std::string(check.name));
  if (given == options.params.end()) return args;
  for (const auto& [name, value] : given->second) {
    const auto at =
        std::find_if(check.params.begin(), check.params.end(), [&](const Param& p) { return p.name == name; });
    if (at == check.params.end()) {
      std::vector<std::string> names;
      for (const Param& param : check.params) names.emplace_back(param.name);
      return fail(Code::kUsage, fmt::format("{}: {}", check.name, unknown_name("parameter", name, names)));
    }
    if (!(value >= at->min && value <= at->max))
      return fail(Code::kUsage,
                  fmt::format("{}.{}: expected {}..{}, got {}", check.name, name, at->min, at->max, value));
    args[static_cast<std::size_t>(at - check.params.begin())] = value;
  }
  return args;
}

// What stands on chance holds only after the correction for all that was looked at.
void settle(std::vector<Finding>& findings, double alpha) {
  std::vector<double> p;
  for (const Finding& finding : findings) p.push_back(finding.verdict == Verdict::kNoData ? kNaN : finding.p_value);
  const std::vector<double> adjusted = stats::benjamini_hochberg(p);
  for (std::size_t i = 0; i < findings.size(); ++i) {
    if (findings[i].verdict < Verdict::kWarn || !(adjusted[i] > alpha)) continue;
    findings[i].verdict = Verdict::kPass;
    findings[i].reason += fmt::format("; not beyond chance (p = {})", human(findings[i].p_value, 2));
  }
}

// Of a part of a day or a month nobody knows what is usual.
void leave_open(std::vector<Finding>& findings) {
  for (Finding& finding : findings)
    if (!finding.of_any_part && std::exchange(finding.verdict, Verdict::kNoData) != Verdict::kNoData)
      finding.reason = kCutOff;
}

}  // namespace

std::span<const Check* const> checks() {
  return kChecks;
}

const Check* find_check(std::string_view name) {
  const auto at = std::find_if(kChecks.begin(), kChecks.end(), [&](const Check* c) { return c->name == name; });
  return at == kChecks.end() ? nullptr : *at;
}

std::string_view to_string(Verdict verdict) {
  constexpr std::string_view kNames[] = {"no_data", "pass", "warn", "fail"};
  return kNames[static_cast<std::size_t>(verdict)];
}

const ColumnState* Subject::before(const ColumnState& column) const {
  const ColumnState* found = reference ? reference->find(column.spec().name) : nullptr;
  return found && found->spec().kind == column.spec().kind ? found : nullptr;
}

Result<std::vector<Finding>> run_checks(const Context& context, const RunOptions& options) {
  for (const auto* names : {&options.only, &options.skip})
    for (const std::string& name : *names) VIGIE_TRY(known(name));
  for (const auto& [name, params] : options.params) VIGIE_TRY(known(name));
  const auto has = [](const std::vector<std::string>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  std::vector<const Check*> chosen;
  for (const Check* check : kChecks) {
    if (has(options.skip, check->name) || !(options.only.empty() || has(options.only, check->name))) continue;
    if (context.current.depth() < Depth::kAll && check->takes & kNeedsRows) continue;
    chosen.push_back(check);
  }
  Subject subject{context, {}, {}};
  if (std::any_of(chosen.begin(), chosen.end(), [](const Check* c) { return c->takes & kNeedsSample; })) {
    subject.sample = context.current.sample();
    if (context.reference) subject.reference_sample = context.reference->sample();
  }
  std::vector<std::vector<double>> args;
  for (const Check* check : chosen) {
    VIGIE_ASSIGN(args.emplace_back(), params_of(*check, options));
  }
  std::vector<std::vector<Finding>> found(chosen.size());
  parallel_for(chosen.size(), options.threads, [&](std::size_t i) {
    if (!context.reference && chosen[i]->takes & kNeedsReference)
      found[i].emplace_back().reason = "needs a reference";
    else
      chosen[i]->run(subject, args[i], found[i]);
    if (context.extent == Extent::kCutOff && !(chosen[i]->takes & kOfRowsAlone)) leave_open(found[i]);
    for (auto& finding : found[i]) finding.check = chosen[i]->name;
  });
  std::vector<Finding> findings;
  for (auto& of_check : found) std::move(of_check.begin(), of_check.end(), std::back_inserter(findings));
  settle(findings, options.alpha);
  return findings;
}

}  // namespace vigie::quality
