// SPDX-License-Identifier: Apache-2.0
// Delivers an opened, a worse and a resolved notice to each target, with waits of milliseconds: for the tests beside
// it. usage: deliver LEFT SPEC…      ends when so many notices are neither sent nor given up Prints what became of
// each, one JSON object a line, and at last the states of the targets.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "notify/delivery.h"

namespace {

using namespace vigie;
using Json = nlohmann::ordered_json;

class Memory : public notify::Outbox {
 public:
  std::map<std::int64_t, notify::Item> items;
  std::atomic<int> left{0};

  Result<std::vector<notify::Item>> pending(std::int64_t after) override {
    std::vector<notify::Item> out;
    for (const auto& [id, item] : items)
      if (id > after) out.push_back(item);
    return out;
  }
  Status sent(const notify::Item& item, std::string_view what) override { return tell(item, "sent", what, true); }
  Status later(const notify::Item& item, std::string_view why) override { return tell(item, "later", why, false); }
  Status dead(const notify::Item& item, std::string_view why) override { return tell(item, "dead", why, true); }

 private:
  Status tell(const notify::Item& item, const char* how, std::string_view what, bool over) {
    std::puts(Json{{"id", item.id},
                   {"target", item.target},
                   {"notice", to_string(item.notice.kind)},
                   {"how", how},
                   {"attempts", item.attempts},
                   {"what", what}}
                  .dump()
                  .c_str());
    if (over) --left;
    return {};
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const int left = std::atoi(argv[1]);
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  Memory outbox;
  std::vector<std::unique_ptr<notify::Target>> targets;
  for (int i = 2; i < argc; ++i) {
    auto target = notify::make_target(argv[i], {});
    if (!target) return std::fprintf(stderr, "%s\n", target.error().message.c_str()), 2;
    for (const auto* kind : {"opened", "worse", "resolved"}) {
      const auto id = static_cast<std::int64_t>(outbox.items.size()) + 1;
      outbox.items[id] = {
          .id = id,
          .target = (*target)->name(),
          .notice = *notify::example(kind, std::chrono::duration_cast<std::chrono::microseconds>(now).count())};
      ++outbox.left;
    }
    targets.push_back(std::move(*target));
  }
  notify::DeliveryOptions options;
  options.context.page = "http://127.0.0.1:8090";
  options.most_attempts = 4;
  options.first_wait = std::chrono::milliseconds(20);
  auto delivery = notify::Delivery::start(outbox, std::move(targets), std::move(options));
  if (!delivery) return std::fprintf(stderr, "%s\n", delivery.error().message.c_str()), 2;
  while (outbox.left > left) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  auto states = Json::array();
  for (const auto& s : (*delivery)->states())
    states.push_back({{"name", s.name}, {"waiting", s.waiting}, {"sent", s.sent}, {"dead", s.dead}});
  delivery->reset();
  std::puts(Json{{"states", states}}.dump().c_str());
  return 0;
}
