// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "detect/detect.h"
#include "detect/ensemble_internal.h"

namespace vigie::detect {
namespace {

constexpr std::string_view kMagic = "VGDT";
constexpr std::uint8_t kVersion = 1;

Error corrupt(std::string_view what) {
  return fail(Code::kCorrupt, "detector state: " + std::string(what));
}

bool within(const Param& param, double value) {
  return value >= param.min && value <= param.max && (!param.whole || value == std::floor(value));
}

}  // namespace

Monitor::Monitor(const Detector& detector, const Args& args)
    : detector_(detector),
      params_(args.params.begin(), args.params.end()),
      parity_(args.parity),
      on_drift_(args.on_drift == OnDrift::kUsual ? detector.on_drift : args.on_drift),
      seed_(args.seed) {}

void Monitor::reset_counts() {
  seen_ = skipped_ = drifts_ = warnings_ = 0;
  state_ = State::kStable;
}

std::string Monitor::save() const {
  ByteWriter out;
  out.string(detector_.name);
  out.fixed(static_cast<std::uint8_t>(parity_));
  out.fixed(static_cast<std::uint8_t>(on_drift_));
  out.varint(seed_);
  out.array(std::span<const double>(params_));
  for (const std::int64_t count : {seen_, skipped_, drifts_, warnings_}) out.varint(static_cast<std::uint64_t>(count));
  out.fixed(static_cast<std::uint8_t>(state_));
  save_state(out);
  return seal(kMagic, kVersion, out.bytes());
}

Result<std::unique_ptr<Monitor>> load_monitor(std::string_view bytes) {
  VIGIE_ASSIGN(const Sealed frame, unseal(kMagic, kVersion, bytes, "detector state"));
  ByteReader in(frame.payload);
  const std::string_view name = in.string();
  const auto parity = in.fixed<std::uint8_t>(), on_drift = in.fixed<std::uint8_t>();
  const std::uint64_t seed = in.varint();
  std::vector<double> params;
  in.array(params);
  if (!in.ok() || parity > static_cast<std::uint8_t>(Parity::kMoa) || on_drift == 0 ||
      on_drift > static_cast<std::uint8_t>(OnDrift::kHold))
    return corrupt("its head makes no sense");
  const Args args{.params = params,
                  .parity = static_cast<Parity>(parity),
                  .on_drift = static_cast<OnDrift>(on_drift),
                  .seed = seed};
  std::unique_ptr<Monitor> monitor;
  const Detector* detector = find_detector(name);
  if (!detector) detector = find_ensemble(name);
  if (!detector || !(detector->make || find_ensemble(name))) return corrupt("of no detector that this program has");
  const auto table = detector->params_of(args.parity);
  if (args.parity != Parity::kNone && table.empty()) return corrupt("of a parity that the detector does not have");
  if (table.size() != params.size()) return corrupt("other parameters than the detector's");
  for (std::size_t i = 0; i < table.size(); ++i)
    if (!within(table[i], params[i])) return corrupt("a parameter is out of bounds");
  if (detector->make) {
    auto made = detector->make(*detector, args);
    if (!made) return corrupt(made.error().message);
    monitor = std::move(*made);
  } else {
    monitor = empty_ensemble(*detector, args);
  }
  for (std::int64_t* count : {&monitor->seen_, &monitor->skipped_, &monitor->drifts_, &monitor->warnings_})
    *count = static_cast<std::int64_t>(in.varint());
  const auto state = in.fixed<std::uint8_t>();
  const auto sane = [&](std::int64_t count) { return count >= 0 && count <= monitor->seen_; };
  // 2^53: counts are held in doubles too.
  if (!in.ok() || state > 2 || monitor->seen_ > (1LL << 53) || !sane(monitor->skipped_) || !sane(monitor->drifts_) ||
      !sane(monitor->warnings_))
    return corrupt("its counts make no sense");
  monitor->state_ = static_cast<State>(state);
  if (!monitor->load_state(in) || !in.ok() || in.remaining() != 0) return corrupt("altered or torn");
  return monitor;
}

}  // namespace vigie::detect
