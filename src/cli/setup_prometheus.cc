// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "cli/setup_internal.h"

namespace vigie::cli {
namespace {

struct Rule {
  std::string_view name, expr, wait, severity, summary, why;
};

constexpr Rule kRules[] = {
    {"VigieDown", "up{job=\"vigie\"} == 0", "2m", "critical", "vigie at {{ $labels.instance }} does not answer",
     "Models are not watched. Is it running; is its token still good; did its certificate end?"},
    {"VigieUnhealthy", "vigie_healthy == 0", "1m", "critical", "vigie at {{ $labels.instance }} cannot read on",
     "What it accepts is kept, and not looked at. GET /healthz says why; a full disk is the usual reason."},
    {"VigieBehind", "vigie_journal_lag_seconds > 60", "5m", "warning",
     "vigie at {{ $labels.instance }} is {{ $value | humanizeDuration }} behind",
     "Windows and incidents come late. More comes than it can look at, or the disk is slow."},
    {"VigieLost", "increase(vigie_journal_lost_total[1h]) > 0", "0m", "critical",
     "vigie at {{ $labels.instance }} could not read a part of its journal",
     "Bytes on the disk were altered after they were written. GET /healthz names the place."},
    {"VigieRejects",
     "sum by (instance, kind) (rate(vigie_ingest_records_total{outcome=\"rejected\"}[10m])) > 0.01 * sum by (instance, "
     "kind) (rate(vigie_ingest_records_total[10m]))",
     "10m", "warning", "vigie at {{ $labels.instance }} rejects more than 1 % of {{ $labels.kind }}",
     "A sender has changed what it sends. The answers to its requests say what is wrong with each record."},
    {"VigieErrors", "sum by (instance) (rate(vigie_http_requests_total{class=\"5xx\"}[10m])) > 0", "10m", "warning",
     "vigie at {{ $labels.instance }} answers requests with 5xx", "See its log, and GET /healthz."},
    {"VigieCannotTell", "vigie_notices_failing_seconds > 900", "0m", "critical",
     "vigie at {{ $labels.instance }} cannot tell {{ $labels.target }} of incidents",
     "People are not woken by it. Its log says what the target answers; vigie notify test tries it."},
    {"VigieGaveUp", "increase(vigie_notices_given_up_total[1h]) > 0", "0m", "critical",
     "vigie at {{ $labels.instance }} gave up telling {{ $labels.target }} of an incident",
     "Somebody was not told. GET /v1/incidents has what is open."},
    {"VigieShipping", "vigie_ship_failing == 1", "5m", "warning",
     "vigie at {{ $labels.instance }} ships nothing, or some of it waits",
     "What comes is kept in its journal and goes later, as long as that keeps it. vigie doctor and GET /v1/shipping "
     "say "
     "why."},
    {"VigieShippingLost", "increase(vigie_ship_dropped_records_total[1h]) > 0", "0m", "critical",
     "the journal of vigie at {{ $labels.instance }} kept records no longer when they were to be shipped",
     "They are in no index. Shipping waited longer than journal.keep_bytes and keep_age of vigie.yaml allow."},
    {"VigieDisk", "vigie_data_free_bytes < 0.1 * vigie_data_size_bytes", "10m", "warning",
     "the disk of vigie at {{ $labels.instance }} is nearly full",
     "When it is, records are answered 429 until there is room. journal.keep_bytes of vigie.yaml bounds the journal."},
    {"VigieReload", "vigie_config_last_reload_successful == 0", "5m", "warning",
     "vigie at {{ $labels.instance }} goes on with old settings",
     "What it was told last could not be taken over; its log says why. vigie config --check looks a file through."},
    {"VigieCertificate", "vigie_tls_certificate_end_timestamp_seconds - time() < 14 * 86400", "1h", "warning",
     "the certificate of vigie at {{ $labels.instance }} ends in {{ $value | humanizeDuration }}",
     "Renew the file, then kill -HUP."},
    {"VigieModelSilent", "time() - vigie_last_record_timestamp_seconds > 86400", "0m", "warning",
     "nothing came of {{ $labels.model }} for {{ $value | humanizeDuration }}",
     "It is not used any more, or its predictions do not arrive."},
    {"VigieIncident", "sum by (instance, model) (vigie_incidents_open{severity=\"critical\"}) > 0", "0m", "critical",
     "{{ $labels.model }} has an open incident", "GET /v1/incidents, or the page of vigie, has its causes."}};

// As a scalar of YAML in single quotes.
std::string scalar(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out.append(c == '\'' ? 2 : 1, c);
  return out + "'";
}

std::string rules() {
  std::string out =
      "# Rules of Prometheus for vigie serve, by vigie setup prometheus. promtool check rules looks them through.\n"
      "groups:\n  - name: vigie\n    rules:\n";
  for (const auto& rule : kRules) {
    out += fmt::format("      - alert: {}\n        expr: {}\n", rule.name, scalar(rule.expr));
    if (rule.wait != "0m") out += fmt::format("        for: {}\n", rule.wait);
    out += fmt::format(
        "        labels: {{severity: {}}}\n        annotations:\n          summary: {}\n          description: {}\n",
        rule.severity, scalar(rule.summary), scalar(rule.why));
  }
  return out;
}

}  // namespace

std::vector<Written> prometheus_files(const Watched& service) {
  const auto scheme = service.url.substr(0, service.url.find("://"));
  std::string job = fmt::format("  - job_name: vigie\n    scheme: {}\n    static_configs:\n      - targets: [{}]\n",
                                scheme, scalar(service.url.substr(scheme.size() + 3)));
  if (!service.token_file.empty())
    job += fmt::format("    authorization: {{type: Bearer, credentials_file: {}}}\n", scalar(service.token_file));
  if (!service.ca.empty()) job += fmt::format("    tls_config: {{ca_file: {}}}\n", scalar(service.ca));
  return {{"vigie.prometheus.yml", "how /metrics is scraped: a whole configuration, or its parts for one that is there",
           fmt::format("# A configuration of Prometheus for vigie serve, by vigie setup prometheus.\n"
                       "global:\n  scrape_interval: 15s\n  evaluation_interval: 15s\n"
                       "rule_files:\n  - vigie.rules.yml\nscrape_configs:\n{}",
                       job)},
          {"vigie.rules.yml", "what is told of vigie itself, and of open incidents", rules()}};
}

}  // namespace vigie::cli
