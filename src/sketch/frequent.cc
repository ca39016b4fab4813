// SPDX-License-Identifier: Apache-2.0
#include "sketch/frequent.h"

#include <algorithm>
#include <limits>

#include "base/hash.h"

namespace vigie::sketch {
namespace {

constexpr std::uint8_t kVersion = 1;

std::int64_t add_up(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? std::numeric_limits<std::int64_t>::max() : sum;
}

}  // namespace

FrequentItems::FrequentItems(std::uint32_t capacity) : capacity_(std::clamp(capacity, kFewest, kMost)) {}

std::size_t FrequentItems::slot_of(std::string_view item, std::uint64_t hash) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  for (; slots_[at]; at = (at + 1) & mask) {
    const Entry& entry = entries_[slots_[at] - 1];
    if (entry.hash == hash && entry.name == item) break;
  }
  return at;
}

void FrequentItems::index(std::size_t slots) {
  slots_.assign(slots, 0);
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    std::size_t at = entries_[i].hash & (slots - 1);
    while (slots_[at]) at = (at + 1) & (slots - 1);
    slots_[at] = static_cast<std::uint32_t>(i + 1);
  }
}

void FrequentItems::update(std::string_view item, std::int64_t weight) {
  if (weight < 1) return;
  total_ = add_up(total_, weight);
  add(item, hash64(item), weight);
  if (entries_.size() > capacity_) purge();
}

void FrequentItems::add(std::string_view item, std::uint64_t hash, std::int64_t weight) {
  if (2 * (entries_.size() + 1) > slots_.size()) index(std::max<std::size_t>(16, 2 * slots_.size()));
  const std::size_t at = slot_of(item, hash);
  if (slots_[at]) {
    Entry& entry = entries_[slots_[at] - 1];
    entry.count = add_up(entry.count, weight);
  } else {
    entries_.push_back({hash, weight, std::string(item)});
    slots_[at] = static_cast<std::uint32_t>(entries_.size());
  }
}

void FrequentItems::purge() {
  std::vector<std::int64_t> counts;
  counts.reserve(entries_.size());
  for (const Entry& entry : entries_) counts.push_back(entry.count);
  // Of the counters, those beyond half of the capacity go at least, so that a purge is paid for by as many new items.
  const auto nth = counts.begin() + static_cast<std::ptrdiff_t>(counts.size() - 1 - capacity_ / 2);
  std::nth_element(counts.begin(), nth, counts.end());
  const std::int64_t off = *nth;
  error_ = add_up(error_, off);
  std::erase_if(entries_, [off](Entry& entry) { return (entry.count -= off) <= 0; });
  index(slots_.size());
}

Status FrequentItems::merge(const FrequentItems& other) {
  if (other.capacity_ != capacity_) return fail(Code::kInput, "frequent items of different capacity cannot be merged");
  if (&other == this) return merge(FrequentItems(other));
  total_ = add_up(total_, other.total_);
  error_ = add_up(error_, other.error_);
  for (const Entry& entry : other.entries_) add(entry.name, entry.hash, entry.count);
  if (entries_.size() > capacity_) purge();
  return {};
}

std::vector<FrequentItems::Item> FrequentItems::items() const {
  std::vector<Item> items;
  items.reserve(entries_.size());
  for (const Entry& entry : entries_) items.push_back({entry.name, entry.count});
  std::sort(items.begin(), items.end(),
            [](const Item& a, const Item& b) { return a.count != b.count ? a.count > b.count : a.name < b.name; });
  return items;
}

std::int64_t FrequentItems::count(std::string_view item) const {
  if (slots_.empty()) return 0;
  const std::uint32_t slot = slots_[slot_of(item, hash64(item))];
  return slot ? entries_[slot - 1].count : 0;
}

std::size_t FrequentItems::size_bytes() const {
  std::size_t bytes = sizeof *this + slots_.capacity() * sizeof(std::uint32_t) + entries_.capacity() * sizeof(Entry);
  for (const Entry& entry : entries_)
    if (entry.name.capacity() > std::string().capacity()) bytes += entry.name.capacity() + 1;
  return bytes;
}

void FrequentItems::save(ByteWriter& out) const {
  out.fixed(kVersion);
  out.varint(capacity_);
  out.varint(static_cast<std::uint64_t>(total_));
  out.varint(static_cast<std::uint64_t>(error_));
  out.varint(entries_.size());
  for (const Item& item : items()) {
    out.string(item.name);
    out.varint(static_cast<std::uint64_t>(item.count));
  }
}

Result<FrequentItems> FrequentItems::load(ByteReader& in) {
  const auto corrupt = [&in] {
    in.fail();
    return fail(Code::kCorrupt, "frequent items: not a saved state");
  };
  if (in.fixed<std::uint8_t>() != kVersion) return corrupt();
  const auto capacity = in.varint(), total = in.varint(), error = in.varint(), held = in.count(2);
  if (!in.ok() || capacity < kFewest || capacity > kMost || held > capacity) return corrupt();
  constexpr auto kMostTotal = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (total > kMostTotal || error > total) return corrupt();
  FrequentItems sketch(static_cast<std::uint32_t>(capacity));
  sketch.total_ = static_cast<std::int64_t>(total);
  sketch.error_ = static_cast<std::int64_t>(error);
  std::uint64_t left = total;
  for (std::uint64_t i = 0; i < held; ++i) {
    const std::string_view name = in.string();
    const auto count = in.varint();
    if (!in.ok() || count < 1 || count > left) return corrupt();
    left -= count;
    sketch.add(name, hash64(name), static_cast<std::int64_t>(count));
    if (sketch.entries_.size() != i + 1) return corrupt();
  }
  return sketch;
}

}  // namespace vigie::sketch
