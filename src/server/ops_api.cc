// SPDX-License-Identifier: Apache-2.0
#include "server/ops_api.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "base/iso_time.h"
#include "base/text.h"
#include "server/model_config.h"
#include "server/model_ops.h"
#include "table/json_rows.h"
#include "view/json.h"

namespace vigie::server {
namespace {

constexpr std::size_t kMost = 20'160;  // panes that a reply is made of: two weeks of minutes
constexpr std::int64_t kLongest = kMinute * 60 * 24 * 7;

struct Asked {
  store::OpsQuery query;  // the latest day, where no time is named
  std::int64_t step = kMinute;
};

std::string in_quotes(std::string_view text) {
  std::string out;
  append_json(out, text);
  return out;
}

std::int64_t start_of(std::int64_t time, std::int64_t step) {
  return time - ((time % step) + step) % step;
}

// Those of `more` besides from, to and step are taken by whoever gave them.
Result<Asked> asked(const Request& request, std::map<std::string, std::string>* more = nullptr) {
  Asked out;
  out.query.latest = true;
  std::vector<std::string> names{"from", "to", "step"};
  if (more)
    for (const auto& [name, value] : *more) names.push_back(name);
  for (const auto& [name, value] : request.query) {
    if (name == "from" || name == "to") {
      const auto time = table::parse_time(value);
      if (!time)
        return fail(Code::kInput,
                    fmt::format("{}: {} is no time: ISO 8601 or epoch numbers", name, vigie::quoted(value)));
      (name == "from" ? out.query.from : out.query.to) = static_cast<std::int64_t>(*time);
      out.query.latest = out.query.latest && name != "from";
    } else if (name == "step") {
      const auto step = duration_of(value);
      if (!step || *step % kMinute != 0 || *step > kLongest)
        return fail(Code::kInput, fmt::format("step: expected whole minutes up to 7d, as 1m, 15m, 1h or 1d, got {}",
                                              vigie::quoted(value)));
      out.step = *step;
    } else if (more && more->contains(name)) {
      (*more)[name] = value;
    } else {
      return fail(Code::kInput, unknown_name("parameter", name, names));
    }
  }
  if (!out.query.latest) out.query.most = kMost;
  if (out.query.from != std::numeric_limits<std::int64_t>::min()) out.query.from = start_of(out.query.from, out.step);
  return out;
}

// `minutes` by steps, each as `write` has it; a step that may lack some is left to the next reply.
template <class T, class F>
Reply steps_of(const Asked& asked, const std::map<std::int64_t, T>& minutes, bool more, const Request& request,
               F write) {
  std::map<std::int64_t, T> steps;
  for (const auto& [minute, pane] : minutes) steps[start_of(minute, asked.step)].merge(pane);
  std::optional<std::int64_t> next;
  if (more && !asked.query.latest && steps.size() > 1) next = steps.rbegin()->first, steps.erase(*next);
  std::string body = "[";
  for (const auto& [start, pane] : steps)
    body.append(fmt::format("{}{{\"start\": \"{}\", \"end\": \"{}\", {}", body.size() > 1 ? ",\n" : "\n",
                            iso_time(static_cast<double>(start)), iso_time(static_cast<double>(start + asked.step)),
                            std::string_view(write(start, pane)).substr(1)));
  Reply reply{200, body + "]\n"};
  if (next) {
    std::string path;
    for (const auto& part : request.path) path += "/" + escaped(part);
    path += fmt::format("?from={}", iso_time(static_cast<double>(*next)));
    for (const auto& [name, value] : request.query)
      if (name != "from") path += fmt::format("&{}={}", name, escaped(value));
    reply.headers.emplace_back("Link", fmt::format("<{}>; rel=\"next\"", path));
  }
  return reply;
}

}  // namespace

Reply model_ops(const Request& request, const State& state, const store::Store& store, const Model& model,
                const Prices& prices) {
  const auto wanted = asked(request);
  if (!wanted) return refuse(400, wanted.error().message, "query");
  // First what is kept, then the store: what goes from there to here meanwhile is counted once.
  const auto ops = ModelOps::load(state, model.name);
  if (!ops) return refuse(503, ops.error().message, "state");
  const auto found = ops->minutes(wanted->query, store);
  if (!found) return refuse(503, found.error().message, "store");
  const auto config = read_model_config(model.config);
  const auto sources = sources_of(config ? config->runs_on : std::vector<std::string>(), store);
  if (!sources) return refuse(503, sources.error().message, "store");
  return steps_of(*wanted, found->minutes, found->next.has_value(), request,
                  [&](std::int64_t start, const engine::Traffic& traffic) {
                    auto json = view::to_json(traffic);
                    const auto cost = cost_of(*sources, prices, found->minutes, start, start + wanted->step, store);
                    if (cost && *cost) json.back() = ',', json += " \"cost\": " + (*cost)->to_json() + "}";
                    return json;
                  });
}

Reply machine_ops(const Request& request, const MachineOps& machine, const store::Store& store, std::int64_t now) {
  std::map<std::string, std::string> named{{"source", ""}};
  auto wanted = asked(request, &named);
  if (!wanted) return refuse(400, wanted.error().message, "query");
  const auto& source = named["source"];
  auto sources = store.ops_sources();
  if (!sources) return refuse(503, sources.error().message, "store");
  std::erase_if(*sources, [](const std::string& name) { return name.starts_with("model/"); });
  if (source.empty()) {
    const auto latest = machine.now(now);
    std::string body = "[";
    for (const auto& name : *sources) {
      body += fmt::format("{}{{\"source\": {}, \"figures\": {{", body.size() > 1 ? ",\n" : "\n", in_quotes(name));
      std::string_view comma;
      for (const auto& f : latest)
        if (f.source == name) body += fmt::format("{}{}: {}", std::exchange(comma, ", "), in_quotes(f.series), f.value);
      body += "}}";
    }
    return {200, body + "]\n"};
  }
  if (std::find(sources->begin(), sources->end(), source) == sources->end())
    return refuse(404, unknown_name("source", source, *sources), "query");
  wanted->query.source = source;
  bool more = false;
  const auto found = gauges_of(wanted->query, store, &more);
  if (!found) return refuse(503, found.error().message, "store");
  return steps_of(*wanted, *found, more, request, [](std::int64_t, const engine::Gauges& gauges) {
    std::string out = "{";
    for (const auto& [series, g] : gauges.series())
      out += fmt::format("{}{}: {{\"mean\": {}, \"min\": {}, \"max\": {}, \"n\": {}}}", out.size() > 1 ? ", " : "",
                         in_quotes(series), g.mean(), g.least, g.most, g.n);
    return out + "}";
  });
}

}  // namespace vigie::server
