// SPDX-License-Identifier: Apache-2.0
#include "elastic/link.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace vigie::elastic {
namespace {

constexpr std::chrono::milliseconds kGlance{1'000};

http::ClientOptions patient(http::ClientOptions options) {
  options.answer = std::min(options.answer, std::chrono::milliseconds(15'000));  // who waits for it may have to end
  return options;
}

}  // namespace

Link::Link(std::vector<std::string> nodes, Access access, const http::ClientOptions& options)
    : nodes_(std::move(nodes)),
      access_(std::move(access)),
      transfers_(options),
      questions_(patient(options)),
      patience_(patient(options).answer),
      failed_(nodes_.size()),
      bulk_path_(fmt::format("/_bulk?{}", kFilter)) {
  for (auto& node : nodes_)
    while (node.ends_with('/')) node.pop_back();
}

Result<http::Answer> Link::ask(std::string_view method, std::string_view path, std::string_view body) {
  using std::chrono::steady_clock;
  Result<http::Answer> answer = fail(Code::kUsage, "there is no node to ask");
  auto left = patience_;
  const auto begun = steady_clock::now();
  for (auto nodes = nodes_.size(); nodes > 0 && left > patience_ / 20; --nodes) {
    asked_ = first_;
    VIGIE_ASSIGN(auto request, access_.request(method, nodes_[asked_], path, std::string(body)));
    // One that is slow need not be silent.
    const auto fresh = static_cast<std::size_t>(std::count(failed_.begin(), failed_.end(), false));
    const auto shares = std::exchange(answered_, false) ? 1 : failed_[asked_] ? nodes : std::min(nodes, fresh);
    request.answer = left / static_cast<int>(shares);
    if (auto started = questions_.start(0, std::move(request)); !started) return started.error();
    for (auto done = questions_.wait(kGlance);; done = questions_.wait(kGlance)) {
      if (done.empty()) continue;
      answer = std::move(done.front().answer);
      break;
    }
    answered_ = answer.has_value(), failed_[asked_] = !answered_;
    if (answer || answer.error().code == Code::kUsage) break;
    first_ = (first_ + 1) % nodes_.size();
    left = patience_ - std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - begun);
  }
  return answer;
}

Result<Cluster> Link::reach() {
  VIGIE_ASSIGN(const auto answer, ask("GET", "/"));
  auto cluster = read_cluster(answer);
  if (!cluster) {
    cluster.error().message = fmt::format("{} {}", http::place_of(nodes_.at(asked_)), cluster.error().message);
    return cluster;
  }
  // What people wrote is not echoed into the server's log.
  bulk_path_ = fmt::format("/_bulk?{}", kFilter);
  if (!cluster->opensearch && cluster->at_least(8, 18)) bulk_path_ += "&include_source_on_error=false";
  return cluster;
}

Result<std::vector<std::string>> Link::set_up(const Cluster& cluster, const SetupOptions& options) {
  using When = SetupStep::When;
  std::vector<std::string> lacks;
  bool replaced = false;
  for (const auto& step : setup_of(cluster, options)) {
    if (step.when == When::kReplaced && !replaced) continue;
    auto status = 404U;
    std::string said, place;
    if (step.when == When::kAbsent || step.when == When::kChanged) {
      // What is there may be people's own: it is made only where it is known not to be.
      VIGIE_ASSIGN(const auto there, ask("GET", step.path));
      status = there.status, said = there.body;
      if (step.when == When::kChanged && status == 200) place = differs(said, step.body);
    }
    replaced = !place.empty();
    if (status == 404 || replaced) {
      VIGIE_ASSIGN(const auto answer, ask(step.method, step.path + place, step.body));
      status = answer.status, said = answer.body;
    }
    if (status < 300 || (status == 404 && (step.when == When::kThere || step.when == When::kReplaced))) continue;
    replaced = false;
    const auto why = why_of(said);
    auto message = fmt::format("{} could not be set up: {}{}{}", step.what, status, why.empty() ? "" : ": ", why);
    if (status == 401 || status == 429 || status >= 500) return fail(Code::kUnavailable, std::move(message));
    if (step.needed) return fail(Code::kUsage, std::move(message));
    lacks.push_back(std::move(message));
    // Who only may not set one up may have one all the same.
    if (step.lifecycle && status != 403) {
      VIGIE_ASSIGN(const auto others, set_up(cluster, {options.place}));
      lacks.insert(lacks.end(), others.begin(), others.end());
      break;
    }
  }
  return lacks;
}

Status Link::send(const Shipper::Order& order) {
  VIGIE_ASSIGN(auto request, access_.request("POST", nodes_[order.node], bulk_path_, order.bulk->text()));
  return transfers_.start(order.id, std::move(request));
}

std::vector<Link::Done> Link::wait(std::chrono::milliseconds at_most) {
  std::vector<Done> out;
  for (auto& done : transfers_.wait(at_most)) out.push_back({done.id, std::move(done.answer)});
  return out;
}

}  // namespace vigie::elastic
