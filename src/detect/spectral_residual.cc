// SPDX-License-Identifier: Apache-2.0
#include <complex>
#include <numbers>

#include "detect/monitor_internal.h"

namespace vigie::detect {
namespace {

constexpr Param kParams[] = {{.name = "threshold",
                              .fallback = 3,
                              .min = 0,
                              .max = 1e6,
                              .doc = "saliency above its local mean, as a share of it, that is an alarm"},
                             {.name = "log2_window",
                              .fallback = 6,
                              .min = 4,
                              .max = 12,
                              .doc = "the window holds 2 to this many values",
                              .whole = true},
                             {.name = "spectrum_mean",
                              .fallback = 3,
                              .min = 1,
                              .max = 101,
                              .doc = "frequencies whose mean is the expected spectrum",
                              .whole = true},
                             {.name = "saliency_mean",
                              .fallback = 21,
                              .min = 1,
                              .max = 1001,
                              .doc = "values before a value whose saliency it is held against",
                              .whole = true},
                             {.name = "extension",
                              .fallback = 5,
                              .min = 0,
                              .max = 8,
                              .doc = "values that continue the window, so that its newest is not at the border",
                              .whole = true}};

using Complex = std::complex<double>;

class SpectralResidual {
 public:
  static constexpr Stream kStream = Stream::kValues;
  static Status check(const Args& args) {
    const double size = std::exp2(args[1]);
    if (args[2] > size / 2 || args[3] + args[4] + 2 > size)
      return fail(Code::kUsage, "spectral_residual: the means must fit in the window");
    return {};
  }
  explicit SpectralResidual(const Args& args)
      : threshold_(args[0]),
        size_(1U << static_cast<unsigned>(args[1])),
        spectrum_(static_cast<std::uint32_t>(args[2])),
        saliency_(static_cast<std::uint32_t>(args[3])),
        extension_(static_cast<std::uint32_t>(args[4])),
        held_(size_ - extension_),
        ring_(held_),
        logs_(size_),
        values_(size_),
        turns_(size_ / 2) {
    for (std::uint32_t i = 0; i < turns_.size(); ++i) turns_[i] = std::polar(1.0, -2 * std::numbers::pi * i / size_);
  }

  State step(double x) {
    ring_[at_] = x;
    at_ = at_ + 1 == held_ ? 0 : at_ + 1;
    n_ += 1;
    if (n_ < held_) return State::kStable;
    for (std::uint32_t i = 0; i < held_; ++i) values_[i] = ring_[at_ + i < held_ ? at_ + i : at_ + i - held_];
    extend();
    transform();
    remove_expected();
    transform();
    const std::uint32_t newest = held_ - 1;
    double mean = 0;
    for (std::uint32_t i = newest - saliency_; i < newest; ++i) mean += std::sqrt(std::norm(values_[i]));
    mean /= saliency_;
    score_ = mean > 0 ? (std::abs(values_[newest]) - mean) / mean : 0;
    return score_ > threshold_ ? State::kDrift : State::kStable;
  }

  Evidence evidence() const {
    double before = 0;
    for (std::uint32_t i = 1; i <= saliency_; ++i) before += back(i);
    before /= saliency_;
    return {.statistic = score_,
            .threshold = threshold_,
            .direction = direction_of(back(0) - before),
            .age = 0,
            .before = before,
            .after = back(0)};
  }
  void keep_recent() {}  // a salient point belongs to the window like any other
  void reset() {
    n_ = 0;
    at_ = 0;
    std::fill(ring_.begin(), ring_.end(), 0.0);
  }
  void fields(auto& io) { io(n_, at_, ring_); }
  bool valid() const { return at_ < held_; }

 private:
  double back(std::uint32_t i) const { return ring_[(at_ + 2 * held_ - 1 - i) % held_]; }

  // Continues by the mean slope of the values before the newest: were that one itself followed, the continuation of a
  // single point far off would stand out more than the point.
  void extend() {
    if (extension_ == 0) return;
    const std::uint32_t last = held_ - 2;
    double slope = 0;
    for (std::uint32_t i = 1; i <= extension_; ++i)
      slope += (values_[last].real() - values_[last - i].real()) / i / extension_;
    const double next = values_[last + 1 - extension_].real() + slope * extension_;
    for (std::uint32_t i = 0; i < extension_; ++i) values_[held_ + i] = next;
  }
  // In place, decimation in time.
  void transform() {
    for (std::uint32_t i = 1, j = 0; i < size_; ++i) {
      std::uint32_t bit = size_ >> 1;
      for (; j & bit; bit >>= 1) j ^= bit;
      j ^= bit;
      if (i < j) std::swap(values_[i], values_[j]);
    }
    for (std::uint32_t half = 1; half < size_; half *= 2) {
      const std::uint32_t stride = size_ / (2 * half);
      for (std::uint32_t begin = 0; begin < size_; begin += 2 * half) {
        for (std::uint32_t k = 0; k < half; ++k) {
          const Complex a = values_[begin + k], b = values_[begin + k + half], turn = turns_[std::size_t{k} * stride];
          const Complex turned{b.real() * turn.real() - b.imag() * turn.imag(),
                               b.real() * turn.imag() + b.imag() * turn.real()};
          values_[begin + k] = a + turned;
          values_[begin + k + half] = a - turned;
        }
      }
    }
  }
  // Of the spectrum stays the phase, and what of the logarithm of its size is not the mean of its neighbours'. The
  // conjugate is taken so that a second forward transform is the inverse but for a factor, which the score loses.
  void remove_expected() {
    for (std::uint32_t i = 0; i < size_; ++i) logs_[i] = 0.5 * std::log(std::max(std::norm(values_[i]), 1e-300));
    double sum = 0;
    for (std::uint32_t i = 0; i < spectrum_; ++i) sum += logs_[(i + size_ - spectrum_ / 2) & (size_ - 1)];
    for (std::uint32_t i = 0; i < size_; ++i) {
      const double expected = sum / spectrum_;
      sum += logs_[(i + spectrum_ - spectrum_ / 2) & (size_ - 1)] - logs_[(i + size_ - spectrum_ / 2) & (size_ - 1)];
      values_[i] = std::conj(values_[i]) * std::exp(-std::min(expected, 690.0));
    }
  }

  double threshold_;
  std::uint32_t size_, spectrum_, saliency_, extension_, held_, at_ = 0;
  double n_ = 0, score_ = 0;
  std::vector<double> ring_, logs_;
  std::vector<Complex> values_, turns_;
};

}  // namespace

constinit const Detector spectral_residual{.name = "spectral_residual",
                                           .summary = "Values that stand out once the expected spectrum is taken away",
                                           .paper = "Ren et al. 2019",
                                           .stream = SpectralResidual::kStream,
                                           .params = kParams,
                                           .on_drift = OnDrift::kKeepRecent,
                                           .make = make<SpectralResidual>};

}  // namespace vigie::detect
