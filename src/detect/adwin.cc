// SPDX-License-Identifier: Apache-2.0
#include "detect/monitor_internal.h"

namespace vigie::detect {
namespace {

constexpr Param kParams[] = {
    {.name = "delta", .fallback = 0.002, .min = 1e-300, .max = 1, .doc = "confidence of the cut"},
    {.name = "clock", .fallback = 32, .min = 1, .max = 1e9, .doc = "values between two looks", .whole = true},
    {.name = "max_buckets", .fallback = 5, .min = 1, .max = 63, .doc = "buckets of one size", .whole = true},
    {.name = "min_window_length",
     .fallback = 5,
     .min = 1,
     .max = 1e9,
     .doc = "values on either side of a cut",
     .whole = true},
    {.name = "grace_period",
     .fallback = 10,
     .min = 0,
     .max = 1e9,
     .doc = "values before the first look",
     .whole = true},
    {.name = "range",
     .fallback = 0,
     .min = 0,
     .max = 1,
     .doc = "what the bound takes values to lie within: 1, or, but for zeros and ones, their standard deviation, which "
            "target_arl sets",
     .choices = "one|sd"}};

struct Bucket {
  double total, squares;  // sum, and sum of squared deviations from its mean
};

// Rows of buckets of 2^row values each, oldest first within a row; the last row is the oldest. River throws the whole
// window away after a cut; the method's point is that it keeps what came after.
class Adwin {
 public:
  static constexpr Stream kStream = Stream::kValues;
  explicit Adwin(const Args& args)
      : log_scale_(2 / args[0]),
        clock_(static_cast<std::int64_t>(args[1])),
        most_(static_cast<std::uint32_t>(args[2])),
        shortest_(args[3]),
        fewest_(args.parity == Parity::kMoa ? args[3] + 2 : args[3]),
        grace_(args[4]),
        wipes_(args.parity == Parity::kRiver),
        bare_(args.parity != Parity::kNone),
        by_spread_(args.params.size() > 5 && args[5] == 1),
        buckets_(std::size_t{kRows} * (most_ + 1)) {}

  State step(double x) {
    if (x != 0 && x != 1) beyond_bits_ = true;
    // Of values that are all the same no rounding must be left, where the bound is in units of their spread.
    if (by_spread_ && width_ == 0) origin_ = x;
    since_far_ += 1;
    if (!bare_ && stands_alone(x - origin_)) [[unlikely]] {
      if (!of_a_kind(x - origin_)) return drop_all(x - origin_), State::kDrift;
      since_far_ = 0;
    }
    insert(x - origin_);
    if (++tick_ < clock_) [[likely]]
      return State::kStable;
    tick_ = 0;
    return width_ > grace_ && shrink() ? State::kDrift : State::kStable;
  }

  Evidence evidence() const {
    return {.statistic = std::abs(cut_.difference),
            .threshold = cut_.bound,
            .direction = direction_of(cut_.difference),
            .age = std::max(width_ - 1, 0.0),
            .before = origin_ + dropped_total_ / dropped_,
            .after = origin_ + (width_ > 0 ? total_ / width_ : alone_)};
  }
  void keep_recent() {
    if (wipes_) reset();
  }
  double to_learn() const {
    const auto clock = static_cast<double>(clock_), tick = static_cast<double>(tick_);
    return width_ > grace_ && width_ >= clock ? 0 : std::max(clock - tick, grace_ + 1 - width_);
  }
  void reset() {
    sizes_ = {};
    rows_ = 1;
    width_ = total_ = squares_ = origin_ = 0;
    far_ = far_within_ = since_far_ = 0;
    tick_ = 0;
    beyond_bits_ = false;
  }
  void fields(auto& io) {
    io(rows_, width_, total_, squares_, origin_, far_, far_within_, since_far_, tick_, beyond_bits_);
    sane_ = rows_ >= 1 && rows_ <= kRows;
    for (std::uint32_t row = 0; sane_ && row < rows_; ++row) {
      io(sizes_[row]);
      sane_ = sizes_[row] <= most_;
      for (std::uint32_t i = 0; sane_ && i < sizes_[row]; ++i) io(at(row)[i].total, at(row)[i].squares);
    }
  }
  bool valid() const {
    double width = 0;
    for (std::uint32_t row = 0; sane_ && row < rows_; ++row)
      width += sizes_[row] * std::ldexp(1, static_cast<int>(row));
    return sane_ && width == width_ && tick_ >= 0 && tick_ < clock_ && (rows_ == 1 || sizes_[rows_ - 1] > 0);
  }

 private:
  static constexpr std::uint32_t kRows = 54;
  static constexpr double kKnown = 30, kAlone = 1e6, kAgain = 10;
  Bucket* at(std::uint32_t row) { return buckets_.data() + std::size_t{row} * (most_ + 1); }

  void insert(double x) {
    if (width_ > 0) {
      const double deviation = x - total_ / width_;
      squares_ += width_ * deviation * deviation / (width_ + 1);
    }
    width_ += 1;
    total_ += x;
    Bucket carried = {x, 0};
    double size = 1;
    for (std::uint32_t row = 0;; ++row, size *= 2) {
      Bucket* buckets = at(row);
      buckets[sizes_[row]++] = carried;
      if (row >= rows_) rows_ = row + 1;
      if (sizes_[row] <= most_ || row + 1 == kRows) return;
      const double apart = (buckets[0].total - buckets[1].total) / size;
      carried = {buckets[0].total + buckets[1].total,
                 buckets[0].squares + buckets[1].squares + size / 2 * apart * apart};
      sizes_[row] -= 2;
      for (std::uint32_t i = 0; i < sizes_[row]; ++i) buckets[i] = buckets[i + 2];
    }
  }

  // The square of a value so far off would hide all others' for many times as long as the window has lasted: it is a
  // change by itself, and part of no window.
  bool stands_alone(double x) const {
    // Of values that are all the same anything is as far off: a first event, of which there may be more.
    if (width_ < kKnown || !(squares_ > 0)) return false;
    const double deviation = x - total_ / width_;
    return deviation * deviation * width_ > kAlone * kAlone * squares_ && (by_spread_ || std::abs(deviation) > kAlone);
  }
  // Rare events come again: after one, others of its size are part of the stream.
  bool of_a_kind(double x) const { return since_far_ <= far_within_ && std::abs(x - total_ / width_) <= kAlone * far_; }
  void drop_all(double x) {
    const double mean = total_ / width_, spread = std::sqrt(squares_ / width_);
    cut_ = {x - mean, kAlone * (by_spread_ ? spread : std::max(spread, 1.0))};
    far_ = std::abs(x - mean);
    far_within_ = kAgain * width_;
    since_far_ = 0;
    dropped_ = width_;
    dropped_total_ = total_;
    alone_ = x;
    sizes_ = {};
    rows_ = 1;
    width_ = total_ = squares_ = 0;
    beyond_bits_ = false;
  }

  bool shrink() {
    bool drift = false;
    dropped_ = dropped_total_ = 0;
    for (Cut cut; find(cut);) {
      if (!drift) cut_ = cut;
      drift = true;
      drop_oldest();
    }
    return drift;
  }

  struct Cut {
    double difference, bound;
  };
  bool find(Cut& cut) {
    const double level = std::log(log_scale_ * std::log(width_)), variance = squares_ / width_;
    const double range = by_spread_ && beyond_bits_ ? std::sqrt(variance) : 1;
    double n0 = 0, u0 = 0, size = std::ldexp(1, static_cast<int>(rows_) - 1);
    for (std::uint32_t row = rows_; row-- > 0; size /= 2) {
      const Bucket* buckets = at(row);
      const std::uint32_t count = sizes_[row];
      for (std::uint32_t i = 0; i < count; ++i) {
        if (row == 0 && i + 1 == count) return false;
        n0 += size;
        u0 += buckets[i].total;
        const double n1 = width_ - n0;
        if (n0 < fewest_ || n1 < fewest_) continue;
        const double u1 = total_ - u0, a = n0 - shortest_ + 1, b = n1 - shortest_ + 1;
        // The first term of the bound alone, without a division: settles nearly every cut.
        const double cross = u0 * n1 - u1 * n0, product = n0 * n1;
        if (cross * cross * (a * b) < (1 - 1e-9) * 2 * variance * level * (a + b) * (product * product)) [[likely]]
          continue;
        const double m = 1 / a + 1 / b;
        cut = {u1 / n1 - u0 / n0, std::sqrt(2 * m * variance * level) + 2. / 3 * level * m * range};
        if (std::abs(cut.difference) > cut.bound) return true;
      }
    }
    return false;
  }

  void drop_oldest() {
    const std::uint32_t row = rows_ - 1;
    Bucket* buckets = at(row);
    dropped_ += std::ldexp(1, static_cast<int>(row));
    dropped_total_ += buckets[0].total;
    for (std::uint32_t i = 1; i < sizes_[row]; ++i) buckets[i - 1] = buckets[i];
    --sizes_[row];
    while (rows_ > 1 && sizes_[rows_ - 1] == 0) --rows_;
    count_anew();
  }
  // Taken off the sums, a bucket of large values would leave its rounding behind.
  void count_anew() {
    width_ = total_ = squares_ = 0;
    for (std::uint32_t row = rows_; row-- > 0;) {
      const double size = std::ldexp(1, static_cast<int>(row));
      for (std::uint32_t i = 0; i < sizes_[row]; ++i) {
        const Bucket& bucket = at(row)[i];
        const double apart = width_ > 0 ? bucket.total / size - total_ / width_ : 0;
        squares_ += bucket.squares + size * width_ / (size + width_) * apart * apart;
        total_ += bucket.total;
        width_ += size;
      }
    }
  }

  double log_scale_;
  std::int64_t clock_;
  std::uint32_t most_;
  double shortest_, fewest_, grace_;
  bool wipes_, bare_, by_spread_, beyond_bits_ = false, sane_ = true;
  std::uint32_t rows_ = 1;
  double width_ = 0, total_ = 0, squares_ = 0, origin_ = 0;
  double far_ = 0, far_within_ = 0, since_far_ = 0;  // of the last value that stood alone: how far, how long it counts
  std::int64_t tick_ = 0;
  Cut cut_{};
  double dropped_ = 0, dropped_total_ = 0, alone_ = 0;
  std::array<std::uint32_t, kRows> sizes_{};
  std::vector<Bucket> buckets_;
};

}  // namespace

constinit const Detector adwin{.name = "adwin",
                               .summary = "Window that shrinks to what came after the newest change of its mean",
                               .paper = "Bifet & Gavaldà 2007",
                               .stream = Adwin::kStream,
                               .params = kParams,
                               .river = std::span(kParams).first(5),
                               .moa = std::span(kParams).first(5),
                               .on_drift = OnDrift::kKeepRecent,
                               .tuned = "delta",
                               .freed_by = "range",
                               .make = make<Adwin>};

}  // namespace vigie::detect
