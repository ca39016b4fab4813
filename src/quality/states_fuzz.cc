// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>
#include <string>

#include "quality/data_test_internal.h"
#include "quality/rules.h"

namespace {

std::string bytes_of(const auto& state) {
  vigie::ByteWriter out;
  state.save(out);
  return out.take();
}

const std::string& real_state() {
  static const std::string bytes = [] {
    vigie::Rng rng(1);
    return bytes_of(vigie::quality::test::state_of(vigie::quality::test::healthy(rng, 40)));
  }();
  return bytes;
}

const std::vector<vigie::quality::ColumnSpec>& rule_columns() {
  using namespace vigie::quality;
  static const std::vector<ColumnSpec> columns{
      {"x", Kind::kNumber, Role::kFeature}, {"y", Kind::kNumber, Role::kFeature}, {"s", Kind::kString, Role::kFeature}};
  return columns;
}

// Two rows, of which one breaks what there is to break.
void add_rows(vigie::quality::RuleStates& rules) {
  std::vector<vigie::quality::Values> values(3);
  const double x[] = {1, 1}, y[] = {2, 0};
  const std::int32_t codes[] = {0, -1};
  const std::string_view dictionary[] = {"c d"};
  values[0].numbers = x, values[1].numbers = y, values[2].codes = codes, values[2].dictionary = dictionary;
  rules.update(rules.next_row(), 2, values);
}

const std::string& real_rules() {
  static const std::string bytes = [] {
    using Rule = vigie::Expectation;
    auto rules = vigie::quality::RuleStates::make({{.kind = Rule::Kind::kNotNull, .column = "s"},
                                                   {.kind = Rule::Kind::kRange, .column = "x", .low = 3, .high = 4},
                                                   {.kind = Rule::Kind::kSet, .column = "s", .texts = {"a", "b"}},
                                                   {.kind = Rule::Kind::kRegex, .column = "s", .texts = {"[ab]*"}},
                                                   {.kind = Rule::Kind::kUnique, .column = "x"},
                                                   {.kind = Rule::Kind::kMonotone, .column = "y"},
                                                   {.kind = Rule::Kind::kRelation, .column = "x", .other = "y"}},
                                                  rule_columns(), "");
    add_rows(*rules);
    return bytes_of(*rules);
  }();
  return bytes;
}

void changed(std::string& bytes, const std::uint8_t* data, std::size_t size) {
  for (std::size_t i = 1; i + 2 < size; i += 3)
    bytes[(data[i] * 256U + data[i + 1]) % bytes.size()] = static_cast<char>(data[i + 2]);
}

void read_rules(const std::string& bytes) {
  using namespace vigie;
  using namespace vigie::quality;
  ByteReader in(bytes);
  auto rules = RuleStates::load(in, rule_columns());
  if (!rules) {
    if (rules.error().code != Code::kCorrupt) std::abort();
    return;
  }
  const std::string once = bytes_of(*rules);
  ByteReader again(once);
  auto second = RuleStates::load(again, rule_columns());
  if (!second || bytes_of(*second) != once) std::abort();
  add_rows(*rules);
  rules->join(*second);
  if (rules->findings().empty() != second->empty()) std::abort();
}

}  // namespace

// A first byte whose second bit is set: it is of rules, else of a table. One that is odd: the rest are changes to a
// real state, two bytes where and one what. Else the rest is the state. What loads must save to bytes that load and
// save the same, and every check must stand it, on either side.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vigie;
  using namespace vigie::quality;
  if (size == 0) return 0;
  std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const bool rules = data[0] & 2;
  if (data[0] & 1) bytes = rules ? real_rules() : real_state(), changed(bytes, data, size);
  if (rules) return read_rules(bytes), 0;
  ByteReader in(bytes);
  auto state = TableState::load(in);
  if (!state) {
    if (state.error().code != Code::kCorrupt) std::abort();
    return 0;
  }
  const std::string once = bytes_of(*state);
  ByteReader again(once);
  auto second = TableState::load(again);
  if (!second || bytes_of(*second) != once) std::abort();
  RunOptions options;
  options.params["isolation_forest"]["trees"] = 2;
  if (!run_checks({*state, &*second, {}, Extent::kWhole, 1.7e15}, options) || !run_checks({*state}, options))
    std::abort();
  if (!state->merge(*second)) std::abort();
  if (!run_checks({*second, &*state}, options)) std::abort();
  return 0;
}
