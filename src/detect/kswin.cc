// SPDX-License-Identifier: Apache-2.0
#include "base/rng.h"
#include "detect/python_random_internal.h"
#include "detect/sorted_window_internal.h"
#include "stats/distributions.h"

namespace vigie::detect {
namespace {

constexpr Param kParams[] = {
    {.name = "alpha", .fallback = 0.005, .min = 1e-300, .max = 1, .doc = "level of each test"},
    {.name = "window_size", .fallback = 100, .min = 4, .max = 100000, .doc = "values held", .whole = true},
    {.name = "stat_size",
     .fallback = 30,
     .min = 2,
     .max = 50000,
     .doc = "newest values, held against as many older ones",
     .whole = true}};

/// The smallest whole h with P(n·D ≥ h) at most `level` for two samples of n from one law, exactly: reflection
/// principle, Gnedenko & Korolyuk 1951. n + 1 where there is none.
std::uint32_t smallest_distance(std::uint32_t n, double level) {
  for (std::uint32_t h = 1; h <= n; ++h) {
    double p = 0;
    for (std::uint32_t k = 1; k * h <= n; ++k) {
      const double term =
          std::exp(2 * stats::log_factorial(n) - stats::log_factorial(n - k * h) - stats::log_factorial(n + k * h));
      p += k % 2 ? 2 * term : -2 * term;
    }
    if (p <= level) return h;
  }
  return n + 1;
}

class Kswin {
 public:
  static constexpr Stream kStream = Stream::kValues;
  static Status check(const Args& args) {
    if (args[1] < 2 * args[2]) return fail(Code::kUsage, "kswin: window_size must hold stat_size twice");
    return {};
  }
  explicit Kswin(const Args& args)
      : recent_size_(static_cast<std::uint32_t>(args[2])),
        // River asks for a distance above a tenth besides.
        bound_(std::max(smallest_distance(recent_size_, args[0]), recent_size_ / 10 + 1)),
        river_(args.parity == Parity::kRiver),
        seed_(args.seed),
        older_(static_cast<std::uint32_t>(args[1]) - recent_size_),
        recent_(recent_size_),
        sample_(recent_size_),
        index_(river_ ? older_.capacity() : 0) {
    reset();
  }

  State step(double x) {
    if (recent_.full()) older_.push(recent_.oldest());
    recent_.push(x);
    if (!older_.full()) return State::kStable;
    if (river_)
      draw_as_python();
    else
      draw();
    distance_ = 0;
    std::uint32_t i = 0, j = 0;
    const double *a = sample_.data(), *b = recent_.sorted().data();
    const std::uint32_t n = recent_size_;
    while (i < n && j < n) {
      const double at = std::min(a[i], b[j]);
      while (i < n && a[i] == at) ++i;
      while (j < n && b[j] == at) ++j;
      distance_ = std::max(distance_, i > j ? i - j : j - i);
    }
    return distance_ >= bound_ ? State::kDrift : State::kStable;
  }

  Evidence evidence() const {
    const double before = older_.mean(), after = recent_.mean();
    return {.statistic = static_cast<double>(distance_) / recent_size_,
            .threshold = static_cast<double>(bound_) / recent_size_,
            .direction = direction_of(after - before),
            .age = recent_size_ - 1.0,
            .before = before,
            .after = after};
  }
  void keep_recent() {
    if (river_)
      reset();  // River keeps the newest values, and forgets them with the next one
    else
      older_.clear();
  }
  double to_learn() const { return older_.missing() + recent_.missing(); }
  void reset() {
    older_.clear();
    recent_.clear();
    rng_ = Rng(seed_);
    python_.reseed(static_cast<std::uint32_t>(seed_));
  }
  void fields(auto& io) {
    older_.fields(io);
    recent_.fields(io);
    std::uint64_t state = rng_.state();
    io(state);
    rng_ = Rng(state);
    if (river_) python_.fields(io);
  }
  bool valid() { return older_.restore() && recent_.restore() && python_.valid(); }

 private:
  // Selection sampling (Knuth, algorithm S): what it draws from a sorted array is sorted.
  void draw() {
    const std::vector<double>& from = older_.sorted();
    std::uint32_t taken = 0;
    for (std::uint32_t i = 0; taken < recent_size_; ++i) {
      sample_[taken] = from[i];
      taken += rng_.below(from.size() - i) < recent_size_ - taken;
    }
  }

  // random.sample(range(n), k): by a shrinking pool where k is large beside n, else by rejection.
  void draw_as_python() {
    const std::uint32_t n = older_.capacity(), k = recent_size_;
    double set_size = 21;
    if (k > 5) set_size += std::pow(4, std::ceil(std::log(3.0 * k) / std::log(4.0)));
    if (n <= set_size) {
      for (std::uint32_t i = 0; i < n; ++i) index_[i] = i;
      for (std::uint32_t i = 0; i < k; ++i) {
        const std::uint32_t j = python_.below(n - i);
        sample_[i] = older_[index_[j]];
        index_[j] = index_[n - i - 1];
      }
    } else {
      std::fill(index_.begin(), index_.end(), 0U);
      for (std::uint32_t i = 0; i < k; ++i) {
        std::uint32_t j = python_.below(n);
        while (index_[j]) j = python_.below(n);
        index_[j] = 1;
        sample_[i] = older_[j];
      }
    }
    std::sort(sample_.begin(), sample_.end());
  }

  std::uint32_t recent_size_, bound_, distance_ = 0;
  bool river_;
  std::uint64_t seed_;
  Rng rng_{1};
  PythonRandom python_{1};
  SortedWindow older_, recent_;
  std::vector<double> sample_;
  std::vector<std::uint32_t> index_;
};

}  // namespace

constinit const Detector kswin{
    .name = "kswin",
    .summary = "Newest values against a sample of older ones, by Kolmogorov and Smirnov's test",
    .paper = "Raab, Heusinger & Schleif 2020",
    .stream = Kswin::kStream,
    .params = kParams,
    .river = kParams,
    .on_drift = OnDrift::kKeepRecent,
    .tuned = "alpha",
    .make = make<Kswin>};

}  // namespace vigie::detect
