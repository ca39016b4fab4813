// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/scorer_internal.h"
#include "table/table.h"

namespace vigie::engine {

/// Classes beyond this number are taken for a mistake.
inline constexpr std::size_t kMostClasses = 1000;

/// A column whose values are names of classes, as text or, where it has numbers or truths only, as such: 1 and 1.0 are
/// one class, "1".
struct ClassColumn {
  std::string name;
  table::Type type = table::Type::kString;
  std::vector<std::string> values;  ///< met, in the order of numbers where all are numbers, else of bytes
};

/// Reads columns of classes until each has `enough` values or the data end.
Result<std::vector<ClassColumn>> find_classes(table::Input& data, const std::vector<std::string>& columns,
                                              std::size_t enough, bool text);

/// What data and reference say of the classes together; empty where the task or the reference has none.
struct CommonClasses {
  std::vector<std::string> names;       ///< of both, where the task has to know all and the data may lack some
  std::optional<std::string> positive;  ///< of two: the reference's, where none was asked for
  std::string note;                     ///< how the classes of the data are other than the reference's
};
/// Names that class_key() takes for one are one class, written as the data write it. Code::kUsage where the two have
/// nothing in common that could be compared.
Result<CommonClasses> common_classes(table::Input& data, const ScoreAgainst& reference, const ScoreOptions& options);

/// In the order of numbers where all are numbers, else of bytes; without repeats.
void sort_classes(std::vector<std::string>& names);

/// The word for yes that answers a word for no ("0" "1", "no" "yes", …) and the other way round; else empty.
std::string_view opposite(std::string_view word);
/// 1, true, yes in any case.
bool says_yes(std::string_view word);

/// Adds those of `more` that are not among `names` by whatever name, in sort_classes()' order.
void add_classes(std::vector<std::string>& names, const std::vector<std::string>& more);

/// Which of two classes is meant where nobody said: 1, true, yes, or the later of the two. Moves it to the end.
void positive_last(std::vector<std::string>& names);

/// Numbers of classes by name. Another name with the same class_key() will do, where only one class has that key.
class ClassIndex {
 public:
  static constexpr std::uint32_t kMissing = ~std::uint32_t{0}, kUnknown = kMissing - 1;
  explicit ClassIndex(std::vector<std::string> names = {});
  const std::vector<std::string>& names() const { return names_; }
  std::uint32_t find(std::string_view name) const;
  /// The class of each row of a column; the first name that is none is left in `unknown`.
  void codes(const table::Column& column, std::vector<std::uint32_t>& out, std::string& unknown) const;

 private:
  std::vector<std::string> names_;
  std::map<std::string, std::uint32_t, std::less<>> index_, by_key_;
};

}  // namespace vigie::engine
