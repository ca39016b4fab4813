// SPDX-License-Identifier: Apache-2.0
#include "server/dependencies.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/iso_time.h"
#include "base/text.h"

namespace vigie::server {
namespace {

constexpr std::size_t kMostFailures = 50;  // of one dependency

std::string source_name(const std::string& model, const std::string& name) {
  return "dependency/" + model + "/" + name;
}

// Why a sample is none of a thing that is well; empty of one that is.
std::string fault(const Dependency& d, const std::vector<source::Figure>& figures, std::int64_t now) {
  for (const auto& f : figures) {
    if (!d.probe.empty()) {
      if (f.series == "up" && f.value == 0) {
        const auto status =
            std::find_if(figures.begin(), figures.end(), [](const auto& o) { return o.series == "status"; });
        return status == figures.end() ? "nobody answers" : fmt::format("it answers {}", status->value);
      }
      if (f.series == "latency_ms" && d.max_latency_ms > 0 && f.value > d.max_latency_ms)
        return fmt::format("it takes {} ms, at most {} ms", human(f.value), human(d.max_latency_ms));
      continue;
    }
    // Of the oldest where there are several.
    if (const double age = static_cast<double>(now) - f.value * 1e6;
        d.max_age > 0 && age > static_cast<double>(d.max_age))
      return fmt::format("{} is {} old, at most {}", f.series, duration(age), duration(static_cast<double>(d.max_age)));
    if (d.least && f.value < *d.least)
      return fmt::format("{} is {}, at least {}", f.series, human(f.value), human(*d.least));
    if (d.most && f.value > *d.most)
      return fmt::format("{} is {}, at most {}", f.series, human(f.value), human(*d.most));
  }
  return {};
}

}  // namespace

Result<source::Sample> sample_of(const std::string& model, const Dependency& dependency) {
  source::Sample sample;
  sample.name = source_name(model, dependency.name);
  Settings settings;
  const auto& source = dependency.probe.empty() ? source::prometheus : source::probe;
  for (const auto& param : source.params) settings.values[std::string(param.name)] = param.fallback;
  settings.values["url"] = dependency.probe.empty() ? dependency.prometheus : dependency.probe;
  if (dependency.probe.empty()) settings.values["series"] = dependency.series;
  auto made = source.make(settings, {});
  if (!made) return fail(Code::kInput, made.error().message);
  sample.sampler = std::move(*made);
  return sample;
}

void Dependencies::configure(const std::string& model, const std::vector<Dependency>& wanted) {
  std::lock_guard lock(mutex_);
  std::erase_if(followed_, [&](const auto& one) {
    const auto& [name, followed] = one;
    if (followed.model != model || std::find(wanted.begin(), wanted.end(), followed.dependency) != wanted.end())
      return false;
    machine_.remove(name);
    return true;
  });
  for (const auto& dependency : wanted) {
    auto [at, fresh] = followed_.try_emplace(source_name(model, dependency.name), Followed{model, dependency, {}});
    if (!fresh) continue;
    // What was accepted can be looked at.
    if (auto sample = sample_of(model, dependency)) machine_.add(std::move(*sample));
  }
}

void Dependencies::seen(const std::string& source, const std::vector<source::Figure>* figures, const std::string& why,
                        std::int64_t now) {
  std::lock_guard lock(mutex_);
  const auto at = followed_.find(source);
  if (at == followed_.end()) return;
  auto& failures = at->second.failures;
  auto reason = figures ? fault(at->second.dependency, *figures, now) : why;
  const bool failing = !failures.empty() && failures.back().to == 0;
  if (reason.empty()) {
    if (failing) failures.back().to = now;
  } else if (failing) {
    failures.back().why = std::move(reason);
  } else {
    failures.push_back({now, 0, std::move(reason)});
    if (failures.size() > kMostFailures) failures.pop_front();
  }
}

std::vector<std::string> Dependencies::failed(const std::string& model, std::int64_t from, std::int64_t to) const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> out;
  for (const auto& [source, followed] : followed_) {
    if (followed.model != model) continue;
    const std::string_view what = followed.dependency.probe.empty() ? "what is asked of it" : "its probe";
    const auto last = std::find_if(followed.failures.rbegin(), followed.failures.rend(),
                                   [&](const Failure& f) { return f.from < to && (f.to == 0 || f.to >= from); });
    if (last == followed.failures.rend()) continue;
    out.push_back(last->to == 0 ? fmt::format("{} has failed {} since {}: {}", followed.dependency.name, what,
                                              clock_time(last->from, to), last->why)
                                : fmt::format("{} failed {} from {} to {}: {}", followed.dependency.name, what,
                                              clock_time(last->from, to), clock_time(last->to, to), last->why));
  }
  return out;
}

}  // namespace vigie::server
