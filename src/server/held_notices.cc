// SPDX-License-Identifier: Apache-2.0
#include "server/held_notices.h"

#include <array>
#include <utility>

#include "base/bytes.h"

namespace vigie::server {
namespace {

using event::Notice;
using enum Notice::Kind;

// What of several is told: the end of an incident, else that it opened, else that it got worse.
int weight(Notice::Kind kind) {
  constexpr std::array<int, 4> kWeights{2, 1, 0, 3};  // opened, worse, reminder, resolved
  return kWeights.at(static_cast<std::size_t>(kind));
}

}  // namespace

std::vector<Notice> HeldNotices::pass(std::vector<Notice> fresh, bool quiet) {
  if (!quiet && held_.empty()) return fresh;
  for (auto& notice : fresh) {
    const auto [at, first] = held_.try_emplace(notice.incident.id);
    auto& held = at->second;
    held.opened = held.opened || (first && notice.kind == kOpened);
    if (first || weight(notice.kind) > weight(held.notice.kind)) held.notice.kind = notice.kind;
    held.notice.incident = std::move(notice.incident);
  }
  if (quiet) return {};
  std::vector<Notice> out;
  for (auto& [id, held] : std::exchange(held_, {}))
    if (!(held.opened && held.notice.kind == kResolved)) out.push_back(std::move(held.notice));
  return out;
}

std::string HeldNotices::save() const {
  ByteWriter out;
  out.varint(held_.size());
  for (const auto& [id, held] : held_) {
    out.fixed(std::uint8_t{held.opened});
    out.fixed(static_cast<std::uint8_t>(held.notice.kind));
    out.string(event::to_json(held.notice.incident));
  }
  return out.take();
}

Status HeldNotices::load(std::string_view bytes) {
  ByteReader in(bytes);
  held_.clear();
  for (auto left = in.varint(); left > 0 && in.ok(); --left) {
    Held held;
    held.opened = in.fixed<std::uint8_t>() != 0;
    held.notice.kind = static_cast<Notice::Kind>(in.fixed<std::uint8_t>());
    const auto json = in.string();
    if (!in.ok() || held.notice.kind > kResolved) break;
    VIGIE_ASSIGN(held.notice.incident, event::incident_of_json(json));
    held_[held.notice.incident.id] = std::move(held);
  }
  if (!in.ok() || in.remaining() > 0) return fail(Code::kCorrupt, "what was kept of notices cannot be read");
  return {};
}

}  // namespace vigie::server
