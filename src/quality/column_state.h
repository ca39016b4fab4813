// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "quality/repeats.h"
#include "quality/times.h"
#include "sketch/frequent.h"

namespace vigie::quality {

/// What the values of a column are.
enum class Kind : std::uint8_t {
  kNumber,   ///< also booleans, as 0 and 1
  kString,   ///< categories and text
  kTime,     ///< microseconds since 1970
  kOther,    ///< lists and the like: only what is missing is looked at
  kUnknown,  ///< no value was seen that tells
};
std::string_view to_string(Kind kind);  ///< "number", "string", "time", "other", "unknown"

enum class Role : std::uint8_t { kFeature, kLabel, kId, kTime, kOther };

struct ColumnSpec {
  std::string name;
  Kind kind = Kind::kNumber;
  Role role = Role::kFeature;
};

/// One column of one batch. Numbers and times: `numbers`, one a row, NaN where missing. Strings: `codes`, one a row, an
/// index into `dictionary` or −1 where missing; entries are distinct, and not every one need be used. Other:
/// `missing`, one a row, not 0 where missing; empty when none is.
struct Values {
  std::span<const double> numbers{};
  std::span<const std::int32_t> codes{};
  std::span<const std::string_view> dictionary{};
  std::span<const std::uint8_t> missing{};
  std::int64_t mismatches = 0;  ///< cells that could not be read as the column's type; they are missing too
};

/// How much a state keeps of its rows.
enum class Depth : std::uint8_t {
  kCounts,   ///< counts, ends, categories and times: neither a sample nor anything of rows as wholes
  kSampled,  ///< and the sample
  kMany,     ///< and numbers that are few, and rows that repeat: all that is worth its cost of many rows
  kAll,      ///< everything
};

/// What the reference says of a column while rows are counted: where its values ended, where its outliers begin (median
/// ± kOutlierSd · 1.4826 · MAD), and which numbers it had, when few. NaN: not known.
struct Fences {
  static constexpr double kOutlierSd = 6;
  double low = std::numeric_limits<double>::quiet_NaN(), high = low;
  double outlier_low = low, outlier_high = low;
  std::vector<double> domain;
};

/// What a saved column may cost.
struct Budget {
  std::size_t sample_rows = 4096;  ///< 8 bytes each
  std::size_t distinct = 2048;     ///< hashes of different values, 8 bytes each; beyond it their number is estimated
  std::size_t category_bytes = std::size_t{1} << 20;  ///< of all names; columns with more save none
  std::size_t repeats = 4096;  ///< of the table: hashes of rows, and of ids, by which those of two tables are told
};

/// A number or a text, and how many rows hold it.
using NumberCount = std::pair<double, std::int64_t>;

/// The mergeable state of one column. Whatever the order of batches and merges, the same rows give the same state.
/// Cost: 5–8 ns a number, 2–3 ns a string of few different ones, about 100 ns a string that is new; 2 ns either with
/// Depth::kMany, 1 ns below.
class ColumnState {
 public:
  static constexpr std::size_t kDistinct = 2048;      ///< different values counted without error
  static constexpr std::size_t kNumbers = 128;        ///< different numbers counted one by one
  static constexpr std::uint32_t kCategories = 1024;  ///< different strings counted one by one
  static constexpr std::size_t kCategoryBytes = 256;  ///< a longer string counts for the distinct ones only
  static constexpr std::uint64_t kMissingHash = 0x2545f4914f6cdd1dU;

  /// `fences`: of the reference's column of this name; default where there is none.
  explicit ColumnState(ColumnSpec spec, Fences fences = {}, Depth depth = Depth::kAll);

  /// Adds rows. `weights`: a well mixed number for each row of the table, the same for all its columns. `hashes`: where
  /// not empty, one a row, to each of which this column's value adds its part; the sums are hashes only once they are
  /// mixed. `picks`: rows of this batch that enter the sample.
  void update(std::int64_t first, const Values& values, std::span<const std::uint64_t> weights,
              std::span<std::uint64_t> hashes, std::span<const std::uint32_t> picks);
  /// As if this had seen the other's rows too; of one spec, depth and the same fences. The samples are joined end to
  /// end.
  void merge(const ColumnState& other);
  /// Numbers the rows anew, from `rows` more on.
  void shift(std::int64_t rows) { times_.shift(rows); }
  /// Goes on at a lower depth, as if it had been the depth from the first row on.
  void lower(Depth depth);

  const ColumnSpec& spec() const { return spec_; }
  const Fences& fences() const { return fences_; }
  std::int64_t rows() const { return rows_; }
  std::int64_t missing() const { return missing_; }  ///< NaN, null, unreadable
  std::int64_t present() const { return rows_ - missing_; }
  std::int64_t mismatches() const { return mismatches_; }
  std::int64_t infinite() const { return infinite_; }  ///< they are present, and in nothing else below
  std::int64_t finite() const { return rows_ - missing_ - infinite_; }
  std::int64_t empty() const { return empty_; }  ///< strings of no sign or of blanks only
  double low() const { return finite() ? low_ : std::numeric_limits<double>::quiet_NaN(); }
  double high() const { return finite() ? high_ : std::numeric_limits<double>::quiet_NaN(); }
  std::int64_t below() const { return below_; }        ///< numbers below the reference's smallest
  std::int64_t above() const { return above_; }        ///< numbers above its largest
  std::int64_t outliers() const { return outliers_; }  ///< numbers beyond its outlier fences
  /// Different values; NaN for numbers where they were not counted: below Depth::kMany, and there where they are many.
  double distinct() const;
  /// Whether the numbers are whole, without a gap or a repeat, as ids and row numbers are, as far as is known.
  bool counts_up() const;
  /// Whether more than one value was seen, infinite ones too.
  bool varies() const;
  bool distinct_exact() const { return distinct_.exact(); }
  /// Different numbers by value and their rows; nothing when there are more than kNumbers. With a domain: those of the
  /// domain always, and the others up to kNumbers of them.
  std::optional<std::vector<NumberCount>> numbers() const;
  std::int64_t beyond_numbers() const { return beyond_; }  ///< with a domain: rows of numbers that are not in numbers()
  /// Different strings by falling count; nothing when there are more than kCategories, or longer ones.
  std::optional<std::vector<sketch::FrequentItems::Item>> categories() const;
  const Times& times() const { return times_; }
  /// Equal for columns of one kind that hold the same value in every row, below Depth::kAll in every sampled row, and
  /// for no others.
  std::uint64_t content() const;
  /// One word a sampled row: the bits of a number, the hash of a string; missing: kMissingHash.
  std::vector<std::uint64_t>& sample() { return sample_; }
  const std::vector<std::uint64_t>& sample() const { return sample_; }

  std::size_t size_bytes() const;  ///< of memory, about

  /// `budget`: what of it is worth its bytes; what is left out was never counted as far as the loaded state knows.
  void save(ByteWriter& out, const Budget& budget = {}) const;
  /// Code::kCorrupt for bytes that no save() wrote.
  static Result<ColumnState> load(ByteReader& in);

 private:
  struct Slot {
    std::uint64_t hash = 0;  // 0 free
    double value = 0;
    std::int64_t count = 0;
    bool known = false;  // of the domain
  };
  void update_numbers(std::span<const double> values, std::span<const std::uint64_t> weights,
                      std::span<std::uint64_t> hashes);
  void update_strings(const Values& values, std::span<const std::uint64_t> weights, std::span<std::uint64_t> hashes,
                      std::vector<std::uint64_t>& entry_hashes);
  void count_numbers(std::span<const double> values, std::span<const std::uint64_t> hashes);
  void count_number(double value, std::uint64_t hash, std::int64_t count, bool known);

  ColumnSpec spec_;
  Fences fences_;
  Depth depth_;
  std::uint64_t multiplier_;  // odd, by name: the column's place in the hash of a row
  std::int64_t rows_ = 0, missing_ = 0, mismatches_ = 0, infinite_ = 0, empty_ = 0;
  std::int64_t below_ = 0, above_ = 0, outliers_ = 0, beyond_ = 0;
  double low_ = std::numeric_limits<double>::infinity(), high_ = -std::numeric_limits<double>::infinity();
  Distinct distinct_{kDistinct};
  std::vector<Slot> slots_;  // of numbers; empty once there are too many
  std::size_t used_ = 0;     // slots that are not of the domain
  sketch::FrequentItems categories_{kCategories};
  bool counted_ = true;  // categories_ holds every string
  Times times_;
  std::uint64_t content_ = 0;
  std::vector<std::uint64_t> sample_;
};

}  // namespace vigie::quality
