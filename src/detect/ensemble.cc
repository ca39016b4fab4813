// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "detect/ensemble_internal.h"
#include "detect/monitor_internal.h"

namespace vigie::detect {
namespace {

constexpr std::size_t kMostMembers = 64;
constexpr Param kNumber[] = {
    {.name = "k", .fallback = 2, .min = 1, .max = kMostMembers, .doc = "members that must agree", .whole = true}};
constexpr Param kWait[] = {{.name = "wait",
                            .fallback = 100,
                            .min = 1,
                            .max = 1e9,
                            .doc = "values within which another member must confirm the first",
                            .whole = true}};

constinit const Detector any{.name = "any",
                             .summary = "Drift when one member says so",
                             .paper = "Maciel, Santos & Barros 2015",
                             .stream = Stream::kValues,
                             .params = {},
                             .make = nullptr};
constinit const Detector majority{.name = "majority",
                                  .summary = "Drift when more than half of the members say so",
                                  .paper = "Maciel, Santos & Barros 2015",
                                  .stream = Stream::kValues,
                                  .params = {},
                                  .make = nullptr};
constinit const Detector at_least{.name = "at_least",
                                  .summary = "Drift when k members say so",
                                  .paper = "Du et al. 2014",
                                  .stream = Stream::kValues,
                                  .params = kNumber,
                                  .make = nullptr};
constinit const Detector confirmed{.name = "confirmed",
                                   .summary = "Drift when a second member confirms the first within some values",
                                   .paper = "Du et al. 2014",
                                   .stream = Stream::kValues,
                                   .params = kWait,
                                   .make = nullptr};
constexpr std::array kEnsembles = {&any, &majority, &at_least, &confirmed};

// A member's drift is a vote that holds until the ensemble's next drift, for `confirmed` at most `wait` values. A
// member restarts as its own policy says, so a vote cannot be looked up in its state.
class Ensemble final : public Monitor {
 public:
  Ensemble(const Detector& kind, const Args& given, std::vector<std::unique_ptr<Monitor>> members)
      : Monitor(kind, given), members_(std::move(members)), votes_(members_.size(), -1) {}

  const Alarm* update(double value) override {
    const std::int64_t index = seen_++;
    if (on_drift_ == OnDrift::kHold && state_ == State::kDrift) return nullptr;
    bool news = false;
    std::size_t warned = 0;
    std::int64_t skipped = 0;
    for (std::size_t i = 0; i < members_.size(); ++i) {
      const std::int64_t before = members_[i]->skipped();
      if (const Alarm* alarm = members_[i]->update(value)) {
        news = true;
        if (alarm->state == State::kDrift) {
          votes_[i] = index;
          newest_ = *alarm;
        }
      }
      warned += members_[i]->state() == State::kWarning;
      skipped = std::max(skipped, members_[i]->skipped() - before);
    }
    skipped_ += skipped;
    const std::int64_t oldest = &detector_ == &confirmed ? index - static_cast<std::int64_t>(params_[0]) : 0;
    const auto voted = static_cast<std::size_t>(std::count_if(
        votes_.begin(), votes_.end(), [&](std::int64_t vote) { return vote >= std::max<std::int64_t>(oldest, 0); }));
    if (news && voted >= needed()) return drift(index, voted);
    const State now = voted + warned > 0 ? State::kWarning : State::kStable;
    const bool begins = now == State::kWarning && state_ != State::kWarning;
    state_ = now;
    if (!begins) return nullptr;
    ++warnings_;
    alarm_ = {.index = index,
              .state = State::kWarning,
              .statistic = static_cast<double>(voted),
              .threshold = static_cast<double>(needed()),
              .direction = Direction::kNone,
              .onset = index,
              .before = kNaN,
              .after = kNaN};
    return &alarm_;
  }

  void update(std::span<const double> values, std::vector<Alarm>& alarms) override {
    for (const double value : values)
      if (const Alarm* alarm = update(value)) alarms.push_back(*alarm);
  }

  // Until as many members as must agree are at work, or have voted.
  std::int64_t to_learn() const override {
    std::vector<std::int64_t> each;
    for (std::size_t i = 0; i < members_.size(); ++i) each.push_back(votes_[i] < 0 ? members_[i]->to_learn() : 0);
    const auto last = each.begin() + static_cast<std::ptrdiff_t>(needed()) - 1;
    std::nth_element(each.begin(), last, each.end());
    return *last;
  }
  void reset() override {
    reset_counts();
    forget();
    for (auto& member : members_) member->reset();
  }
  void resume() override {
    forget();
    for (auto& member : members_) member->resume();
  }

 private:
  std::size_t needed() const {
    if (&detector_ == &any) return 1;
    if (&detector_ == &majority) return members_.size() / 2 + 1;
    return &detector_ == &at_least ? static_cast<std::size_t>(params_[0]) : std::min<std::size_t>(2, members_.size());
  }
  void forget() {
    newest_ = {};
    std::fill(votes_.begin(), votes_.end(), -1);
    state_ = State::kStable;
  }
  const Alarm* drift(std::int64_t index, std::size_t voted) {
    alarm_ = newest_;
    alarm_.index = index;
    alarm_.statistic = static_cast<double>(voted);
    alarm_.threshold = static_cast<double>(needed());
    ++drifts_;
    std::fill(votes_.begin(), votes_.end(), -1);
    // Members that have not yet seen the change would vote on it once more.
    if (on_drift_ == OnDrift::kRestart)
      for (auto& member : members_) member->resume();
    state_ = State::kDrift;
    return &alarm_;
  }

  void save_state(ByteWriter& out) const override {
    out.varint(members_.size());
    for (const auto& member : members_) out.string(member->save());
    SaveFields io(out);
    io(votes_, newest_.onset, newest_.direction, newest_.before, newest_.after);
  }
  bool load_state(ByteReader& in) override {
    const std::uint64_t count = in.count(1);
    if (count == 0 || count > kMostMembers) return false;
    for (std::uint64_t i = 0; i < count; ++i) {
      auto member = load_monitor(in.string());
      // No ensembles of ensembles: a hostile state could nest without end.
      if (!member || find_ensemble((*member)->detector().name) || (*member)->seen() != seen_) return false;
      members_.push_back(std::move(*member));
    }
    votes_.assign(members_.size(), -1);
    LoadFields io(in);
    io(votes_, newest_.onset, newest_.direction, newest_.before, newest_.after);
    const auto sane = [&](std::int64_t vote) { return vote >= -1 && vote < seen_; };
    return needed() <= members_.size() && std::all_of(votes_.begin(), votes_.end(), sane) && newest_.onset >= 0 &&
           newest_.onset <= seen_ && std::abs(static_cast<int>(newest_.direction)) <= 1;
  }

  std::vector<std::unique_ptr<Monitor>> members_;
  std::vector<std::int64_t> votes_;
  Alarm newest_;
};

}  // namespace

std::span<const Detector* const> ensembles() {
  return kEnsembles;
}

const Detector* find_ensemble(std::string_view name) {
  for (const Detector* ensemble : kEnsembles)
    if (ensemble->name == name) return ensemble;
  return nullptr;
}

std::unique_ptr<Monitor> empty_ensemble(const Detector& ensemble, const Args& args) {
  return std::make_unique<Ensemble>(ensemble, args, std::vector<std::unique_ptr<Monitor>>{});
}

Result<std::unique_ptr<Monitor>> make_ensemble(const Detector& ensemble, const Args& args,
                                               std::vector<std::unique_ptr<Monitor>> members) {
  const std::string name(ensemble.name);
  if (members.empty() || members.size() > kMostMembers)
    return fail(Code::kUsage, name + ": holds 1 to 64 detectors, got " + std::to_string(members.size()));
  if (&ensemble == &at_least && args[0] > static_cast<double>(members.size()))
    return fail(Code::kUsage, name + ": more votes asked for than there are detectors");
  for (const auto& member : members) {
    if (find_ensemble(member->detector().name)) return fail(Code::kUsage, name + ": cannot hold an ensemble");
    if ((member->detector().stream == Stream::kOutcomes) != (members[0]->detector().stream == Stream::kOutcomes))
      return fail(Code::kUsage, name + ": detectors of different streams");
  }
  return std::unique_ptr<Monitor>(new Ensemble(ensemble, args, std::move(members)));
}

}  // namespace vigie::detect
