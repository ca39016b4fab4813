// SPDX-License-Identifier: Apache-2.0
#include "engine/traffic.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

namespace vigie::engine {
namespace {

constexpr std::uint8_t kVersion = 1;

// Of OpenTelemetry, a span of a server is an error with these codes of gRPC, and with no others.
constexpr bool failed_grpc(int code) {
  return code == 2 || code == 4 || code == 12 || code == 13 || code == 14 || code == 15;
}

Outcome outcome_of_number(int code) {
  if (code == 0 || (code >= 100 && code < 400)) return Outcome::kOk;
  if (code >= 1 && code <= 16) return failed_grpc(code) ? Outcome::kFailed : Outcome::kRefused;
  if (code >= 400 && code < 500) return Outcome::kRefused;
  if (code >= 500 && code < 600) return Outcome::kFailed;
  return Outcome::kUnknown;
}

constexpr std::pair<std::string_view, Outcome> kWords[] = {
    {"ok", Outcome::kOk},
    {"success", Outcome::kOk},
    {"succeeded", Outcome::kOk},
    {"unset", Outcome::kOk},
    {"true", Outcome::kOk},
    {"error", Outcome::kFailed},
    {"err", Outcome::kFailed},
    {"fail", Outcome::kFailed},
    {"failed", Outcome::kFailed},
    {"failure", Outcome::kFailed},
    {"false", Outcome::kFailed},
    {"exception", Outcome::kFailed},
    {"timeout", Outcome::kFailed},
    {"unknown", Outcome::kFailed},
    {"deadlineexceeded", Outcome::kFailed},
    {"unimplemented", Outcome::kFailed},
    {"unsupported", Outcome::kFailed},
    {"internal", Outcome::kFailed},
    {"unavailable", Outcome::kFailed},
    {"dataloss", Outcome::kFailed},
    {"cancelled", Outcome::kRefused},
    {"canceled", Outcome::kRefused},
    {"invalidargument", Outcome::kRefused},
    {"invalidarg", Outcome::kRefused},
    {"notfound", Outcome::kRefused},
    {"alreadyexists", Outcome::kRefused},
    {"permissiondenied", Outcome::kRefused},
    {"resourceexhausted", Outcome::kRefused},
    {"failedprecondition", Outcome::kRefused},
    {"aborted", Outcome::kRefused},
    {"outofrange", Outcome::kRefused},
    {"unauthenticated", Outcome::kRefused},
    {"rejected", Outcome::kRefused},
    {"1xx", Outcome::kOk},
    {"2xx", Outcome::kOk},
    {"3xx", Outcome::kOk},
    {"4xx", Outcome::kRefused},
    {"5xx", Outcome::kFailed},
};

}  // namespace

Outcome outcome_of(std::string_view status) {
  double number = 0;
  const auto [end, error] = std::from_chars(status.data(), status.data() + status.size(), number);
  if (error == std::errc() && end == status.data() + status.size())
    return number == std::floor(number) && std::abs(number) < 1000 ? outcome_of_number(static_cast<int>(number))
                                                                   : Outcome::kUnknown;
  std::string word;
  for (const char c : status.substr(0, 40))
    if (c != '_' && c != '-' && c != ' ') word += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (word.starts_with("statuscode")) word.erase(0, 10);
  const auto* const at =
      std::find_if(std::begin(kWords), std::end(kWords), [&](const auto& w) { return w.first == word; });
  return at == std::end(kWords) ? Outcome::kUnknown : at->second;
}

void Latencies::update(double ms) {
  if (!(ms >= 0) || std::isinf(ms)) return;
  if (sketch_) return sketch_->update(ms);
  values_.push_back(ms);
  if (values_.size() > kValues) widen();
}

void Latencies::widen() {
  sketch_.emplace().update(values_);
  values_ = {};
}

void Latencies::merge(const Latencies& other) {
  if (&other == this) return merge(Latencies(other));
  if (other.sketch_) {
    if (!sketch_) widen();
    sketch_->merge(*other.sketch_);
    return;
  }
  for (const double ms : other.values_) update(ms);
}

double Latencies::quantile(double q) const {
  if (sketch_) return sketch_->quantile(q);
  if (values_.empty()) return std::numeric_limits<double>::quiet_NaN();
  auto sorted = values_;
  const auto n = static_cast<double>(sorted.size());
  const auto at = static_cast<std::ptrdiff_t>(std::clamp(std::ceil(q * n), 1., n)) - 1;
  std::nth_element(sorted.begin(), sorted.begin() + at, sorted.end());
  return sorted[static_cast<std::size_t>(at)];
}

std::int64_t Latencies::above(double x) const {
  if (sketch_) return sketch_->count() - sketch_->rank(x);
  return std::count_if(values_.begin(), values_.end(), [&](double ms) { return ms > x; });
}

void Latencies::save(ByteWriter& out) const {
  out.fixed(std::uint8_t{sketch_.has_value()});
  if (sketch_) return sketch_->save(out);
  auto sorted = values_;
  std::sort(sorted.begin(), sorted.end());
  out.array(std::span<const double>(sorted));
}

Result<Latencies> Latencies::load(ByteReader& in) {
  Latencies out;
  if (in.fixed<std::uint8_t>()) {
    VIGIE_ASSIGN(out.sketch_, sketch::RelativeQuantiles::load(in));
    return out;
  }
  in.array(out.values_);
  if (!in.ok() || out.values_.size() > kValues ||
      std::any_of(out.values_.begin(), out.values_.end(), [](double ms) { return !(ms >= 0); }))
    return fail(Code::kCorrupt, "latencies: not a saved state");
  return out;
}

void Traffic::add(Outcome outcome, bool said, double latency_ms, std::size_t size) {
  ++requests;
  ok += outcome == Outcome::kOk;
  refused += outcome == Outcome::kRefused;
  failed += outcome == Outcome::kFailed;
  odd += said && outcome == Outcome::kUnknown;
  bytes += static_cast<std::int64_t>(size);
  most_bytes = std::max(most_bytes, static_cast<std::int64_t>(size));
  latency.update(latency_ms);
}

void Traffic::merge(const Traffic& other) {
  requests += other.requests, ok += other.ok, refused += other.refused, failed += other.failed, odd += other.odd;
  bytes += other.bytes, most_bytes = std::max(most_bytes, other.most_bytes);
  latency.merge(other.latency);
}

double Traffic::error_rate() const {
  return known() ? static_cast<double>(failed) / static_cast<double>(known())
                 : std::numeric_limits<double>::quiet_NaN();
}

void Traffic::save(ByteWriter& out) const {
  out.fixed(kVersion);
  for (const auto number : {requests, ok, refused, failed, odd, bytes, most_bytes})
    out.varint(static_cast<std::uint64_t>(number));
  latency.save(out);
}

Result<Traffic> Traffic::load(ByteReader& in) {
  Traffic out;
  const auto version = in.fixed<std::uint8_t>();
  for (auto* number : {&out.requests, &out.ok, &out.refused, &out.failed, &out.odd, &out.bytes, &out.most_bytes}) {
    const auto value = in.varint();
    if (value > 1ULL << 60) in.fail();
    *number = static_cast<std::int64_t>(value);
  }
  if (!in.ok() || version != kVersion || out.known() + out.odd > out.requests)
    return fail(Code::kCorrupt, "what was counted of requests: not a saved state");
  VIGIE_ASSIGN(out.latency, Latencies::load(in));
  return out;
}

}  // namespace vigie::engine
