// SPDX-License-Identifier: Apache-2.0
#include "server/metrics.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>

#include "base/clock.h"

namespace vigie::server {
namespace {

const std::int64_t kStarted = system_now();

std::string escaped(std::string_view text, bool quote) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || (quote && c == '"')) out += '\\';
    out += c;
  }
  return out;
}

std::string_view trimmed(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  return text.substr(0, text.find_last_not_of(" \t") + 1);
}

// The weight of a type in an Accept header, 0 where it is not named.
double weight(std::string_view accept, std::string_view type, std::string_view version) {
  double best = 0;
  while (!accept.empty()) {
    auto part = accept.substr(0, accept.find(','));
    accept.remove_prefix(std::min(accept.size(), part.size() + 1));
    const auto name = trimmed(part.substr(0, part.find(';')));
    if (name != type) continue;
    double q = 1;
    bool fits = true;
    while (part.find(';') != part.npos) {
      part.remove_prefix(part.find(';') + 1);
      const auto param = trimmed(part.substr(0, part.find(';')));
      if (param.starts_with("q=")) std::from_chars(param.data() + 2, param.data() + param.size(), q);
      if (param.starts_with("version=")) fits = version.empty() || param.substr(8) == version;
    }
    if (fits) best = std::max(best, q);
  }
  return best;
}

void about_process(Exposition& out, const std::string& data) {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  out.counter("process_cpu_seconds", "CPU time, user and system.");
  out.sample(seconds(used.ru_utime) + seconds(used.ru_stime));
  out.gauge("process_start_time_seconds", "When it started, since 1970.");
  out.sample(1e-6 * static_cast<double>(kStarted));
  std::int64_t pages = 0, resident = 0;
  if (std::ifstream("/proc/self/statm") >> pages >> resident) {
    out.gauge("process_resident_memory_bytes", "Memory that it holds.");
    out.sample(static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE)));
  }
  std::error_code failed;
  std::int64_t open = 0;
  for (auto it = std::filesystem::directory_iterator("/proc/self/fd", failed);
       !failed && it != std::filesystem::directory_iterator(); it.increment(failed))
    ++open;
  out.gauge("process_open_fds", "Files and connections that are open.");
  out.sample(static_cast<double>(open));
  struct statvfs disk{};
  if (::statvfs(data.c_str(), &disk) != 0) return;
  out.gauge("vigie_data_free_bytes", "Room on the disk of the data folder.");
  out.sample(static_cast<double>(disk.f_bavail) * static_cast<double>(disk.f_frsize));
  out.gauge("vigie_data_size_bytes", "Size of the disk of the data folder.");
  out.sample(static_cast<double>(disk.f_blocks) * static_cast<double>(disk.f_frsize));
}

void about_models(Exposition& out, const Readings& r) {
  out.counter("vigie_predictions", "Distinct predictions accepted.");
  for (const auto& m : r.models) out.sample(static_cast<double>(m.predictions), {{"model", m.name}});
  out.counter("vigie_labels", "Distinct ids with a label.");
  for (const auto& m : r.models) out.sample(static_cast<double>(m.labels), {{"model", m.name}});
  out.gauge("vigie_last_record_timestamp_seconds", "When the last prediction of a model came, since 1970.");
  for (const auto& m : r.models)
    if (!std::isnan(m.last_seen)) out.sample(1e-6 * m.last_seen, {{"model", m.name}});
  out.gauge("vigie_model_state", "1 for the state that a model is in: ok, warning, drift, no_data or silent.");
  for (const auto& m : r.models) out.sample(1, {{"model", m.name}, {"state", m.state}});
  std::map<std::pair<std::string_view, std::string_view>, int> incidents;
  for (const auto& i : r.unresolved) ++incidents[{i.model, to_string(i.severity)}];
  out.gauge("vigie_incidents_open", "Incidents that are not over.");
  for (const auto& [key, count] : incidents) out.sample(count, {{"model", key.first}, {"severity", key.second}});
}

// A series for each test of each column; where that is too much for a scrape, of the columns that something is wrong
// with.
void about_windows(Exposition& out, const Readings& r) {
  constexpr std::size_t kMostColumns = 10'000;
  std::size_t columns = 0;
  for (const auto& [model, figures] : r.figures) columns += figures->columns.size() + figures->labels.size();
  const auto each = [&](const auto& tell) {
    for (const auto& [model, figures] : r.figures)
      for (const auto* some : {&figures->columns, &figures->labels})
        for (const auto& c : *some)
          if (columns <= kMostColumns || c.verdict >= engine::Verdict::kWarning)
            tell(c, Exposition::Labels{{"model", model}, {"feature", c.name}, {"test", c.test}});
  };
  out.gauge("vigie_drift_score", "How far a column moved in a model's last window: reference sd, or share of rows.");
  each([&](const auto& c, const auto& labels) {
    if (std::isfinite(c.effect)) out.sample(c.effect, labels);
  });
  out.gauge("vigie_drift_pvalue", "p-value of that, corrected for all that the window was tested for.");
  each([&](const auto& c, const auto& labels) {
    if (std::isfinite(c.p_adjusted)) out.sample(c.p_adjusted, labels);
  });
  out.gauge("vigie_drift_detected", "1 where that is a drift.");
  each([&](const auto& c, const auto& labels) {
    if (c.verdict != engine::Verdict::kNoData) out.sample(c.verdict == engine::Verdict::kDrift, labels);
  });
  out.gauge("vigie_feature_missing_ratio", "Share of the window's rows without a value in a column.");
  const Figures::Column* last = nullptr;
  each([&](const auto& c, const auto& labels) {
    // Its tests stand side by side.
    const bool again = last && last + 1 == &c && last->name == c.name;
    if (std::isfinite(c.missing) && !again) out.sample(c.missing, {labels[0], labels[1]});
    last = &c;
  });
  out.gauge("vigie_model_performance", "Metrics of the last window whose labels are there; part: of a class, or k.");
  for (const auto& [model, figures] : r.figures)
    for (const auto& m : figures->metrics)
      out.sample(m.value, {{"model", model}, {"metric", m.name}, {"part", m.part}});
}

void about_sources(Exposition& out, const Readings& r) {
  out.counter("vigie_source_records", "Records of files and standard input, since their source was started.");
  for (const auto& s : r.sources)
    for (const auto& [outcome, count] : {std::pair{"accepted", s.records.accepted},
                                         {"duplicate", s.records.duplicates},
                                         {"rejected", s.records.rejected}})
      out.sample(static_cast<double>(count), {{"source", s.feed.name}, {"outcome", outcome}});
  out.gauge("vigie_source_lag_bytes", "What of its files a source has not read.");
  for (const auto& s : r.sources) out.sample(static_cast<double>(s.lag), {{"source", s.feed.name}});
  out.gauge("vigie_source_failing", "1 while a source cannot read, waits for the journal, or finds no file.");
  for (const auto& s : r.sources) out.sample(!s.trouble.empty(), {{"source", s.feed.name}});
}

void about_shipping(Exposition& out, const Readings& r) {
  if (!r.shipping) return;
  const auto& c = r.shipping->counts;
  out.counter("vigie_ship_documents", "Documents by what became of them, since the service was started.");
  for (const auto& [outcome, count] :
       {std::pair{"stored", c.stored}, {"there", c.there}, {"diverted", c.diverted}, {"rejected", c.rejected}})
    out.sample(static_cast<double>(count), {{"outcome", outcome}});
  out.counter("vigie_ship_dropped_records", "Records that the journal kept no longer when they were to be shipped.");
  out.sample(static_cast<double>(r.shipping->dropped));
  out.gauge("vigie_ship_lag_records", "Records of the journal that are not known to be shipped.");
  out.sample(static_cast<double>(r.shipping->lag));
  out.gauge("vigie_ship_failing", "1 while nothing can be shipped, or some of it waits.");
  out.sample(!r.shipping->trouble.empty());
}

}  // namespace

void Exposition::family(std::string_view name, std::string_view type, std::string_view help) {
  const bool counter = type == "counter";
  name_ = counter ? fmt::format("{}_total", name) : std::string(name);
  const auto family = open_metrics_ ? std::string(name) : name_;
  out_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", family, escaped(help, false), family, type);
}

void Exposition::sample(double value, const Labels& labels) {
  out_ += name_;
  for (std::size_t i = 0; i < labels.size(); ++i)
    out_ += fmt::format("{}{}=\"{}\"", i ? "," : "{", labels[i].first, escaped(labels[i].second, true));
  if (!labels.empty()) out_ += '}';
  const bool whole = std::abs(value) < 9e15 && value == std::floor(value);
  out_ += whole ? fmt::format(" {:.0f}\n", value) : fmt::format(" {}\n", value);
}

std::string Exposition::take() {
  if (open_metrics_) out_ += "# EOF\n";
  return std::move(out_);
}

bool wants_open_metrics(std::string_view accept) {
  const double open = weight(accept, "application/openmetrics-text", "1.0.0");
  return open > 0 && open >= weight(accept, "text/plain", "");
}

Reply metrics_of(const Readings& r, std::string_view accept) {
  const bool open = wants_open_metrics(accept);
  Exposition out(open);
  out.gauge("vigie_build_info", "The program.");
  out.sample(1, {{"version", r.version}});
  out.gauge("vigie_healthy", "1 while what is accepted is read on, as /healthz says.");
  out.sample(r.healthy);
  about_models(out, r);
  about_windows(out, r);

  out.counter("vigie_ingest_records", "Records that came, since the start.");
  for (std::size_t k = 0; k < r.records.size(); ++k) {
    const auto& c = r.records[k];
    const std::string_view kind = k == Ingest::kLabels         ? "labels"
                                  : k == Ingest::kExplanations ? "explanations"
                                                               : "predictions";
    for (const auto& [outcome, count] :
         {std::pair{"accepted", c.accepted}, {"duplicate", c.duplicates}, {"rejected", c.rejected}})
      out.sample(static_cast<double>(count), {{"kind", kind}, {"outcome", outcome}});
  }
  about_sources(out, r);
  about_shipping(out, r);
  out.gauge("vigie_journal_bytes", "Size of the journal on disk.");
  out.sample(static_cast<double>(r.journal_bytes));
  out.counter("vigie_journal_records", "Records ever written to the journal, one for each request.");
  out.sample(static_cast<double>(r.journal_records));
  out.gauge("vigie_journal_lag_records", "Records of the journal that are not read yet.");
  out.sample(static_cast<double>(r.lag.records));
  out.gauge("vigie_journal_lag_seconds", "How long the oldest of them has waited, at most.");
  out.sample(1e-6 * static_cast<double>(r.lag.micros));
  out.counter("vigie_journal_lost", "Pieces of the journal that could not be read, since the start.");
  out.sample(static_cast<double>(r.lost));

  out.counter("vigie_http_requests", "Requests answered, by the class of their status.");
  for (std::size_t i = 1; i < r.http.answered.size(); ++i)
    out.sample(static_cast<double>(r.http.answered[i]), {{"class", fmt::format("{}xx", i + 1)}});
  out.gauge("vigie_http_connections", "Connections that are open.");
  out.sample(static_cast<double>(r.http.connections));
  if (r.http.certificate_end) {
    out.gauge("vigie_tls_certificate_end_timestamp_seconds", "When the certificate ends, since 1970.");
    out.sample(static_cast<double>(*r.http.certificate_end));
  }

  out.gauge("vigie_notices_waiting", "Notices that a target is yet to be told.");
  for (const auto& t : r.targets) out.sample(static_cast<double>(t.waiting), {{"target", t.name}});
  out.counter("vigie_notices_sent", "Notices that a target was told, since the start or reload.");
  for (const auto& t : r.targets) out.sample(static_cast<double>(t.sent), {{"target", t.name}});
  out.counter("vigie_notices_given_up", "Notices that a target will not be told, since the start or reload.");
  for (const auto& t : r.targets) out.sample(static_cast<double>(t.dead), {{"target", t.name}});
  out.gauge("vigie_notices_failing_seconds", "For how long a target could not be told; 0 while it can.");
  for (const auto& t : r.targets)
    out.sample(t.failing_since ? 1e-6 * static_cast<double>(r.now - t.failing_since) : 0, {{"target", t.name}});

  out.gauge("vigie_config_last_reload_successful", "Whether the settings were taken over when last asked.");
  out.sample(r.reloaded);
  out.gauge("vigie_config_last_reload_success_timestamp_seconds", "When they last were, since 1970.");
  out.sample(1e-6 * static_cast<double>(r.reloaded_at));
  about_process(out, r.data);
  out.append(r.samples);
  return {
      200, out.take(),
      open ? "application/openmetrics-text; version=1.0.0; charset=utf-8" : "text/plain; version=0.0.4; charset=utf-8"};
}

}  // namespace vigie::server
