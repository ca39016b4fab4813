// SPDX-License-Identifier: Apache-2.0
#include <string_view>

#include "metric/binary.h"
#include "metric/detection.h"
#include "metric/fairness.h"
#include "metric/multiclass.h"
#include "metric/ranking.h"
#include "metric/regression.h"
#include "metric/segmentation.h"
#include "metric/text.h"

namespace vigie::metric {
namespace {

/// What loads must save, load again, merge and be evaluated.
template <class State>
void decode_state(std::string_view bytes) {
  ByteReader in(bytes);
  auto state = State::load(in);
  if (!state) return;
  ByteWriter out;
  state->save(out);
  ByteReader again(out.bytes());
  if (!State::load(again)) __builtin_trap();
  State twice = *state;
  static_cast<void>(twice.merge(*state));
  evaluate(twice.summarize());
}

}  // namespace
}  // namespace vigie::metric

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace vigie::metric;
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 8) {
    case 0:
      decode_state<BinaryState>(bytes);
      break;
    case 1:
      decode_state<MulticlassState>(bytes);
      break;
    case 2:
      decode_state<RegressionState>(bytes);
      break;
    case 3:
      decode_state<RankingState>(bytes);
      break;
    case 4:
      decode_state<TextState>(bytes);
      break;
    case 5:
      decode_state<DetectionState>(bytes);
      break;
    case 6:
      decode_state<SegmentationState>(bytes);
      break;
    default:
      decode_state<FairnessState>(bytes);
  }
  return 0;
}
