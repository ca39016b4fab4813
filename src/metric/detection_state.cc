// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <iterator>
#include <tuple>

#include "base/rng.h"
#include "metric/counts_internal.h"
#include "metric/detection.h"

namespace vigie::metric {
namespace {

constexpr std::size_t kMostDetections = 100, kRecalls = 101, kAtIou = DetectionState::kThresholds;

double threshold(std::size_t t) {
  return t + 1 == DetectionState::kThresholds ? .95 : .5 + static_cast<double>(t) * ((.95 - .5) / 9);
}

bool usable(const Box& box) {
  return std::isfinite(box.x) && std::isfinite(box.y) && std::isfinite(box.width) && std::isfinite(box.height) &&
         box.width >= 0 && box.height >= 0;
}

/// The object that each detection gets, in the order of scores: the free one that it overlaps most, at least `least`;
/// crowds only where no other will do. −1 for none.
std::vector<int> match(std::span<const Object> objects, std::span<const std::vector<double>> overlaps, double least) {
  std::vector<int> out(overlaps.size(), -1);
  std::vector<bool> taken(objects.size());
  for (std::size_t d = 0; d < overlaps.size(); ++d) {
    double best = std::min(least, 1 - 1e-10);
    int& mine = out[d];
    for (std::size_t g = 0; g < objects.size(); ++g) {
      if (taken[g] && !objects[g].crowd) continue;
      if (mine >= 0 && !objects[static_cast<std::size_t>(mine)].crowd && objects[g].crowd) break;
      if (overlaps[d][g] < best) continue;
      best = overlaps[d][g];
      mine = static_cast<int>(g);
    }
    if (mine >= 0) taken[static_cast<std::size_t>(mine)] = true;
  }
  return out;
}

/// A detection in the order of scores, as average precision needs it.
struct Step {
  std::size_t image;
  std::uint16_t right, ignored;
};

struct Category {
  std::vector<Step> steps;
  std::vector<std::pair<std::size_t, double>> objects;  // image, count
};

/// A Step that counts, and how many times.
struct Weighted {
  double weight;
  std::uint16_t right, ignored;
};

/// Precision at 101 recalls, each the highest at that recall or above, averaged.
double average_precision(std::span<const Weighted> steps, double objects, std::size_t t,
                         std::vector<std::pair<double, double>>& curve) {
  double right = 0, wrong = 0;
  curve.clear();
  for (const auto& [weight, rights, ignored] : steps) {
    if (ignored >> t & 1) continue;
    if (rights >> t & 1) {
      right += weight;
      // What is wrong only lowers the precision at the same recall.
      curve.emplace_back(right / objects, right / (right + wrong));
    } else {
      wrong += weight;
    }
  }
  double sum = 0, highest = 0;
  std::size_t recall = kRecalls;
  for (std::size_t i = curve.size(); i-- > 0;) {
    highest = std::max(highest, curve[i].second);
    // Recalls above those of the points before this one are first reached here.
    const double before = i ? curve[i - 1].first : -1;
    while (recall > 0) {
      const double level = recall == kRecalls ? 1 : static_cast<double>(recall - 1) * .01;
      if (level > curve[i].first) {
        --recall;
      } else if (level > before) {
        sum += highest;
        --recall;
      } else {
        break;
      }
    }
  }
  return sum / kRecalls;
}

struct Map {
  double at_50 = kNaN, all = kNaN;
};

/// Images count `weights` times.
Map mean_average_precision(std::span<const Category> categories, std::span<const double> weights) {
  double at_50 = 0, all = 0, counted = 0;
  std::vector<std::pair<double, double>> curve;
  std::vector<Weighted> steps;
  for (const Category& category : categories) {
    double objects = 0;
    for (const auto& [image, count] : category.objects) objects += weights[image] * count;
    if (objects == 0) continue;
    ++counted;
    steps.clear();
    for (const Step& step : category.steps)
      if (weights[step.image] > 0) steps.push_back({weights[step.image], step.right, step.ignored});
    for (std::size_t t = 0; t < DetectionState::kThresholds; ++t) {
      const double precision = average_precision(steps, objects, t, curve);
      all += precision / DetectionState::kThresholds;
      if (t == 0) at_50 += precision;
    }
  }
  return counted > 0 ? Map{at_50 / counted, all / counted} : Map{};
}

}  // namespace

double intersection_over_union(const Box& a, const Box& b, bool crowd) {
  const double width = std::min(a.x + a.width, b.x + b.width) - std::max(a.x, b.x);
  const double height = std::min(a.y + a.height, b.y + b.height) - std::max(a.y, b.y);
  if (width <= 0 || height <= 0) return 0;
  const double shared = width * height, area = a.width * a.height;
  return shared / (crowd ? area : area + b.width * b.height - shared);
}

void DetectionState::update(std::uint64_t image, std::span<const Object> objects,
                            std::span<const Detection> detections) {
  std::vector<Object> here;
  std::vector<Detection> found;
  std::copy_if(objects.begin(), objects.end(), std::back_inserter(here), [](const Object& o) { return usable(o.box); });
  std::copy_if(detections.begin(), detections.end(), std::back_inserter(found),
               [](const Detection& d) { return usable(d.box); });
  left_out_ += static_cast<std::int64_t>(objects.size() + detections.size() - here.size() - found.size());
  update(image, here, found, [&](std::size_t d, std::size_t o) {
    return intersection_over_union(found[d].box, here[o].box, here[o].crowd);
  });
}

void DetectionState::update(std::uint64_t image, std::span<const Object> objects, std::span<const Detection> detections,
                            const Overlap& overlap) {
  images_.push_back(image);
  struct Places {
    std::vector<std::size_t> objects, detections;
  };
  std::map<std::uint32_t, Places> categories;
  for (std::size_t o = 0; o < objects.size(); ++o) categories[objects[o].category].objects.push_back(o);
  for (std::size_t d = 0; d < detections.size(); ++d)
    std::isfinite(detections[d].score) ? categories[detections[d].category].detections.push_back(d) : void(++left_out_);
  for (auto& [category, both] : categories) {
    auto& [here, found] = both;
    std::stable_partition(here.begin(), here.end(), [&](std::size_t o) { return !objects[o].crowd; });
    std::vector<Object> ordered;
    for (const auto o : here) ordered.push_back(objects[o]);
    const auto count = std::count_if(ordered.begin(), ordered.end(), [](const Object& o) { return !o.crowd; });
    if (count) objects_.push_back({image, category, static_cast<std::uint32_t>(count)});
    std::stable_sort(found.begin(), found.end(),
                     [&](std::size_t a, std::size_t b) { return detections[a].score > detections[b].score; });
    if (found.size() > kMostDetections) found.resize(kMostDetections);
    std::vector<std::vector<double>> overlaps;
    std::vector<Found> rows;
    for (std::uint32_t d = 0; d < found.size(); ++d) {
      overlaps.emplace_back();
      for (const auto o : here) overlaps.back().push_back(overlap(found[d], o));
      rows.push_back({image, detections[found[d]].score, 0, category, d, 0, 0});
    }
    for (std::size_t t = 0; t <= kThresholds; ++t) {
      const std::vector<int> objects_of = match(ordered, overlaps, t == kAtIou ? options_.iou : threshold(t));
      for (std::size_t d = 0; d < rows.size(); ++d) {
        if (objects_of[d] < 0) continue;
        const auto g = static_cast<std::size_t>(objects_of[d]);
        auto& bits = ordered[g].crowd ? rows[d].ignored : rows[d].right;
        bits = static_cast<std::uint16_t>(bits | 1U << t);
        if (t == kAtIou) rows[d].iou = overlaps[d][g];
      }
    }
    found_.insert(found_.end(), rows.begin(), rows.end());
  }
}

Status DetectionState::merge(const DetectionState& other) {
  if (options_.iou != other.options_.iou || options_.min_score != other.options_.min_score) {
    return fail(Code::kInput, "states of different options");
  }
  if (&other == this) return merge(DetectionState(other));
  left_out_ += other.left_out_;
  images_.insert(images_.end(), other.images_.begin(), other.images_.end());
  found_.insert(found_.end(), other.found_.begin(), other.found_.end());
  objects_.insert(objects_.end(), other.objects_.begin(), other.objects_.end());
  return {};
}

void DetectionState::sort() {
  std::sort(images_.begin(), images_.end());
  std::sort(found_.begin(), found_.end(), [](const Found& a, const Found& b) {
    return std::tuple(a.category, -a.score, a.image, a.rank) < std::tuple(b.category, -b.score, b.image, b.rank);
  });
  std::sort(objects_.begin(), objects_.end(), [](const Objects& a, const Objects& b) {
    return std::tuple(a.category, a.image) < std::tuple(b.category, b.image);
  });
}

void DetectionState::save(ByteWriter& out) {
  sort();
  out.fixed(options_.iou);
  out.fixed(options_.min_score);
  out.varint(static_cast<std::uint64_t>(left_out_));
  out.array(std::span<const std::uint64_t>(images_));
  out.varint(found_.size());
  for (const Found& f : found_) {
    out.fixed(f.image), out.fixed(f.score), out.fixed(f.iou), out.fixed(f.category);
    out.fixed(f.rank), out.fixed(f.right), out.fixed(f.ignored);
  }
  out.varint(objects_.size());
  for (const Objects& o : objects_) out.fixed(o.image), out.fixed(o.category), out.fixed(o.count);
}

Result<DetectionState> DetectionState::load(ByteReader& in) {
  DetectionState state;
  state.options_.iou = in.fixed<double>();
  state.options_.min_score = in.fixed<double>();
  state.left_out_ = CountReader(in)();
  in.array(state.images_);
  state.found_.resize(in.count(36));
  bool good = std::is_sorted(state.images_.begin(), state.images_.end());
  const auto known = [&](std::uint64_t image) {
    return std::binary_search(state.images_.begin(), state.images_.end(), image);
  };
  for (Found& f : state.found_) {
    f.image = in.fixed<std::uint64_t>(), f.score = in.fixed<double>(), f.iou = in.fixed<double>();
    f.category = in.fixed<std::uint32_t>(), f.rank = in.fixed<std::uint32_t>();
    f.right = in.fixed<std::uint16_t>(), f.ignored = in.fixed<std::uint16_t>();
    good = good && std::isfinite(f.score) && f.iou >= 0 && f.iou <= 1 && known(f.image);
  }
  state.objects_.resize(in.count(16));
  for (Objects& o : state.objects_) {
    o.image = in.fixed<std::uint64_t>(), o.category = in.fixed<std::uint32_t>(), o.count = in.fixed<std::uint32_t>();
    good = good && known(o.image);
  }
  if (!good || !in.ok()) return fail(Code::kCorrupt, "a detection state is damaged");
  return state;
}

DetectionSummary DetectionState::summarize(std::uint64_t seed, int replicates) {
  sort();
  DetectionSummary out;
  out.images = images();
  const auto place = [&](std::uint64_t image) {
    return static_cast<std::size_t>(std::lower_bound(images_.begin(), images_.end(), image) - images_.begin());
  };
  struct Totals {
    double right = 0, counted = 0, objects = 0, iou = 0;
  };
  std::vector<Totals> totals(images_.size());
  std::map<std::uint32_t, Category> by_category;
  for (const Found& f : found_) {
    const std::size_t image = place(f.image);
    by_category[f.category].steps.push_back({image, f.right, f.ignored});
    if (f.score < options_.min_score || f.ignored >> kAtIou & 1) continue;
    const bool right = f.right >> kAtIou & 1;
    totals[image].right += right;
    ++totals[image].counted;
    totals[image].iou += right ? f.iou : 0;
  }
  for (const Objects& o : objects_) {
    const std::size_t image = place(o.image);
    by_category[o.category].objects.emplace_back(image, o.count);
    totals[image].objects += o.count;
    out.objects += o.count;
  }
  for (const Totals& t : totals) {
    out.precision.add({t.right, t.counted});
    out.recall.add({t.right, t.objects});
    out.iou.add({t.iou, t.right});
  }

  std::vector<Category> categories;
  for (auto& [category, steps] : by_category) categories.push_back(std::move(steps));
  std::vector<double> weights(images_.size(), 1);
  const Map whole = mean_average_precision(categories, weights);
  out.map_50 = whole.at_50;
  out.map = whole.all;
  if (out.objects == 0 || out.images < 2) return out;
  Rng rng(seed);
  double n = 0, sum_50 = 0, squares_50 = 0, sum = 0, squares = 0;
  for (int r = 0; r < replicates; ++r) {
    std::fill(weights.begin(), weights.end(), 0);
    for (std::size_t i = 0; i < images_.size(); ++i) ++weights[rng.below(images_.size())];
    const Map one = mean_average_precision(categories, weights);
    if (std::isnan(one.all)) continue;  // a sample without objects
    const double moved_50 = one.at_50 - whole.at_50, moved = one.all - whole.all;
    ++n;
    sum_50 += moved_50, squares_50 += moved_50 * moved_50;
    sum += moved, squares += moved * moved;
  }
  if (n > 1) {
    out.map_50_variance = (squares_50 - sum_50 * sum_50 / n) / (n - 1);
    out.map_variance = (squares - sum * sum / n) / (n - 1);
  }
  return out;
}

}  // namespace vigie::metric
