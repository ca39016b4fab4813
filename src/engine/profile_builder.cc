// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <unordered_map>

#include "base/hash.h"
#include "base/parallel.h"
#include "base/text.h"
#include "engine/profile.h"
#include "engine/roles_internal.h"
#include "engine/summaries_internal.h"
#include "engine/tally.h"
#include "sketch/frequent.h"

namespace vigie::engine {
namespace {

constexpr std::size_t kDistinct = 1 << 16;  // categories counted exactly in the first pass
constexpr std::size_t kTextDistinct = 50;   // a string column with at least so many values, …
constexpr double kTextShare = 0.5;          // … more than this share of its rows, is free text
constexpr double kTextLength = 100;         // or one whose values are longer than this on average
constexpr std::int64_t kLongest = 65'535;

// Learns one column of the reference.
class ColumnBuilder {
 public:
  ColumnBuilder(std::string name, table::Type source, std::optional<ColumnType> as, bool sketches)
      : sketches_(sketches) {
    profile_.name = std::move(name);
    profile_.source = source;
    as_ = as;
    switch (source) {
      case table::Type::kBoolean:
        profile_.type = ColumnType::kBoolean;
        break;
      case table::Type::kTimestamp:
        profile_.type = ColumnType::kTimestamp;
        break;
      case table::Type::kString:
        profile_.type = ColumnType::kCategorical;
        break;  // or text: finish() knows
      case table::Type::kList:
        profile_.type = ColumnType::kEmbedding;
        break;
      default:
        profile_.type = ColumnType::kNumeric;
    }
    if (sketches_)
      profile_.quantiles.emplace(), profile_.tails.emplace(), profile_.cardinality.emplace();
    else if (source == table::Type::kString)
      profile_.cardinality.emplace();
  }

  void add(const table::Column& column) {
    profile_.mismatches += column.mismatches;
    if (profile_.categorical()) return add_codes(encode(column, codes_));
    auto values = project(column, profile_.type, buffer_, profile_.infinite);
    auto finite = values;
    std::size_t n = 0;
    for (double v : values) n += v == v;
    if (n < values.size()) {
      finite_.resize(values.size());
      std::size_t at = 0;
      for (double v : values) {
        finite_[at] = v;
        at += v == v;
      }
      finite = {finite_.data(), n};
      missing_ += static_cast<std::int64_t>(values.size() - n);
    }
    bins_.add(finite);
    if (again_ || !sketches_) return;
    profile_.moments.update(finite);
    profile_.quantiles->update(finite);
    profile_.tails->update(finite);
    hashes_.resize(n);
    for (std::size_t i = 0; i < n; ++i) hashes_[i] = hash64(finite[i]);
    profile_.cardinality->update(hashes_);
  }

  /// Whether the profile is complete; false asks for the same data once more.
  bool finish() {
    if (!profile_.categorical()) {
      auto bins = bins_.finish();
      if (!bins) {
        restart();
        bins_.start_again();
        return false;
      }
      profile_.bins = std::move(*bins);
      return true;
    }
    if (again_) {
      // Second pass: `counts_` holds the wanted names only, other_ the rest of the second half.
      set_categories();
      return true;
    }
    if (decide_text()) {
      profile_.type = ColumnType::kText;
      std::vector<Tie> ties;
      for (auto [length, count] : lengths_) {
        ties.push_back({static_cast<double>(length), count});
        if (!sketches_) continue;
        std::vector<double> same(static_cast<std::size_t>(std::min<std::int64_t>(count, 4096)),
                                 static_cast<double>(length));
        for (auto left = count; left > 0; left -= static_cast<std::int64_t>(same.size())) {
          auto part = std::span(same).first(
              static_cast<std::size_t>(std::min<std::int64_t>(left, static_cast<std::int64_t>(same.size()))));
          profile_.moments.update(part);
          profile_.quantiles->update(part);
          profile_.tails->update(part);
        }
      }
      profile_.bins = make_bins(ties);
      return true;
    }
    if (!many_) {
      set_categories();
      return true;
    }
    auto items = many_->items();
    counts_.clear();
    std::size_t bytes = 0;
    for (const auto& item : items) {
      bytes += item.name.size();
      if (counts_.size() == kCategories || bytes > kCategoryBytes) break;
      counts_.emplace(item.name, Halves{});
    }
    restart();
    return false;
  }

  ColumnProfile take() {
    if (profile_.categorical()) {
      profile_.distinct = many_ ? profile_.cardinality->estimate() : static_cast<double>(distinct_);
    } else if (profile_.type == ColumnType::kText) {
      profile_.distinct = profile_.cardinality->estimate();
    } else if (profile_.cardinality) {
      profile_.distinct = profile_.cardinality->estimate();
    }
    if (!sketches_) profile_.cardinality.reset();
    Counts whole;
    if (profile_.categorical()) {
      for (const auto& c : profile_.categories) whole.cells.push_back(c.count);
      whole.cells.push_back(profile_.other);
    } else {
      whole.cells = profile_.bins.counts;
    }
    whole.missing = profile_.halved ? missing_ - missing_first_ : missing_;
    profile_.parts.assign(1, std::vector<Part>(1));
    profile_.parts[0][0].counts = std::move(whole);
    return std::move(profile_);
  }

 private:
  void restart() {
    again_ = true;
    missing_ = missing_first_ = other_ = rows_ = 0;
    profile_.infinite = profile_.mismatches = 0;
  }

  // Rows of a category in the half that chooses and in the half that is counted.
  struct Halves {
    std::int64_t first = 0, second = 0;
    std::int64_t both() const { return first + second; }
    void operator+=(const Halves& other) { first += other.first, second += other.second; }
  };

  void add_codes(Coded coded) {
    // By code and half; missing rows, of code -1, come first.
    uses_.assign(2 * (coded.dictionary.size() + 1), 0);
    std::uint64_t bits = half_bits(rows_ / 64);
    for (auto code : coded.codes) {
      auto bit = static_cast<std::uint64_t>(rows_++) % 64;
      ++uses_[2 * static_cast<std::size_t>(code + 1) + ((bits >> bit) & 1)];
      if (bit == 63) bits = half_bits(rows_ / 64);
    }
    missing_ += uses_[0] + uses_[1];
    missing_first_ += uses_[0];
    for (std::size_t i = 0; i < coded.dictionary.size(); ++i) {
      const Halves use{uses_[2 * i + 2], uses_[2 * i + 3]};
      if (use.both() == 0) continue;
      auto name = coded.dictionary[i];
      auto found = counts_.find(name);
      if (again_) {
        if (found == counts_.end())
          other_ += use.second;
        else
          found->second += use;
        continue;
      }
      if (profile_.cardinality) profile_.cardinality->update(hash64(name));
      auto length = std::min(characters(name), kLongest);
      lengths_[length] += use.both();
      total_length_ += static_cast<double>(length) * static_cast<double>(use.both());
      total_ += use.both();
      if (many_)
        choose_from(name, use);
      else if (found != counts_.end())
        found->second += use;
      else if (counts_.size() < kDistinct)
        counts_.emplace(std::string(name), use);
      else {
        many_.emplace(kDistinct);
        for (const auto& [known, count] : counts_) choose_from(known, count);
        choose_from(name, use);
      }
    }
  }

  void choose_from(std::string_view name, const Halves& use) {
    if (use.first > 0) many_->update(name, use.first);
  }

  bool decide_text() const {
    if (profile_.type == ColumnType::kBoolean) return false;
    if (as_) return *as_ == ColumnType::kText;
    double distinct = many_ ? profile_.cardinality->estimate() : static_cast<double>(counts_.size());
    auto n = static_cast<double>(total_);
    return (distinct >= kTextDistinct && distinct > kTextShare * n) || (n > 0 && total_length_ / n > kTextLength);
  }

  void set_categories() {
    struct Named {
      std::string name;
      Halves count;
    };
    std::vector<Named> all;
    for (auto& [name, count] : counts_) all.push_back({name, count});
    auto by = [&](auto measure) {
      std::sort(all.begin(), all.end(), [&](const Named& a, const Named& b) {
        auto x = measure(a.count), y = measure(b.count);
        return x != y ? x > y : a.name < b.name;
      });
    };
    distinct_ = all.size();
    std::size_t bytes = 0;
    for (const auto& c : all) bytes += c.name.size();
    profile_.halved = many_ || all.size() > kCategories || bytes > kCategoryBytes;
    profile_.other = other_;
    if (profile_.halved) {
      by([](const Halves& c) { return c.first; });
      // A category that the choosing half does not have is known only because the counted half has it: no choice.
      auto fits = [&](const Named& c, std::size_t before) {
        return c.count.first > 0 && before + c.name.size() <= kCategoryBytes;
      };
      std::size_t keep = 0, kept = 0;
      while (keep < all.size() && keep < kCategories && fits(all[keep], kept)) kept += all[keep++].name.size();
      for (auto i = keep; i < all.size(); ++i) profile_.other += all[i].count.second;
      all.resize(keep);
      by([](const Halves& c) { return c.second; });
    } else {
      by([](const Halves& c) { return c.both(); });
    }
    for (const auto& c : all)
      profile_.categories.push_back({c.name, profile_.halved ? c.count.second : c.count.both()});
  }

  ColumnProfile profile_;
  std::optional<ColumnType> as_;
  bool sketches_, again_ = false;
  std::int64_t missing_ = 0, missing_first_ = 0, other_ = 0, total_ = 0, rows_ = 0;
  double total_length_ = 0;
  std::size_t distinct_ = 0;
  BinBuilder bins_;
  std::unordered_map<std::string, Halves, TextHash, std::equal_to<>> counts_;
  std::optional<sketch::FrequentItems> many_;
  std::map<std::int64_t, std::int64_t> lengths_;
  std::vector<double> buffer_, finite_;
  std::vector<std::uint64_t> hashes_;
  std::vector<std::int32_t> codes_;
  std::vector<std::int64_t> uses_;
};

struct Chosen {
  std::vector<std::string> names;
  std::vector<Role> roles;
};

// Which columns are compared, and as what.
Result<Chosen> choose_columns(const table::Schema& schema, const ProfileOptions& options, const std::string& source) {
  const auto& roles = options.roles;
  std::vector<std::string> known;
  for (const auto& f : schema) known.push_back(f.name);
  for (const auto& f : options.schema)
    if (find_column(schema, f.column) == std::string::npos)
      return fail(Code::kUsage, fmt::format("--schema: {} in {}", unknown_name("column", f.column, known), source));
  VIGIE_TRY(check_roles(known, roles, source));
  Chosen chosen;
  for (const auto& f : schema) {
    auto role = compared_as(f.name, roles);
    if (!role) continue;
    chosen.names.push_back(f.name);
    chosen.roles.push_back(*role);
  }
  if (chosen.names.empty()) return fail(Code::kUsage, fmt::format("{}: no column is left to compare", source));
  return chosen;
}

void add_note(std::vector<std::string>& notes, const std::vector<std::string>& more) {
  for (const auto& n : more)
    if (std::find(notes.begin(), notes.end(), n) == notes.end()) notes.push_back(n);
}

// Segments with enough rows by falling count; the rest is pooled.
std::vector<std::string> keep_segments(const SegmentBy& by, const std::vector<std::string>& names,
                                       const std::vector<std::int64_t>& rows) {
  std::vector<std::size_t> order(names.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [&](auto a, auto b) { return rows[a] != rows[b] ? rows[a] > rows[b] : names[a] < names[b]; });
  std::vector<std::string> kept;
  for (auto i : order)
    if (rows[i] >= kSegmentFloor && kept.size() < kSegments) kept.push_back(names[i]);
  if (kept.size() < names.size()) kept.push_back(to_string(by) + "=(other)");
  return kept;
}

}  // namespace

Result<Profile> make_profile(table::Input& input, const ProfileOptions& options) {
  VIGIE_TRY(check_segments(options.segments));
  Profile profile;
  profile.version = options.version;
  profile.source = input.name();
  profile.window = options.window;
  profile.has_time = !options.roles.timestamp.empty();
  profile.timestamp = options.roles.timestamp;
  profile.segmentations.push_back({});
  profile.segments.push_back({});
  for (const auto& by : options.segments) profile.segmentations.push_back(by);

  double passes = 1 + (options.window.kind != WindowSpec::Kind::kNone || !options.segments.empty() ? 1 : 0),
         pass_done = 0;
  auto progress = [&](std::uint64_t consumed) {
    if (!options.progress) return;
    double share = static_cast<double>(consumed) / std::max(1.0, static_cast<double>(input.bytes()));
    options.progress((pass_done + std::min(1.0, share)) / passes);
  };

  Chosen chosen;
  std::vector<ColumnBuilder> builders;
  std::vector<Segmenter> segmenters;
  std::vector<std::vector<std::int64_t>> segment_rows;
  std::optional<table::Schema> types;
  table::Schema schema;
  table::Problems problems;
  for (int attempt = 0;; ++attempt) {
    VIGIE_ASSIGN(auto reader, input.open(types));
    schema = reader->schema();
    VIGIE_ASSIGN(chosen, choose_columns(schema, options, input.name()));
    builders.clear();
    std::vector<std::size_t> where;
    for (const auto& name : chosen.names) {
      auto i = find_column(schema, name);
      where.push_back(i);
      std::optional<ColumnType> as;
      for (const auto& f : options.schema)
        if (f.column == name) as = f.as;
      builders.emplace_back(name, schema[i].type, as, options.sketches);
    }
    segmenters.clear();
    segment_rows.assign(options.segments.size(), {});
    for (const auto& by : options.segments) {
      std::vector<std::size_t> columns;
      for (const auto& name : by) {
        auto i = find_column(schema, name);
        if (i == std::string::npos) {
          std::vector<std::string> known;
          for (const auto& f : schema) known.push_back(f.name);
          return fail(Code::kUsage,
                      fmt::format("--segment: {} in {}", unknown_name("column", name, known), input.name()));
        }
        columns.push_back(i);
      }
      segmenters.emplace_back(by, std::move(columns), nullptr);
    }
    if (!options.roles.timestamp.empty()) {
      VIGIE_TRY(check_time(schema[find_column(schema, options.roles.timestamp)], input.name()));
    }
    profile.rows = 0;
    std::vector<Status> failures(builders.size());
    std::vector<std::int32_t> segments;
    while (true) {
      VIGIE_ASSIGN(auto batch, reader->next());
      if (!batch) break;
      for (std::size_t k = 0; k < segmenters.size(); ++k) {
        VIGIE_TRY(segmenters[k].assign(*batch, segments));
        segment_rows[k].resize(segmenters[k].names().size());
        for (auto s : segments) ++segment_rows[k][static_cast<std::size_t>(s)];
      }
      parallel_for(builders.size(), options.threads, [&](std::size_t i) {
        auto column = batch->column(where[i]);
        if (!column)
          failures[i] = std::move(column.error());
        else
          builders[i].add(*column), batch->release(where[i]);
      });
      for (auto& f : failures) VIGIE_TRY(std::move(f));
      profile.rows += batch->rows();
      progress(reader->consumed());
    }
    problems = reader->problems();
    add_note(profile.notes, problems.notes);
    if (reader->settled()) {
      schema = reader->schema();
      break;
    }
    if (attempt == 8) return fail(Code::kInternal, fmt::format("{}: column types do not settle", input.name()));
    types = reader->schema();
  }
  profile.rejected = problems.rejected;
  profile.problems = problems.messages;
  if (profile.rows == 0) return no_rows(input.name(), problems);

  std::vector<std::size_t> unfinished;
  for (std::size_t i = 0; i < builders.size(); ++i)
    if (!builders[i].finish()) unfinished.push_back(i);
  if (!unfinished.empty()) {
    ++passes, ++pass_done;
    table::Schema wanted;
    for (auto i : unfinished) wanted.push_back(schema[find_column(schema, chosen.names[i])]);
    VIGIE_ASSIGN(auto reader, input.open(wanted));
    std::vector<Status> failures(unfinished.size());
    while (true) {
      VIGIE_ASSIGN(auto batch, reader->next());
      if (!batch) break;
      parallel_for(unfinished.size(), options.threads, [&](std::size_t u) {
        auto at = find_column(reader->schema(), chosen.names[unfinished[u]]);
        auto column = batch->column(at);
        if (!column)
          failures[u] = std::move(column.error());
        else
          builders[unfinished[u]].add(*column), batch->release(at);
      });
      for (auto& f : failures) VIGIE_TRY(std::move(f));
      progress(reader->consumed());
    }
    for (auto i : unfinished)
      if (!builders[i].finish())
        return fail(Code::kInternal,
                    fmt::format("{}: column \"{}\" needs a third pass", input.name(), chosen.names[i]));
  }
  for (std::size_t i = 0; i < builders.size(); ++i) {
    profile.columns.push_back(builders[i].take());
    profile.columns.back().role = chosen.roles[i];
  }
  for (const auto& f : schema)
    if (std::find(chosen.names.begin(), chosen.names.end(), f.name) == chosen.names.end()) profile.others.push_back(f);
  for (std::size_t k = 0; k < segmenters.size(); ++k)
    profile.segments.push_back(keep_segments(options.segments[k], segmenters[k].names(), segment_rows[k]));

  if (options.window.kind == WindowSpec::Kind::kNone && options.segments.empty()) return profile;
  ++pass_done;
  TallyOptions tally_options{.window = options.window,
                             .timestamp = options.roles.timestamp,
                             .segmentations = {},
                             .threads = options.threads,
                             .progress = {},
                             .reference = true};
  for (std::size_t k = 1; k < profile.segmentations.size(); ++k) tally_options.segmentations.push_back(k);
  if (options.progress)
    tally_options.progress = [&](double share) { options.progress((pass_done + std::min(1.0, share)) / passes); };
  VIGIE_ASSIGN(auto counted, tally(input, profile, tally_options));
  keep_windows(profile, counted);
  return profile;
}

}  // namespace vigie::engine
