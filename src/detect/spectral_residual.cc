// SPDX-License-Identifier: Apache-2.0
#include <complex>
#include <numbers>

#include "detect/monitor_internal.h"

namespace vigie::detect {
namespace {

// The paper's threshold of 3 is passed by one value of pure noise in fifty.
constexpr Param kParams[] = {{.name = "threshold",
                              .fallback = 8.3,
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
        half_(1U << (static_cast<unsigned>(args[1]) - 1)),
        spectrum_(static_cast<std::uint32_t>(args[2])),
        saliency_(static_cast<std::uint32_t>(args[3])),
        extension_(static_cast<std::uint32_t>(args[4])),
        held_(2 * half_ - extension_),
        ring_(held_),
        values_(2 * half_),
        logs_(2 * half_ + 1),
        folded_(half_),
        spectrum_of_(half_ + 1),
        turns_(half_ + 1) {
    for (std::uint32_t i = 0; i <= half_; ++i) turns_[i] = std::polar(1.0, -std::numbers::pi * i / half_);
  }

  State step(double x) {
    ring_[at_] = x;
    at_ = at_ + 1 == held_ ? 0 : at_ + 1;
    n_ += 1;
    if (n_ < held_) return State::kStable;
    std::rotate_copy(ring_.begin(), ring_.begin() + at_, ring_.end(), values_.begin());
    centre();
    extend();
    to_spectrum();
    remove_expected();
    from_spectrum();
    const std::uint32_t newest = held_ - 1;
    double mean = 0;
    for (std::uint32_t i = newest - saliency_; i < newest; ++i) mean += std::abs(values_[i]);
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
  double to_learn() const { return held_ - n_; }
  void reset() {
    n_ = 0;
    at_ = 0;
    std::fill(ring_.begin(), ring_.end(), 0.0);
  }
  void fields(auto& io) { io(n_, at_, ring_); }
  bool valid() const { return at_ < held_; }

 private:
  double back(std::uint32_t i) const { return ring_[(at_ + 2 * held_ - 1 - i) % held_]; }

  // The level of a series says nothing of what stands out; left in, it would outshine all else in every saliency.
  void centre() {
    double mean = 0;
    for (std::uint32_t i = 0; i < held_; ++i) mean += values_[i] / held_;
    for (std::uint32_t i = 0; i < held_; ++i) values_[i] -= mean;
  }
  // Continues by the mean slope of the values before the newest: were that one itself followed, the continuation of a
  // single point far off would stand out more than the point.
  void extend() {
    if (extension_ == 0) return;
    const std::uint32_t last = held_ - 2;
    double slope = 0;
    for (std::uint32_t i = 1; i <= extension_; ++i) slope += (values_[last] - values_[last - i]) / i / extension_;
    const double next = values_[last + 1 - extension_] + slope * extension_;
    for (std::uint32_t i = 0; i < extension_; ++i) values_[held_ + i] = next;
  }
  // Of a real series half the spectrum says all: it is that of half as many complex numbers, even places and odd ones,
  // taken apart.
  void to_spectrum() {
    for (std::uint32_t i = 0; i < half_; ++i) folded_[i] = {values_[2 * i], values_[2 * i + 1]};
    transform();
    for (std::uint32_t k = 0; k <= half_; ++k) {
      const Complex a = folded_[k & (half_ - 1)], b = std::conj(folded_[(half_ - k) & (half_ - 1)]);
      spectrum_of_[k] = 0.5 * (a + b) + times(turns_[k], times({0, -0.5}, a - b));
    }
  }
  // Back, but for a factor, which the score loses.
  void from_spectrum() {
    for (std::uint32_t k = 0; k < half_; ++k) {
      const Complex a = spectrum_of_[k], b = std::conj(spectrum_of_[half_ - k]);
      folded_[k] = std::conj(a + b + times({0, 1}, times(std::conj(turns_[k]), a - b)));
    }
    transform();
    for (std::uint32_t i = 0; i < half_; ++i) {
      values_[2 * i] = folded_[i].real();
      values_[2 * i + 1] = -folded_[i].imag();
    }
  }
  // In place, decimation in time.
  void transform() {
    for (std::uint32_t i = 1, j = 0; i < half_; ++i) {
      std::uint32_t bit = half_ >> 1;
      for (; j & bit; bit >>= 1) j ^= bit;
      j ^= bit;
      if (i < j) std::swap(folded_[i], folded_[j]);
    }
    for (std::uint32_t span = 1; span < half_; span *= 2) {
      const std::uint32_t stride = half_ / span;
      for (std::uint32_t begin = 0; begin < half_; begin += 2 * span) {
        for (std::uint32_t k = 0; k < span; ++k) {
          const Complex a = folded_[begin + k], b = times(folded_[begin + k + span], turns_[std::size_t{k} * stride]);
          folded_[begin + k] = a + b;
          folded_[begin + k + span] = a - b;
        }
      }
    }
  }
  // std::complex's own looks for infinities.
  static Complex times(Complex a, Complex b) {
    return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
  }
  // Of the spectrum stays the phase, and what of the logarithm of its size is not the mean of its neighbours'.
  void remove_expected() {
    const std::uint32_t size = 2 * half_, before = spectrum_ / 2;
    for (std::uint32_t k = 0; k <= half_; ++k)
      logs_[k] = logs_[size - k] = 0.5 * std::log(std::max(std::norm(spectrum_of_[k]), 1e-300));
    logs_[0] = logs_[size] = logs_[1];
    double sum = 0;
    for (std::uint32_t i = 0; i < spectrum_; ++i) sum += logs_[(i + size - before) & (size - 1)];
    for (std::uint32_t k = 0; k <= half_; ++k) {
      const double expected = sum / spectrum_;
      sum += logs_[(k + spectrum_ - before) & (size - 1)] - logs_[(k + size - before) & (size - 1)];
      spectrum_of_[k] *= std::exp(-std::min(expected, 690.0));
    }
  }

  double threshold_;
  std::uint32_t half_, spectrum_, saliency_, extension_, held_, at_ = 0;
  double n_ = 0, score_ = 0;
  std::vector<double> ring_, values_, logs_;
  std::vector<Complex> folded_, spectrum_of_, turns_;
};

}  // namespace

constinit const Detector spectral_residual{.name = "spectral_residual",
                                           .summary = "Values that stand out once the expected spectrum is taken away",
                                           .paper = "Ren et al. 2019",
                                           .stream = SpectralResidual::kStream,
                                           .params = kParams,
                                           .on_drift = OnDrift::kKeepRecent,
                                           .tuned = "threshold",
                                           .make = make<SpectralResidual>};

}  // namespace vigie::detect
