// SPDX-License-Identifier: Apache-2.0
#include "elastic/shipper.h"

#include <fmt/format.h>

#include <algorithm>

namespace vigie::elastic {
namespace {

constexpr int kRefusals = 5;
constexpr long kLongestWait = 300;  // s, whatever Retry-After says
constexpr int kLone = 20;           // documents rejected alone, and none ever taken: it is not the documents

}  // namespace

Shipper::Shipper(const ShipperOptions& options, std::uint64_t seed) : options_(options), rng_(seed) {
  nodes_.resize(std::max<std::size_t>(1, options_.nodes));
  next_id_ = options_.first_id;
  for (auto& node : nodes_) node.room = std::max(1., options_.most_requests / 2.);
}

void Shipper::add(const Document& document) {
  open_.add(document);
  if (document.id.size() > kLongestId) {
    Bulk alone;
    alone.add(open_, open_.items().size() - 1);
    reject(alone, 0, 0, "", fmt::format("an id of {} bytes, {} are the most", document.id.size(), kLongestId));
    Bulk rest;
    for (std::size_t i = 0; i + 1 < open_.items().size(); ++i) rest.add(open_, i);
    open_ = std::move(rest);
  }
  if (open_.text().size() >= options_.most_bytes || open_.items().size() >= options_.most_documents) close();
}

void Shipper::close() {
  if (open_.items().empty()) return;
  ready_.push_back({std::make_shared<const Bulk>(std::exchange(open_, {}))});
}

bool Shipper::full() const {
  return ready_.size() + waiting_.size() >= kWaiting || blocked_bytes_ >= options_.most_blocked;
}

bool Shipper::empty() const {
  return open_.items().empty() && ready_.empty() && waiting_.empty() && blocked_.empty() && under_way_.empty();
}

std::int64_t Shipper::left() const {
  auto out = open_.items().size();
  for (const auto& batch : ready_) out += batch.bulk->items().size();
  for (const auto& batch : waiting_) out += batch.bulk->items().size();
  for (const auto& batch : blocked_) out += batch.bulk->items().size();
  for (const auto& [id, order] : under_way_) out += order.batch.bulk->items().size();
  return static_cast<std::int64_t>(out);
}

std::optional<Shipper::Order> Shipper::next(std::int64_t now, bool all) {
  if (!stopped_.empty()) return {};
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    if (it->due > now) {
      ++it;
      continue;
    }
    ready_.push_back(std::move(*it));
    it = waiting_.erase(it);
  }
  for (auto it = blocked_.begin(); it != blocked_.end();) {
    if (it->due > now) {
      ++it;
      continue;
    }
    blocked_bytes_ -= it->bulk->text().size();
    ready_.push_back({std::move(it->bulk), it->attempts, 0, 0, true});
    it = blocked_.erase(it);
  }
  if (ready_.empty() && all) close();
  if (ready_.empty()) return {};
  for (std::size_t tried = 0; tried < nodes_.size(); ++tried) {
    const auto at = (turn_ + tried) % nodes_.size();
    auto& node = nodes_[at];
    if (node.until > now || !has_room(node)) continue;
    turn_ = at + 1;
    ++node.under_way;
    const auto id = next_id_++;
    const auto& order = under_way_[id] = {std::move(ready_.front()), at};
    ready_.pop_front();
    return Order{id, at, order.batch.bulk};
  }
  return {};
}

std::optional<std::int64_t> Shipper::due() const {
  std::optional<std::int64_t> out;
  const auto sooner = [&](std::int64_t time) { out = std::min(out.value_or(time), time); };
  for (const auto& batch : waiting_) sooner(batch.due);
  for (const auto& batch : blocked_) sooner(batch.due);
  if (!ready_.empty())
    for (const auto& node : nodes_)
      if (has_room(node)) sooner(node.until);
  return out;
}

// Doubled each time, to the latest, and of that a half to all.
std::int64_t Shipper::later(std::int64_t first, int times) {
  auto time = first;
  for (int i = 0; i < times && time < options_.latest; ++i) time *= 2;
  time = std::min(time, options_.latest);
  return time / 2 + static_cast<std::int64_t>(rng_.uniform() * static_cast<double>(time) / 2);
}

void Shipper::reject(const Bulk& bulk, std::size_t item, std::uint32_t status, std::string type, std::string reason) {
  const auto& at = bulk.items()[item];
  ++counts_.rejected;
  rejected_.push_back({at.id, std::string(bulk.action(item)), std::string(bulk.source(item)), at.file, at.number,
                       status, std::move(type), std::move(reason)});
}

void Shipper::keep(const Batch& batch, const std::vector<std::size_t>& items, int attempts, std::int64_t due) {
  if (items.empty()) return;
  counts_.again += std::ssize(items);
  if (items.size() == batch.bulk->items().size()) {
    waiting_.push_back({batch.bulk, attempts + 1, 0, due});
    return;
  }
  auto bulk = std::make_shared<Bulk>();
  for (const auto item : items) bulk->add(*batch.bulk, item);
  waiting_.push_back({std::move(bulk), attempts + 1, 0, due});
}

void Shipper::keep_blocked(const Batch& batch, const std::vector<std::size_t>& items, std::int64_t now) {
  if (items.empty()) return;
  counts_.again += std::ssize(items), blocked_left_ += std::ssize(items);
  const auto begin_another = [&] {
    blocked_.push_back({std::make_shared<Bulk>(), batch.attempts + 1, now + later(options_.blocked, batch.attempts)});
  };
  if (blocked_.empty() || blocked_.back().attempts != batch.attempts + 1) begin_another();
  for (const auto item : items) {
    if (const auto& last = *blocked_.back().bulk;
        last.text().size() >= options_.most_bytes || last.items().size() >= options_.most_documents)
      begin_another();
    auto& bulk = *blocked_.back().bulk;
    const auto before = bulk.text().size();
    bulk.add(*batch.bulk, item);
    blocked_bytes_ += bulk.text().size() - before;
  }
}

bool Shipper::away() const {
  return std::any_of(nodes_.begin(), nodes_.end(), [](const Node& node) { return node.away; });
}

void Shipper::retry(std::int64_t now) {
  for (auto& node : nodes_)
    if (node.away) node.until = std::min(node.until, now);
}

void Shipper::halve(const Batch& batch) {
  const auto& items = batch.bulk->items();
  for (const auto& [from, to] :
       {std::pair{items.size() / 2, items.size()}, std::pair{std::size_t{0}, items.size() / 2}}) {
    auto half = std::make_shared<Bulk>();
    for (auto i = from; i < to; ++i) half->add(*batch.bulk, i);
    ready_.push_front({std::move(half), batch.attempts, 0, 0, batch.blocked});
  }
}

void Shipper::settle_items(const Batch& batch, Node& node, const std::vector<Told>& items, std::int64_t now) {
  std::vector<std::size_t> again, blocked;
  bool taken = false;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto& told = items[i];
    switch (told.fate) {
      case Fate::kStored:
        ++counts_.stored, taken = true;
        break;
      case Fate::kThere:
        ++counts_.there, taken = true;
        break;
      case Fate::kDiverted:
        ++counts_.diverted, taken = true;
        break;
      case Fate::kRejected:
        reject(*batch.bulk, i, told.status, told.type, told.reason);
        break;
      case Fate::kAgain:
        again.push_back(i);
        break;
      case Fate::kBlocked:
        blocked.push_back(i);
        break;
    }
  }
  trouble_.clear();
  for (const auto& [list, why] : {std::pair{&again, &trouble_}, std::pair{&blocked, &block_}})
    if (!list->empty()) {
      const auto& told = items[list->front()];
      *why = fmt::format("{}: {}{}{}", told.status, told.type, told.type.empty() ? "" : ": ", told.reason);
    }
  if (again.empty())
    node.room = std::min<double>(options_.most_requests, node.room + 1 / node.room);
  else
    node.room = std::max(1., node.room / 2);
  if (taken) node.failures = 0;
  // A node that took some of them takes others soon.
  const int attempts = taken ? 0 : batch.attempts;
  keep(batch, again, attempts, now + later(options_.soonest, attempts));
  if (batch.blocked) blocked_left_ -= std::ssize(items);
  keep_blocked(batch, blocked, now);
}

void Shipper::settle(std::int64_t id, const Outcome& outcome, std::int64_t now) {
  const auto found = under_way_.extract(id);
  if (!found) return;
  const auto& [batch, at] = found.mapped();
  auto& node = nodes_[at];
  --node.under_way;
  node.away = outcome.whole == Whole::kAgain && outcome.status == 0;
  const auto& items = batch.bulk->items();
  switch (outcome.whole) {
    case Whole::kItems:
      settle_items(batch, node, outcome.items, now);
      break;
    case Whole::kAgain:
      counts_.again += std::ssize(items);
      trouble_ = outcome.why;
      node.room = std::max(1., node.room / 2);
      node.until = now + (outcome.retry_after > 0 ? std::min(outcome.retry_after, kLongestWait) * 1'000'000
                                                  : later(options_.soonest, node.failures));
      ++node.failures;
      // It may be more than the node ever has room for.
      if (auto refused = batch; outcome.status == 429 && ++refused.refused >= kRefusals && items.size() > 1)
        halve(refused);
      else
        ready_.push_front(refused);
      break;
    case Whole::kHalve:
      trouble_.clear();  // it answers
      if (items.size() == 1) {
        if (batch.blocked) --blocked_left_;
        const auto colon = outcome.why.find(": ");
        reject(*batch.bulk, 0, static_cast<std::uint32_t>(std::atoi(outcome.why.c_str())), "",
               colon == std::string::npos ? "it alone is too large for a request" : outcome.why.substr(colon + 2));
        if (++lone_ >= kLone && counts_.stored + counts_.there + counts_.diverted == 0)
          stopped_ =
              fmt::format("{} requests of one document each were refused, and none was taken: {}", lone_, outcome.why);
        break;
      }
      halve(batch);
      break;
    case Whole::kForbidden:
    case Whole::kRefused:
      stopped_ = outcome.why;
      ready_.push_front(batch);
      break;
  }
}

}  // namespace vigie::elastic
