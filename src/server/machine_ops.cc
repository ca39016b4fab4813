// SPDX-License-Identifier: Apache-2.0
#include "server/machine_ops.h"

#include <fmt/format.h>

#include <cmath>

#include "base/bytes.h"
#include "server/model_ops.h"

namespace vigie::server {
namespace {

constexpr std::int64_t kFresh = 5 * kMinute;  // µs for which a figure is the latest

// Of a label of Prometheus.
std::string label(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    c == '\n' ? out += "\\n" : out += c;
  }
  return out;
}

// The means of a minute that a chart elsewhere draws: of what every machine has, and not of any series of an endpoint.
std::vector<std::pair<std::string, double>> figures_of(const engine::Gauges& gauges) {
  constexpr std::string_view kDrawn[] = {"cpu_cores", "cpu_share",    "gpu_share",        "latency_ms",
                                         "load_1m",   "memory_share", "memory_used_bytes"};
  std::vector<std::pair<std::string, double>> out;
  for (const auto series : kDrawn)
    if (const auto* gauge = gauges.find(series)) out.emplace_back(series, gauge->mean());
  return out;
}

}  // namespace

MachineOps::MachineOps(store::Store& store, std::function<void(const std::string&)> log)
    : store_(store), log_(std::move(log)) {
  source::Listener listener;
  listener.took = [this](const auto& name, const auto& figures, auto now) { took(name, figures, now); };
  listener.failed = [this](const auto& name, const auto& why, auto now) {
    if (seen) seen(name, nullptr, why, now);
  };
  listener.round = [this](auto) { keep(); };
  listener.log = [this](const auto& line) {
    if (log_) log_(line);
  };
  sampling_.emplace(std::move(listener));
}

Status MachineOps::add(const std::string& spec, const Environment& environment) {
  VIGIE_ASSIGN(auto sample, source::make_sample(spec, environment));
  sampling_->add(std::move(sample));
  return {};
}

void MachineOps::took(const std::string& name, const std::vector<source::Figure>& figures, std::int64_t now) {
  if (seen) seen(name, &figures, {}, now);
  std::lock_guard lock(mutex_);
  for (const auto& figure : figures) {
    if (!std::isfinite(figure.value)) continue;
    const auto source = figure.instance.empty() ? name : name + "/" + figure.instance;
    auto& pane = panes_[source];
    const auto start = now - now % kMinute;
    if (pane.start != start) {
      if (pane.changed) {
        ByteWriter body;
        pane.gauges.save(body);
        over_.push_back({source, pane.start, pane.part, body.take(), figures_of(pane.gauges)});
      }
      pane = {start, now, now, {}, false};
    }
    pane.gauges.add(figure.series, figure.value);
    pane.at = now, pane.changed = true;
  }
}

void MachineOps::keep() {
  std::vector<store::OpsPane> panes;
  {
    std::lock_guard lock(mutex_);
    panes = over_;
    for (const auto& [source, pane] : panes_) {
      if (!pane.changed) continue;
      ByteWriter body;
      pane.gauges.save(body);
      panes.push_back({source, pane.start, pane.part, body.take(), figures_of(pane.gauges)});
    }
  }
  const auto kept = store_.put(panes);
  std::lock_guard lock(mutex_);
  if (kept) {
    over_.clear();
    for (auto& [source, pane] : panes_) pane.changed = false;
    trouble_.clear();
  } else if (trouble_ != kept.error().message) {
    trouble_ = kept.error().message;
    if (log_) log_(trouble_);
  }
}

std::vector<MachineOps::Now> MachineOps::now(std::int64_t clock) const {
  std::lock_guard lock(mutex_);
  std::vector<Now> out;
  for (const auto& [source, pane] : panes_)
    if (clock - pane.at <= kFresh)
      for (const auto& [series, gauge] : pane.gauges.series()) out.push_back({source, series, gauge.last});
  return out;
}

std::string MachineOps::metrics(std::int64_t clock) const {
  const auto figures = now(clock);
  if (figures.empty()) return {};
  std::string out = "# HELP vigie_sample The latest figure of a source, by its series.\n# TYPE vigie_sample gauge\n";
  for (const auto& f : figures)
    out += fmt::format("vigie_sample{{source=\"{}\",series=\"{}\"}} {}\n", label(f.source), label(f.series), f.value);
  return out;
}

Result<std::map<std::int64_t, engine::Gauges>> gauges_of(const store::OpsQuery& query, const store::Store& store,
                                                         bool* more) {
  VIGIE_ASSIGN(const auto panes, store.ops(query));
  if (more) *more = panes.size() == query.most;
  std::map<std::int64_t, engine::Gauges> out;
  for (const auto& pane : panes) {
    VIGIE_ASSIGN(const auto gauges, engine::Gauges::load(pane.body));
    out[pane.start].merge(gauges);
  }
  return out;
}

}  // namespace vigie::server
