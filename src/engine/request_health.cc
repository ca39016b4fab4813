// SPDX-License-Identifier: Apache-2.0
#include "engine/request_health.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "base/text.h"
#include "stats/binomial.h"
#include "stats/distributions.h"

namespace vigie::engine {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr double kClip = 4;         // robust standard deviations
constexpr double kToSd = 1.482602;  // of a normal, from the median distance to the median
constexpr double kTail = .05;       // above p95

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// How the next value may turn out, after these.
struct Usual {
  double mean = 0, sd = 0, n = 0;

  explicit Usual(std::vector<double> values) : n(static_cast<double>(values.size())) {
    const double centre = median(values);
    auto distances = values;
    for (auto& d : distances) d = std::abs(d - centre);
    const double robust = kToSd * median(std::move(distances));
    // Where most are alike, as no errors at all, nothing can be said to lie far out.
    if (robust > 0)
      for (auto& v : values) v = std::clamp(v, centre - kClip * robust, centre + kClip * robust);
    mean = std::accumulate(values.begin(), values.end(), 0.) / n;
    double squares = 0;
    for (const auto v : values) squares += (v - mean) * (v - mean);
    sd = std::max(std::sqrt(squares / (n - 1)), robust);
  }

  // That one at least so great comes.
  double tail(double value) const {
    if (!(sd > 0)) return value > mean ? 0 : 1;
    return stats::student_t_sf((value - mean) / (sd * std::sqrt(1 + 1 / n)), n - 1);
  }
};

// Anscombe's: nearly of one variance, whatever the share.
double arc(std::int64_t failed, std::int64_t known) {
  return std::asin(std::sqrt((static_cast<double>(failed) + .375) / (static_cast<double>(known) + .75)));
}

}  // namespace

std::vector<const RequestHealth::Hour*> RequestHealth::before(bool latency) const {
  std::vector<const Hour*> healthy, all;
  for (const auto& hour : hours_) {
    if (latency ? hour.timed < kFewestRequests : hour.known == 0) continue;
    all.push_back(&hour);
    if (!hour.bad) healthy.push_back(&hour);
  }
  return healthy.size() >= kFewest ? healthy : all;
}

bool RequestHealth::speaks() const {
  return before(false).size() >= kFewest || before(true).size() >= kFewest;
}

Sighting RequestHealth::see(std::int64_t start, const Traffic& traffic, double level) {
  Sighting out{Sighting::Track::kRequests, start, start + kWindow};
  std::erase_if(hours_, [&](const Hour& hour) { return hour.start < start - kKept; });
  const Hour now{start, traffic.known(), traffic.failed, traffic.latency.count(), traffic.latency.quantile(.95)};
  const auto with_status = before(false), timed = before(true);
  const bool errors = now.known > 0 && with_status.size() >= kFewest;
  const bool latency = now.timed >= kFewestRequests && timed.size() >= kFewest;
  const double tests = errors + latency;
  out.judged = errors || latency;

  if (errors) {
    std::int64_t failed = 0, known = 0;
    std::vector<double> arcs;
    for (const auto* hour : with_status)
      failed += hour->failed, known += hour->known, arcs.push_back(arc(hour->failed, hour->known));
    const double share = static_cast<double>(now.known) / static_cast<double>(now.known + known);
    const double usual = static_cast<double>(failed) / static_cast<double>(known),
                 effect = traffic.error_rate() - usual;
    const double p = std::max(stats::binomial_tail(now.failed, now.failed + failed, share),
                              Usual(arcs).tail(arc(now.failed, now.known)));
    if (p * tests <= level && effect >= kWatchRate) {
      const bool major = effect >= kMajorRate;
      out.firm = out.firm || major;
      out.causes.push_back(
          {"", "", "error_rate", major ? event::Severity::kCritical : event::Severity::kWarning, effect / kMajorRate,
           fmt::format("{} of {} requests failed; of those of {} before it was {}", percent(traffic.error_rate()),
                       with_commas(now.known), plural(static_cast<std::int64_t>(with_status.size()), "healthy hour"),
                       percent(usual)),
           start, 1});
    }
  }
  if (latency) {
    std::vector<double> logs;
    for (const auto* hour : timed) logs.push_back(std::log(std::max(hour->p95, 1e-6)));
    const Usual usual(logs);
    const double centre = std::exp(usual.mean), ratio = now.p95 / centre;
    const double p = std::max(stats::binomial_tail(traffic.latency.above(centre), now.timed, kTail),
                              usual.tail(std::log(std::max(now.p95, 1e-6))));
    if (p * tests <= level && ratio >= kWatchRatio) {
      out.firm = out.firm || ratio >= kMajorRatio;
      out.causes.push_back({"", "", "latency_p95", event::Severity::kWarning, std::log(ratio) / std::log(kMajorRatio),
                            fmt::format("95 % of requests took up to {} ms; in {} before it was {} ms", human(now.p95),
                                        plural(static_cast<std::int64_t>(timed.size()), "healthy hour"), human(centre)),
                            start, 1});
    }
  }
  hours_.push_back(now);
  hours_.back().bad = !out.causes.empty();
  return out;
}

void RequestHealth::save(ByteWriter& out) const {
  out.fixed(kVersion);
  out.varint(hours_.size());
  for (const auto& hour : hours_) {
    out.fixed(hour.start);
    for (const auto count : {hour.known, hour.failed, hour.timed}) out.varint(static_cast<std::uint64_t>(count));
    out.fixed(hour.p95);
    out.fixed(std::uint8_t{hour.bad});
  }
}

Result<RequestHealth> RequestHealth::load(ByteReader& in) {
  RequestHealth out;
  const auto version = in.fixed<std::uint8_t>();
  for (auto left = in.count(20); left > 0 && in.ok(); --left) {
    auto& hour = out.hours_.emplace_back();
    hour.start = in.fixed<std::int64_t>();
    for (auto* count : {&hour.known, &hour.failed, &hour.timed}) *count = static_cast<std::int64_t>(in.varint());
    hour.p95 = in.fixed<double>();
    hour.bad = in.fixed<std::uint8_t>() != 0;
  }
  if (!in.ok() || version != kVersion) return fail(Code::kCorrupt, "what was kept of healthy hours: not a saved state");
  return out;
}

}  // namespace vigie::engine
