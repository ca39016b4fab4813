// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "engine/comparison.h"
#include "engine/incidents.h"

namespace vigie::engine {

/// What explained the answers of some rows: of each feature how much, as sums that can be merged. A feature that a row
/// has no attribution of had none of it: 0. A feature's importance is its share of all |attributions|, so a model whose
/// answers became more extreme as a whole has the same. 32 bytes a feature; beyond kMostFeatures, new ones are left
/// out.
class Attributions {
 public:
  static constexpr std::size_t kMostFeatures = 1'000;
  struct Feature {
    double size = 0, sum = 0, squares = 0;  ///< of |a|, a and a²
    double with_all = 0;                    ///< of |a| times that of all features of its row
  };

  /// Rows one after the other, each with a value for each name; NaN is none. The rest is below 1e100 in size.
  void add(std::span<const std::string> names, std::span<const double> values);
  void merge(const Attributions& other);

  std::int64_t rows() const { return rows_; }
  const std::map<std::string, Feature, std::less<>>& features() const { return features_; }
  double share(std::string_view feature) const;  ///< 0..1; NaN where nothing has an attribution
  double mean(std::string_view feature) const;   ///< with its sign
  /// Variance of share() by the chance of which rows came: that of a ratio of means; NaN below two rows.
  double noise(std::string_view feature) const;

  void save(ByteWriter& out) const;
  static Result<Attributions> load(ByteReader& in);

 private:
  Feature of(std::string_view feature) const;
  std::int64_t rows_ = 0;
  double all_ = 0, all_squares_ = 0;  // sums over rows of what all their features have, and of its square
  std::map<std::string, Feature, std::less<>> features_;
};

inline constexpr std::string_view kAttributionDrift = "attribution_drift";  ///< of causes

/// What a window says of attribution drift.
struct AttributionChange {
  Verdict verdict = Verdict::kNoData;
  double ndcg = 0;   ///< NaN with kNoData
  double upper = 0;  ///< of it, at the level: importances may be that much noise
  std::int64_t rows = 0;
  struct Importance {
    std::string feature;
    double share = 0, reference_share = 0, mean = 0;
    std::int64_t rank = 0, reference_rank = 0;  ///< from 1
  };
  std::vector<Importance> features;  ///< by rank
  std::string reason;
};

/// What explains answers usually, window by window, and whether a later window differs from it.
///
/// NDCG is that of Järvelin & Kekäläinen 2002: features in the order of their importance in the window, gains their
/// importance in the reference; 1 is the same order. Below 0.90 is a drift, as SageMaker has it, and below 0.95 a
/// warning, if the noise cannot account for it: each importance has an interval, Student's, at level/features; its
/// variance is that of the rows of the window and of the reference, and of how much more than their rows reference
/// windows differ. Features whose intervals overlap may stand in either order, and `upper` is the NDCG of the best such
/// order. While the reference's importances are in all intervals that is 1, so false alarms are rarer than the level.
/// With fewer than kSpread windows nobody knows how much healthy ones differ, and drifts are held to warnings.
///
/// Cost of a window: 3 µs a feature, and features² × 2 ns.
class AttributionReference {
 public:
  static constexpr std::int64_t kFewestRows = 30;  ///< of a window that is judged, or that others are judged by
  static constexpr std::int64_t kWindows = 15;     ///< of the model's own, that it is learnt from
  static constexpr std::int64_t kSpread = 5;
  static constexpr double kWatch = .95, kMajor = .90;  ///< NDCG

  /// A window of healthy rows.
  void add(const Attributions& window);
  /// No more comes: what there is was given with a reference.
  void given() { given_ = all_.rows() > 0; }
  bool ready() const { return given_ || windows_ >= kWindows; }
  std::int64_t windows() const { return windows_; }
  std::int64_t rows() const { return all_.rows(); }

  AttributionChange judge(const Attributions& window, double level) const;
  /// What is no warning or drift at that level is no cause; see sighting_of().
  Sighting sighting(const Attributions& window, std::int64_t start, std::int64_t end, double level) const;

  void save(ByteWriter& out) const;
  static Result<AttributionReference> load(ByteReader& in);

 private:
  struct Spread {
    double sum = 0, squares = 0, noise = 0;  // of the windows' shares, and of their noise
  };
  double half_width(const Attributions& window, std::string_view feature, double level) const;
  Attributions all_;
  std::map<std::string, Spread, std::less<>> spreads_;
  std::int64_t windows_ = 0;
  bool given_ = false;
};

/// NDCG of items that stand in the order of `scores`, with those gains; of ties the mean over their orders. NaN where
/// no gain is above 0.
double ndcg(std::span<const double> gains, std::span<const double> scores);

}  // namespace vigie::engine
