// SPDX-License-Identifier: Apache-2.0
#include "engine/request_health.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "engine/alarms_internal.h"
#include "stats/binomial.h"
#include "stats/sampling.h"

namespace vigie::engine {
namespace {

/// A service whose hours differ: ln of the latency by `wander`, with `rho` from one to the next, and `day` up and down
/// over the day; the share of errors by a gamma of that mean, more alike the greater `alike`.
struct World {
  std::int64_t requests = 200;
  double wander = 0, rho = 0, day = 0, rate = .001, alike = 1e9;
  bool heavy = false;  ///< now and then an hour is a good deal slower
  double slower = 1, fail = 0;
};

class Hours {
 public:
  Hours(const World& of, std::uint64_t seed) : world(of), rng_(seed) {}

  Traffic next(std::int64_t hour) {
    state_ = world.rho * state_ + std::sqrt(1 - world.rho * world.rho) * stats::draw_normal(rng_);
    double scale = 1;
    if (world.heavy) scale = 1 / std::sqrt(stats::draw_gamma(rng_, 2) / 2);  // Student's t with 4 degrees
    const double centre = std::log(40.) + world.wander * state_ * scale + std::log(world.slower) +
                          world.day * std::sin(2 * std::numbers::pi * static_cast<double>(hour) / 24);
    const double rate = std::min(1., world.fail + world.rate * stats::draw_gamma(rng_, world.alike) / world.alike);
    Traffic out;
    const auto failed = stats::draw_binomial(rng_, world.requests, rate);
    for (std::int64_t i = 0; i < world.requests; ++i)
      out.add(i < failed ? Outcome::kFailed : Outcome::kOk, true, std::exp(centre + .6 * stats::draw_normal(rng_)),
              600);
    return out;
  }

  World world;

 private:
  Rng rng_;
  double state_ = 0;
};

std::string found(const Sighting& sighting) {
  std::string out = sighting.judged ? "" : "nothing said ";
  for (const auto& c : sighting.causes) out += fmt::format("{} {} ", c.what, to_string(c.severity));
  return out;
}

TEST(RequestHealth, SaysNothingBeforeItKnowsADay) {
  Hours hours({}, 1);
  RequestHealth health;
  for (int hour = 0; hour < 24; ++hour) {
    EXPECT_FALSE(health.speaks());
    EXPECT_EQ(found(health.see(hour * RequestHealth::kWindow, hours.next(hour), .001)), "nothing said ");
  }
  EXPECT_TRUE(health.speaks());
  EXPECT_EQ(found(health.see(24 * RequestHealth::kWindow, hours.next(24), .001)), "");
  Traffic silent;
  silent.add(Outcome::kUnknown, false, std::nan(""), 600);
  EXPECT_EQ(found(health.see(25 * RequestHealth::kWindow, silent, .001)), "nothing said ");
}

TEST(RequestHealth, SeesErrorsAndLatencyAndTheirEnd) {
  Hours hours({.requests = 500, .wander = .1}, 2);
  RequestHealth health;
  std::int64_t hour = 0;
  const auto next = [&] {
    // As a crash would have it.
    ByteWriter out;
    health.save(out);
    const auto bytes = out.take();
    ByteReader in(bytes);
    health = RequestHealth::load(in).value();
    const auto seen = health.see(hour * RequestHealth::kWindow, hours.next(hour), 3e-4);
    ++hour;
    return seen;
  };
  for (int i = 0; i < 72; ++i) next();
  hours.world.fail = .05;
  auto seen = next();
  EXPECT_EQ(found(seen), "error_rate critical ");
  EXPECT_TRUE(seen.firm);
  EXPECT_NE(seen.causes[0].reason.find("of 500 requests failed; of those of 72 healthy hours before it was 0.0"),
            std::string::npos)
      << seen.causes[0].reason;
  hours.world.fail = 0, hours.world.slower = 2.5;
  seen = next();
  EXPECT_EQ(found(seen), "latency_p95 warning ");
  EXPECT_TRUE(seen.firm);
  hours.world.slower = 1;
  EXPECT_EQ(found(next()), "");
  // Once what is usual is two weeks old, there is something else that is.
  hours.world.slower = 3;
  int alarms = 0;
  for (int i = 0; i < 15 * 24; ++i) alarms += !next().causes.empty();
  EXPECT_GT(alarms, 12 * 24);
  EXPECT_EQ(found(next()), "");
}

TEST(RequestHealth, OneErrorOfFewRequestsIsNothing) {
  Hours hours({.requests = 40, .rate = 0}, 3);
  RequestHealth health;
  std::int64_t hour = 0;
  for (; hour < 48; ++hour) health.see(hour * RequestHealth::kWindow, hours.next(hour), 1e-3);
  auto traffic = hours.next(hour);
  traffic.failed = 1, traffic.ok -= 1;
  EXPECT_EQ(found(health.see(hour * RequestHealth::kWindow, traffic, 1e-3)), "");
  traffic.failed = 4, traffic.ok -= 3;
  EXPECT_EQ(found(health.see(++hour * RequestHealth::kWindow, traffic, 1e-3)), "error_rate critical ");
}

// Hours that wake somebody though nothing changed, of all; where it is more than the level permits, that is no chance.
void expect_at_most(const World& world, double level, double times, const char* what) {
  const auto trials = alarms::trials_of(400, 24);
  std::int64_t hours = 0, alarms = 0;
  for (std::size_t trial = 0; trial < trials; ++trial) {
    Hours next(world, trial + 1);
    RequestHealth health;
    for (std::int64_t hour = 0; hour < std::int64_t{24} * 12; ++hour) {
      const auto seen = health.see(hour * RequestHealth::kWindow, next.next(hour), level);
      hours += seen.judged, alarms += !seen.causes.empty();
    }
  }
  const double permitted = level * times;
  fmt::print("{}: {} of {} hours, {:.5f} at {}\n", what, alarms, hours,
             static_cast<double>(alarms) / static_cast<double>(hours), level);
  ASSERT_GT(hours, 5'000);
  EXPECT_GT(stats::binomial_tail(alarms, hours, permitted), 1e-6) << what << ": " << alarms << " of " << hours;
}

TEST(SlowAlarms, RequestsOfHealthyHours) {
  for (const double level : {.01, .0007}) {
    expect_at_most({}, level, 1, "alike hours");
    expect_at_most({.requests = 60, .rate = .02}, level, 1, "few requests");
    expect_at_most({.wander = .2}, level, 1, "hours that wander");
    expect_at_most({.wander = .3, .rho = .7}, level, 1, "hours that wander and hang together");
    expect_at_most({.wander = .1, .day = .5}, level, 1, "days and nights");
    expect_at_most({.rate = .02, .alike = 3}, level, 1, "shares of errors that differ");
  }
}

TEST(SlowAlarms, RequestsOfHoursWithHeavyTails) {
  // A known limit, as it is of data: up to ten times the nominal rate far out.
  for (const double level : {.01, .0007}) expect_at_most({.wander = .2, .heavy = true}, level, 10, "heavy tails");
}

}  // namespace
}  // namespace vigie::engine
