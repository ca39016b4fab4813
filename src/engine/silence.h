// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "engine/incidents.h"

namespace vigie::engine {

inline constexpr std::string_view kSilence = "silence";  ///< by which its cause is called

/// Whether a model is asked no more: by the clock, since a window that nothing is in is none. A pause is a silence from
/// kTimes the longest that was usual in the last kDays days on, and from kLeast; a model that came for less than
/// kFewest days has none, unless somebody says how long a pause may be. Of gaps that are exponential the longest of n
/// is passed twice with probability 1/n a pause; nights and weekends are in what is usual after a week. Pauses that
/// were told of are not usual, until there were kAccepted of them. Memory: 32 bytes a day. One thread at a time.
class Silence {
 public:
  static constexpr std::int64_t kDay = 86'400'000'000, kLeast = 300'000'000;  ///< µs
  static constexpr std::int64_t kDays = 14, kFewest = 7, kTimes = 2;
  static constexpr std::int64_t kFewestGaps = 20;    ///< in those days; of fewer nobody knows what is usual
  static constexpr std::int64_t kAccepted = 3;       ///< silences in those days
  static constexpr std::int64_t kCalm = 60'000'000;  ///< µs from the end of a silence on until it is over

  /// Something came at that time, µs. Of earlier ones than the last nothing is learnt.
  void came(std::int64_t time);
  /// Nothing could come before that time, and since the last that came: a pause begins there.
  void deaf_until(std::int64_t time) { deaf_until_ = time; }
  /// How long a pause may be, µs, in place of what is usual.
  void allow(std::optional<std::int64_t> micros) { said_ = micros; }

  /// When planned work that touches [from, to) ends, µs; nothing where there is none.
  using Worked = std::function<std::optional<std::int64_t>(std::int64_t from, std::int64_t to)>;
  /// What is to be told by now: that a silence began, each time that it lasts twice as long as told before, and twice
  /// that it is over. A pause begins anew at the end of planned work.
  std::optional<Sighting> see(std::int64_t now, const Worked& worked);
  std::int64_t last() const { return last_; }  ///< when something last came; 0: never
  bool silent() const { return told_ > 0 && over_ == 0; }

  void save(ByteWriter& out) const;
  static Result<Silence> load(ByteReader& in);

 private:
  struct Day {
    std::int64_t gaps = 0, longest = 0;           // µs
    std::int64_t silences = 0, longest_told = 0;  // µs
  };
  std::int64_t longest(std::int64_t now) const;
  std::map<std::int64_t, Day> days_;  // since 1970
  std::int64_t first_ = 0, last_ = 0, deaf_until_ = std::numeric_limits<std::int64_t>::min();
  std::int64_t told_ = 0, since_ = 0, allowed_ = 0;  // how long it was when it was told of, 0: there is none
  std::int64_t over_ = 0;                            // when something came again; 0: nothing did
  std::int64_t calm_ = 0;                            // how often it was told that it is over
  std::optional<std::int64_t> said_;
};

}  // namespace vigie::engine
