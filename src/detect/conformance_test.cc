// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "base/rng.h"
#include "detect/ensemble_internal.h"
#include "detect/streams_test_internal.h"

namespace vigie::detect {
namespace {

using streams::Series;

// Level, then a higher one, then the first again, with values in it that are none of the stream.
Series stream_of(const Detector& detector, std::uint64_t seed, std::size_t part) {
  Rng rng(seed);
  Series out;
  for (std::size_t i = 0; i < 3 * part; ++i) {
    const bool changed = i / part == 1;
    if (i % 97 == 13) {
      out.push_back(std::nan(""));
    } else if (i % 301 == 7) {
      out.push_back(std::numeric_limits<double>::infinity());
    } else if (detector.stream == Stream::kErrors) {
      out.push_back(rng.uniform() < (changed ? .7 : .1) ? 1 : 0);
    } else if (detector.stream == Stream::kOutcomes) {
      const bool truth = rng.uniform() < .4, wrong = rng.uniform() < (changed ? .6 : .1);
      out.push_back(2 * truth + (truth != wrong));
    } else {
      double sum = changed ? -2 : -6;
      for (int k = 0; k < 12; ++k) sum += rng.uniform();
      out.push_back(sum);
    }
  }
  return out;
}

struct Variant {
  const Detector* detector;
  std::string text;
};

// All ways to run a detector of the registry; "ensembles" has none of its own.
std::vector<Variant> variants(const std::string& name) {
  std::vector<Variant> out;
  if (name == "ensembles") {
    for (const char* text : {"any(ddm, page_hinkley)", "majority(ddm, hddm_a, eddm)", "at_least(2, ddm, hddm_a, stepd)",
                             "confirmed(200, ddm, hddm_w)"})
      out.push_back({find_detector("ddm"), text});
    return out;
  }
  const Detector* detector = find_detector(name);
  for (const char* setting : {"seed=1", "on_drift=restart", "on_drift=keep_recent", "on_drift=hold"})
    out.push_back({detector, name + "(" + setting + ")"});
  if (!detector->freed_by.empty())
    out.push_back({detector, name + "(target_arl=" + std::to_string(static_cast<int>(least_target(*detector))) + ")"});
  if (!detector->river.empty()) out.push_back({detector, name + "(parity=river)"});
  if (!detector->moa.empty()) out.push_back({detector, name + "(parity=moa)"});
  return out;
}

std::vector<std::string> names() {
  std::vector<std::string> out = {"ensembles"};
  for (const Detector* detector : detectors())
    if (detector->make) out.emplace_back(detector->name);
  return out;
}

class Conformance : public ::testing::TestWithParam<std::string> {
 protected:
  template <class Body>
  void each(Body body) {
    for (const Variant& variant : variants(GetParam())) {
      SCOPED_TRACE(variant.text);
      current_ = variant;
      body();
    }
  }
  std::unique_ptr<Monitor> fresh() const { return std::move(*make_monitor(current_.text)); }
  Series series(std::uint64_t seed = 1, std::size_t part = 700) const {
    return stream_of(*current_.detector, seed, part);
  }
  Variant current_;
};

std::vector<Alarm> one_by_one(Monitor& monitor, std::span<const double> series) {
  std::vector<Alarm> out;
  for (const double value : series)
    if (const Alarm* alarm = monitor.update(value)) out.push_back(*alarm);
  return out;
}

// NaN, where a detector knows no level, compares unequal.
std::string text_of(const std::vector<Alarm>& alarms) {
  std::string out;
  for (const Alarm& a : alarms) {
    ByteWriter bytes;
    for (const double value : {a.statistic, a.threshold, a.before, a.after}) bytes.fixed(value);
    for (const std::int64_t value : {a.index, a.onset}) bytes.fixed(value);
    bytes.fixed(static_cast<std::uint8_t>(a.state));
    bytes.fixed(static_cast<std::int8_t>(a.direction));
    out += bytes.bytes();
  }
  return out;
}

TEST_P(Conformance, BatchEqualsSingle) {
  each([&] {
    const Series values = series();
    auto single = fresh(), batch = fresh(), parts = fresh();
    const std::vector<Alarm> wanted = one_by_one(*single, values);
    std::vector<Alarm> got, in_parts;
    batch->update(values, got);
    for (std::size_t at = 0, size = 1; at < values.size(); at += size, size = size * 2 % 97)
      parts->update(std::span(values).subspan(at, std::min(size, values.size() - at)), in_parts);
    EXPECT_TRUE(text_of(wanted) == text_of(got));
    EXPECT_TRUE(text_of(wanted) == text_of(in_parts));
    EXPECT_TRUE(single->save() == batch->save());
    EXPECT_TRUE(single->save() == parts->save());
    EXPECT_EQ(batch->seen(), static_cast<std::int64_t>(values.size()));
  });
}

TEST_P(Conformance, SeesAChangeAndCountsIt) {
  each([&] {
    auto monitor = fresh();
    std::int64_t drifts = 0, warnings = 0;
    bool after = false;
    Series values = series();
    // Made for points that stand out, not for levels.
    if (current_.detector->name == "spectral_residual") values[1000] = 60;
    const bool holds = current_.text.find("hold") != std::string::npos;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const Alarm* alarm = monitor->update(values[i]);
      if (!alarm) continue;
      EXPECT_LE(alarm->onset, alarm->index);
      EXPECT_GE(alarm->onset, 0);
      EXPECT_EQ(std::isnan(alarm->statistic), false);
      const bool drift = alarm->state == State::kDrift;
      (drift ? drifts : warnings) += 1;
      after |= drift && alarm->index >= 700;
      if (!holds || !drift) continue;
      for (int k = 0; k < 20 && i + 1 < values.size(); ++k) EXPECT_EQ(monitor->update(values[++i]), nullptr) << i;
      EXPECT_EQ(monitor->state(), State::kDrift);
      monitor->resume();
      EXPECT_EQ(monitor->state(), State::kStable);
      EXPECT_GT(monitor->to_learn(), 0);
    }
    EXPECT_EQ(drifts, monitor->drifts());
    EXPECT_EQ(warnings, monitor->warnings());
    EXPECT_TRUE(after) << "silent";
  });
}

TEST_P(Conformance, SaysNothingOfValuesThatAreAllTheSame) {
  each([&] {
    for (const double value : {0., 1.}) {
      auto monitor = fresh();
      one_by_one(*monitor, Series(3000, value));
      EXPECT_EQ(monitor->drifts(), 0) << value;
    }
  });
}

TEST_P(Conformance, SaysHowLongItLearns) {
  each([&] {
    auto monitor = fresh();
    EXPECT_GT(monitor->to_learn(), 0);
    for (const double value : series()) {
      const std::int64_t before = monitor->to_learn();
      const bool said = monitor->update(value) != nullptr;
      EXPECT_TRUE(before <= 1 || !said) << monitor->seen();
      // A member of an ensemble may learn anew by itself.
      EXPECT_TRUE(monitor->to_learn() <= before || monitor->drifts() > 0 || GetParam() == "ensembles")
          << monitor->seen();
    }
    EXPECT_TRUE(monitor->to_learn() == 0 || monitor->drifts() > 0);
  });
}

TEST_P(Conformance, SkipsWhatIsNoValueOfTheStream) {
  each([&] {
    const Series values = series();
    Series clean;
    for (const double value : values)
      if (std::isfinite(value)) clean.push_back(value);
    auto dirty = fresh(), plain = fresh();
    const std::vector<Alarm> with = one_by_one(*dirty, values), without = one_by_one(*plain, clean);
    EXPECT_EQ(dirty->skipped(), static_cast<std::int64_t>(values.size() - clean.size()));
    EXPECT_EQ(plain->skipped(), 0);
    ASSERT_EQ(with.size(), without.size());
    for (std::size_t i = 0; i < with.size(); ++i) {
      EXPECT_EQ(with[i].statistic, without[i].statistic);
      EXPECT_EQ(values[static_cast<std::size_t>(with[i].index)], clean[static_cast<std::size_t>(without[i].index)]);
    }
  });
}

TEST_P(Conformance, GoesOnAfterLoadingAsIfNothingHadBeen) {
  each([&] {
    const Series values = series();
    for (const std::size_t cut :
         {std::size_t{0}, std::size_t{1}, std::size_t{40}, std::size_t{333}, std::size_t{702}, std::size_t{1100}}) {
      auto first = fresh();
      one_by_one(*first, std::span(values).first(cut));
      const std::string bytes = first->save();
      auto second = load_monitor(bytes);
      ASSERT_TRUE(second.has_value()) << second.error().message;
      EXPECT_TRUE((*second)->save() == bytes);
      const auto rest = std::span(values).subspan(cut);
      EXPECT_TRUE(text_of(one_by_one(*first, rest)) == text_of(one_by_one(**second, rest)));
      EXPECT_TRUE(first->save() == (*second)->save());
      EXPECT_EQ(first->drifts(), (*second)->drifts());
    }
  });
}

TEST_P(Conformance, RefusesTornAndAlteredBytes) {
  each([&] {
    auto monitor = fresh();
    one_by_one(*monitor, series(3, 100));
    const std::string bytes = monitor->save();
    const std::size_t stride = bytes.size() > 3000 ? 37 : 1;
    for (std::size_t size = 0; size < bytes.size(); size += stride) {
      auto loaded = load_monitor(std::string_view(bytes).substr(0, size));
      ASSERT_FALSE(loaded.has_value());
      EXPECT_EQ(loaded.error().code, Code::kCorrupt);
    }
    for (std::size_t i = 0; i < bytes.size(); i += stride) {
      std::string altered = bytes;
      altered[i] = static_cast<char>(altered[i] ^ 4);
      EXPECT_FALSE(load_monitor(altered).has_value());
    }
  });
}

// Behind an intact checksum: refused, or fit for use.
TEST_P(Conformance, StandsWhateverTheStateSays) {
  each([&] {
    auto monitor = fresh();
    const Series values = series(3, 100);
    one_by_one(*monitor, values);
    const std::string bytes = monitor->save();
    auto frame = unseal("VGDT", 1, bytes, "");
    ASSERT_TRUE(frame.has_value());
    const std::string payload(frame->payload);
    for (std::size_t i = 0; i < payload.size(); i += payload.size() / 250 + 1) {
      for (const int flip : {1, 64, 128, 255}) {
        std::string altered = payload;
        altered[i] = static_cast<char>(altered[i] ^ flip);
        auto loaded = load_monitor(seal("VGDT", 1, altered));
        if (!loaded) {
          EXPECT_EQ(loaded.error().code, Code::kCorrupt);
          continue;
        }
        one_by_one(**loaded, std::span(values).first(60));
        EXPECT_FALSE((*loaded)->save().empty());
      }
    }
  });
}

TEST_P(Conformance, AllocatesNothingOnceItRuns) {
  each([&] {
    auto monitor = fresh();
    const Series values = series(5, 2000);
    std::vector<Alarm> alarms;
    alarms.reserve(10000);
    const std::size_t small = monitor->save().size();
    monitor->update(std::span(values).first(2100), alarms);
    const std::int64_t before = streams::allocations();
    monitor->update(std::span(values).subspan(2100), alarms);
    for (const double value : values) monitor->update(value);
    EXPECT_EQ(streams::allocations() - before, 0);
    EXPECT_LT(monitor->save().size(), small + 20000);
  });
}

TEST_P(Conformance, ResetIsAsNew) {
  each([&] {
    auto monitor = fresh();
    one_by_one(*monitor, series(7));
    monitor->reset();
    EXPECT_TRUE(monitor->save() == fresh()->save());
    EXPECT_EQ(monitor->seen(), 0);
  });
}

INSTANTIATE_TEST_SUITE_P(Registry, Conformance, ::testing::ValuesIn(names()),
                         [](const auto& param) { return param.param; });

TEST(Registry, DescriptorsAreComplete) {
  for (const Detector* detector : detectors()) {
    EXPECT_EQ(find_detector(detector->name), detector);
    EXPECT_FALSE(detector->summary.empty() || detector->paper.empty()) << detector->name;
    EXPECT_NE(detector->make == nullptr, detector->segment == nullptr) << detector->name;
    for (const auto table : {detector->params, detector->river, detector->moa}) {
      for (const Param& param : table) {
        EXPECT_FALSE(param.doc.empty()) << detector->name << '.' << param.name;
        EXPECT_LE(param.min, param.fallback) << detector->name << '.' << param.name;
        EXPECT_LE(param.fallback, param.max) << detector->name << '.' << param.name;
      }
    }
  }
}

TEST(Registry, StatesWithoutWindowsAreSmall) {
  for (const char* name : {"page_hinkley", "cusum", "shewhart", "ewma", "gma", "ddm", "eddm", "rddm", "hddm_a",
                           "hddm_w", "fhddm", "mddm_a", "mddm_e", "mddm_g", "stepd", "wstd", "ecdd"}) {
    auto monitor = std::move(*make_monitor(name));
    one_by_one(*monitor, stream_of(monitor->detector(), 1, 5000));
    EXPECT_LT(monitor->save().size(), 1024U) << name;
  }
}

TEST(Registry, AStateOfAParityThatIsNotIsRefused) {
  ByteWriter payload;
  payload.string("gma");
  payload.fixed(static_cast<std::uint8_t>(Parity::kRiver));
  payload.fixed(static_cast<std::uint8_t>(OnDrift::kRestart));
  payload.varint(1);
  payload.array(std::span<const double>{});
  const auto loaded = load_monitor(seal("VGDT", 1, payload.bytes()));
  ASSERT_FALSE(loaded.has_value());
  EXPECT_EQ(loaded.error().message, "detector state: of a parity that the detector does not have");
}

TEST(Registry, BadSettingsAreAnswered) {
  const auto message = [](std::string_view text) {
    auto monitor = make_monitor(text);
    return monitor ? std::string("made") : monitor.error().message;
  };
  EXPECT_EQ(message("page_hinkly"), "unknown detector \"page_hinkly\"; did you mean \"page_hinkley\"?");
  EXPECT_EQ(message("ddm(warm_strt=3)"), "ddm: unknown parameter \"warm_strt\"; did you mean \"warm_start\"?");
  EXPECT_EQ(message("confirmed(time=9, ddm)"),
            "confirmed: unknown parameter \"time\" (wait, parity, on_drift, seed, target_arl)");
  EXPECT_EQ(message("ddm(warm_start=x)"), "ddm.warm_start: \"x\" is not a number");
  EXPECT_EQ(message("ddm(warm_start=1.5)"), "ddm.warm_start: expected a whole number 0..1000000000, got \"1.5\"");
  EXPECT_EQ(message("page_hinkley(mode=left)"), "page_hinkley.mode: expected both|up|down, got \"left\"");
  EXPECT_EQ(message("ddm(warm_start)"), "ddm: expected parameter=value, got \"warm_start\"");
  EXPECT_EQ(message("ddm(warm_start=3"), "\"ddm(warm_start=3\": the last bracket is missing");
  EXPECT_EQ(message("gma(parity=river)"), "gma: has no parity with that program");
  EXPECT_EQ(message("eddm(alpha=0.5)"), "eddm: alpha must not be below beta");
  EXPECT_EQ(message("any()"), "any: holds 1 to 64 detectors, got 0");
  EXPECT_EQ(message("any(any(ddm))"), "any: cannot hold an ensemble");
  EXPECT_EQ(message("at_least(3, ddm, eddm)"), "at_least: more votes asked for than there are detectors");
  EXPECT_EQ(message(" at_least( 2 , ddm( warm_start = 40 ) , eddm ) "), "made");
}

TEST(Policy, HoldSaysNothingUntilResumed) {
  auto monitor = std::move(*make_monitor("shewhart(on_drift=hold, mean=0, sd=1)"));
  EXPECT_NE(monitor->update(9), nullptr);
  EXPECT_EQ(monitor->update(9), nullptr);
  EXPECT_EQ(monitor->state(), State::kDrift);
  monitor->resume();
  ASSERT_NE(monitor->update(9), nullptr);
  EXPECT_EQ(monitor->drifts(), 2);
  EXPECT_EQ(monitor->seen(), 3);
}

// About sixty values of the new level lie between onset and alarm: who keeps them has learnt it, who does not starts
// over.
TEST(Policy, KeepRecentLearnsFromTheChange) {
  for (const bool keeps : {false, true}) {
    auto monitor = std::move(*make_monitor(keeps ? "cusum(h=40, on_drift=keep_recent)" : "cusum(h=40)"));
    Rng rng(1);
    const Alarm* found = nullptr;
    for (int i = 0; !found && i < 400; ++i) found = monitor->update(4 * rng.uniform() + (i < 200 ? 0 : 2));
    ASSERT_NE(found, nullptr);
    EXPECT_NEAR(static_cast<double>(found->onset), 200, 10);
    EXPECT_NEAR(found->before, 2, .6);
    EXPECT_NEAR(found->after, 4, .4);
    EXPECT_EQ(monitor->update(500) != nullptr, keeps);
  }
}

TEST(Ensembles, CountVotes) {
  // shewhart votes by itself at every 9; cusum needs two in a row.
  const std::string one = "shewhart(mean=0, sd=1)", two = "cusum(mean=0, sd=1, h=12)";
  const Series values = {0, 9, 0, -9, 0, 0, 9, 9, 0, 0};
  const auto at = [&](const std::string& text) { return streams::drifts(text, values); };
  EXPECT_EQ(at("any(" + one + ", " + two + ")"), (std::vector<std::int64_t>{1, 3, 6, 7}));
  EXPECT_EQ(at("at_least(2, " + one + ", " + two + ")"), (std::vector<std::int64_t>{7}));
  EXPECT_EQ(at("majority(" + one + ", " + one + ", " + two + ")"), (std::vector<std::int64_t>{1, 3, 6, 7}));
  EXPECT_EQ(at("confirmed(1, " + one + ", " + two + ")"), (std::vector<std::int64_t>{7}));
  // Votes of other members are too old when the last one comes.
  const std::string up = "shewhart(mean=0, sd=1, mode=up)", down = "shewhart(mean=0, sd=1, mode=down)";
  EXPECT_EQ(at("confirmed(2, " + up + ", " + down + ")"), (std::vector<std::int64_t>{3}));
  EXPECT_EQ(at("confirmed(1, " + up + ", " + down + ")"), (std::vector<std::int64_t>{}));
}

}  // namespace
}  // namespace vigie::detect
