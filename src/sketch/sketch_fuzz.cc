// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "sketch/frequent.h"
#include "sketch/histogram.h"
#include "sketch/hyperloglog.h"
#include "sketch/kll.h"
#include "sketch/moments.h"
#include "sketch/relative.h"

namespace {

using namespace vigie;
using namespace vigie::sketch;

void demand(bool promise) {
  if (!promise) std::abort();
}

// What loads must save to bytes that load to the same bytes, and must stand use. `use` is free to change it.
template <class T, class Use>
void check(std::string_view bytes, Use use) {
  ByteReader in(bytes);
  auto first = T::load(in);
  if (!first) {
    demand(!in.ok() && first.error().code == Code::kCorrupt);
    return;
  }
  ByteWriter once, twice;
  first->save(once);
  ByteReader again(once.bytes());
  auto second = T::load(again);
  demand(second.has_value() && again.remaining() == 0);
  second->save(twice);
  demand(once.bytes() == twice.bytes());
  use(*first);
  if constexpr (std::is_void_v<decltype(first->merge(*second))>)
    first->merge(*second);
  else
    demand(first->merge(*second).has_value());
  use(*first);
}

// The rest of the input, as cuts and as values.
void check_cuts(std::string_view bytes) {
  ByteReader in(bytes);
  std::vector<double> cuts, values;
  in.array(cuts);
  std::erase_if(cuts, [](double cut) { return cut != cut; });
  std::sort(cuts.begin(), cuts.end());
  if (cuts.size() > CutIndex::kMostCuts) cuts.resize(CutIndex::kMostCuts);
  values = cuts;
  while (in.ok() && in.remaining() >= sizeof(double)) values.push_back(in.fixed<double>());
  const CutIndex index(cuts);
  std::vector<std::int64_t> counts(index.cells()), wanted = counts;
  for (double value : values)
    if (value == value)
      ++wanted[static_cast<std::size_t>(std::upper_bound(cuts.begin(), cuts.end(), value) - cuts.begin())];
  index.count(values, counts);
  demand(counts == wanted);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (!size) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  constexpr double kValues[] = {0, 1, -1e308, 1e308, 5e-324, 3.5, 3.5, -7};
  switch (data[0] % 6) {
    case 0:
      check<Moments>(bytes, [&](Moments& sketch) { sketch.update(kValues); });
      break;
    case 1:
      check<Kll>(bytes, [&](Kll& sketch) {
        for (int i = 0; i < 40; ++i) sketch.update(kValues);
        demand(sketch.rank(std::numeric_limits<double>::infinity()) == sketch.count());
        std::int64_t sum = 0;
        for (const auto& item : sketch.items()) sum += item.weight;
        demand(sum == sketch.count());
        sketch.quantile(0.5);
      });
      break;
    case 2:
      check<RelativeQuantiles>(bytes, [&](RelativeQuantiles& sketch) {
        sketch.update(kValues);
        demand(sketch.quantile(0.1) <= sketch.quantile(0.9));
      });
      break;
    case 3:
      check<HyperLogLog>(bytes, [](HyperLogLog& sketch) {
        for (std::uint64_t i = 0; i < 40; ++i) sketch.update(i * 0x9e3779b97f4a7c15U);
        demand(sketch.estimate() > 0);
      });
      break;
    case 4:
      check<FrequentItems>(bytes, [](FrequentItems& sketch) {
        for (int i = 0; i < 40; ++i) sketch.update(std::to_string(i), 1LL << i);
        demand(sketch.items().size() <= sketch.capacity());
      });
      break;
    default:
      check_cuts(bytes);
  }
  return 0;
}
