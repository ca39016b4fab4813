// SPDX-License-Identifier: Apache-2.0
#include "store/elastic.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <mutex>

#include "base/clock.h"
#include "base/hash.h"
#include "base/iso_time.h"
#include "store/elastic_internal.h"
#include "store/records_internal.h"

namespace vigie::store {
namespace {

using elastic::array_of;
using elastic::Hit;
using elastic::member;
using elastic::text_of;
using elastic::whole_of;
using elastic::Write;
using Json = nlohmann::json;
using Kind = Write::Kind;

constexpr std::chrono::milliseconds kPatience{10'000};  // who asks the service over HTTP waits for this, too
constexpr int kTries = 100;                             // to append, while others do
constexpr std::size_t kPage = 100;                      // of documents with bodies
constexpr std::size_t kMostFound = 1'000'000;           // of what is not paged by who asks
constexpr std::int64_t kHeard = 60'000'000;             // µs between two signs of life
constexpr std::int64_t kOrphaned = 300'000'000;  // µs after which what another process did not tell is told by this one

std::string id_of(std::initializer_list<std::string_view> parts) {
  return stable_id({parts.begin(), parts.size()});
}

Json term(const char* field, Json value) {
  return {{"term", {{field, std::move(value)}}}};
}
Json below(const char* field, std::int64_t value) {
  return {{"range", {{field, {{"lt", value}}}}}};
}
Json from(const char* field, std::int64_t value) {
  return {{"range", {{field, {{"gte", value}}}}}};
}
Json above(const char* field, std::int64_t value) {
  return {{"range", {{field, {{"gt", value}}}}}};
}
Json all_of(Json filters) {
  return {{"bool", {{"filter", std::move(filters)}}}};
}
Json by(std::initializer_list<const char*> fields, const char* order = "asc") {
  Json out = Json::array();
  for (const auto* field : fields) out.push_back({{field, order}});
  return out;
}
std::string iso(std::int64_t micros) {
  return iso_time(static_cast<double>(micros));
}
Json time_or_null(std::int64_t micros) {
  return micros == 0 ? Json() : Json(iso(micros));
}
Json of_model(const std::string& model, std::int64_t time) {
  Json out{{"vigie", {{"model", {{"id", model}}}}}};
  if (auto at = iso(time); !at.empty()) out["@timestamp"] = std::move(at);
  return out;
}

class Elastic final : public Store {
 public:
  explicit Elastic(ElasticOptions options)
      : options_(std::move(options)), session_(options_.target.nodes, options_.target.access, {.answer = kPatience}) {}

  // Asks the cluster what it is, once it answers, and sees to the indexes.
  Status ready() const {
    const std::lock_guard lock(opening_);
    if (ready_) return {};
    VIGIE_ASSIGN(const auto cluster, session_.reach());
    for (const auto& [name, body] : templates_of(cluster, options_.target.prefix)) {
      VIGIE_TRY(session_.ask("PUT", "/_index_template/" + name, body));
      // What is there may be of an older vigie.
      VIGIE_TRY(session_.ask("PUT", fmt::format("/{}/_mapping?ignore_unavailable=true", name),
                             body["template"]["mappings"], 404));
      session_.refresh(name);  // what was put before a start anew, or by others
    }
    ready_ = true;
    return {};
  }

  Status put(std::span<const Window> windows) override {
    VIGIE_TRY(ready());
    std::vector<std::string> ids;
    for (const auto& w : windows) ids.push_back(id_of({w.model, w.key}));
    const std::string had[] = {"findings"};
    VIGIE_ASSIGN(const auto before, session_.get(name(kWindow), ids, had));
    std::vector<Write> writes;
    for (std::size_t i = 0; i < windows.size(); ++i) {
      const auto& w = windows[i];
      const auto findings = findings_of(w);
      auto source = of_model(w.model, w.start);
      add_window(w, source["vigie"]);
      source["body"] = w.body, source["findings"] = findings.size();
      source["kept"] = now(), source["condensed"] = false;
      writes.push_back({Kind::kIndex, name(kWindow), ids[i], std::move(source)});
      add_findings(findings, w, "w", whole_of(before[i], "findings"), writes);
    }
    return done(writes);
  }

  Status put(std::span<const Score> scores) override {
    VIGIE_TRY(ready());
    std::vector<std::string> ids;
    for (const auto& s : scores) ids.push_back(id_of({s.model, s.key}));
    const std::string start[] = {"vigie.window.start"}, had[] = {"findings"};
    VIGIE_ASSIGN(const auto windows, session_.get(name(kWindow), ids, start));
    VIGIE_ASSIGN(const auto before, session_.get(name(kScore), ids, had));
    std::vector<Write> writes;
    for (std::size_t i = 0; i < scores.size(); ++i) {
      const auto& s = scores[i];
      if (windows[i].is_null()) continue;
      Window window;
      window.model = s.model, window.key = s.key, window.start = whole_of(windows[i], "vigie.window.start");
      const auto findings = findings_of(window, s);
      auto source = of_model(s.model, window.start);
      source["vigie"]["window"] = {{"key", s.key}};
      auto& score = source["vigie"]["score"] = {{"verdict", s.verdict}, {"level", level_of(s.verdict)}};
      const auto body = Json::parse(s.body, nullptr, false);
      for (const auto* field : {"coverage", "labelled", "preliminary"})
        if (body.is_object() && body.contains(field)) score[field] = body[field];
      source["body"] = s.body, source["findings"] = findings.size();
      source["kept"] = now(), source["condensed"] = false;
      writes.push_back({Kind::kIndex, name(kScore), ids[i], std::move(source)});
      add_findings(findings, window, "s", whole_of(before[i], "findings"), writes);
    }
    return done(writes);
  }

  Result<std::vector<Window>> windows(const WindowQuery& query) const override {
    VIGIE_TRY(ready());
    Json body{{"query", all_of({term("vigie.model.id", query.model), below("vigie.window.start", query.to),
                                above("vigie.window.end", query.from)})},
              {"sort", by({"vigie.window.start", "vigie.window.key"})}};
    if (!query.after.empty()) {
      const std::string id[] = {id_of({query.model, query.after})}, start[] = {"vigie.window.start"};
      VIGIE_ASSIGN(const auto last, session_.get(name(kWindow), id, start));
      const auto began =
          last[0].is_null() ? std::numeric_limits<std::int64_t>::min() : whole_of(last[0], "vigie.window.start");
      body["search_after"] = {began, query.after};
    }
    return found_windows(std::move(body), query.model, query.most, true);
  }

  Result<std::vector<Window>> latest(std::string_view model, std::size_t most) const override {
    VIGIE_TRY(ready());
    Json body{{"query", all_of({term("vigie.model.id", model)})},
              {"sort", by({"vigie.window.start", "vigie.window.key"}, "desc")},
              {"_source", {"vigie.window.*"}}};
    VIGIE_ASSIGN(auto found, found_windows(std::move(body), std::string(model), most, false));
    std::reverse(found.begin(), found.end());
    return found;
  }

  Status put(std::span<const event::Incident> incidents, std::span<const Outgoing> outgoing,
             std::span<const event::AuditEntry> entries, std::int64_t version) override {
    VIGIE_TRY(ready());
    std::vector<Write> writes;
    for (const auto& i : incidents) {
      auto source = of_model(i.model, i.since);
      source["vigie"]["incident"] = {{"id", i.id},
                                     {"state", to_string(i.state)},
                                     {"severity", to_string(i.severity)},
                                     {"level", i.severity == event::Severity::kCritical ? 2 : 1},
                                     {"summary", i.summary},
                                     {"owner", i.owner},
                                     {"windows", i.windows},
                                     {"until", time_or_null(i.until)},
                                     {"opened", time_or_null(i.opened)},
                                     {"resolved", time_or_null(i.resolved)},
                                     {"false_alarm", i.false_alarm},
                                     {"columns", Json::array()}};
      for (const auto& cause : i.causes)
        if (!cause.column.empty()) source["vigie"]["incident"]["columns"].push_back(cause.column);
      source["since"] = i.since, source["body"] = event::to_json(i);
      if (i.state == event::Incident::State::kResolved) source["over"] = i.resolved;
      writes.push_back({Kind::kIndex, name(kIncident), i.id, std::move(source), version});
    }
    VIGIE_TRY(done(writes));
    VIGIE_TRY(put(entries));
    writes.clear();
    const std::lock_guard lock(numbering_);
    for (const auto& o : outgoing) {
      const auto& incident = o.notice.incident;
      auto source = of_model(incident.model, now());
      source["number"] = next_number(), source["target"] = o.target, source["incident"] = incident.id;
      source["kind"] = o.notice.kind, source["body"] = event::to_json(incident), source["node"] = options_.node;
      source["fate"] = Fate::kWaiting, source["attempts"] = 0, source["due"] = 0, source["why"] = "";
      writes.push_back({Kind::kCreate, name(kNotice), notice_id(o), std::move(source)});
    }
    return done(writes);
  }

  Result<std::vector<event::Incident>> incidents(const IncidentQuery& query) const override {
    VIGIE_TRY(ready());
    auto filters = Json::array({from("since", query.from), below("since", query.to)});
    if (!query.model.empty()) filters.push_back(term("vigie.model.id", query.model));
    if (query.state) filters.push_back(term("vigie.incident.state", to_string(*query.state)));
    Json body{{"query", all_of(std::move(filters))}, {"sort", by({"since", "vigie.incident.id"}, "desc")}};
    if (query.unresolved) body["query"]["bool"]["must_not"] = term("vigie.incident.state", "resolved");
    if (!query.after.empty()) {
      const std::string id[] = {query.after}, since[] = {"since"};
      VIGIE_ASSIGN(const auto last, session_.get(name(kIncident), id, since));
      const auto began = last[0].is_null() ? event::since_of_id(query.after) : whole_of(last[0], "since");
      if (!began) return std::vector<event::Incident>();
      body["search_after"] = {*began, query.after};
    }
    VIGIE_ASSIGN(const auto hits, session_.search(name(kIncident), std::move(body), query.most));
    std::vector<event::Incident> found;
    for (const auto& hit : hits) {
      VIGIE_ASSIGN(auto incident, event::incident_of_json(text_of(hit.source, "body")));
      found.push_back(std::move(incident));
    }
    return found;
  }

  Result<std::optional<event::Incident>> incident(std::string_view id) const override {
    VIGIE_TRY(ready());
    const std::string ids[] = {std::string(id)};
    VIGIE_ASSIGN(const auto found, session_.get(name(kIncident), ids));
    if (found[0].is_null()) return std::optional<event::Incident>();
    VIGIE_ASSIGN(auto incident, event::incident_of_json(text_of(found[0], "body")));
    return std::optional(std::move(incident));
  }

  // Who put a notice tells of it; of one that is not heard of any more another one takes it over, and only one of them:
  // the document is as it was found, or the second comes too late.
  Result<std::vector<Outgoing>> outgoing(std::int64_t after) const override {
    VIGIE_TRY(ready());
    const std::lock_guard lock(numbering_);  // what gets a number is there before a later one is looked for
    VIGIE_TRY(take_over());
    VIGIE_ASSIGN(
        const auto hits,
        session_.search(
            name(kNotice),
            {{"query", all_of({term("fate", Fate::kWaiting), term("node", options_.node), above("number", after)})},
             {"sort", by({"number"})}},
            1'000));
    std::vector<Outgoing> found;
    for (const auto& hit : hits) {
      VIGIE_ASSIGN(auto item, outgoing_of(hit.source));
      found.push_back(std::move(item));
    }
    return found;
  }

  Result<std::vector<Told>> notices(std::optional<Fate> fate, std::int64_t below_id, std::size_t most) const override {
    VIGIE_TRY(ready());
    auto filters = Json::array({below("number", below_id)});  // which signs of life have none of
    if (fate) filters.push_back(term("fate", *fate));
    Json body{{"query", all_of(std::move(filters))}, {"sort", by({"number", "incident", "target"}, "desc")}};
    VIGIE_ASSIGN(const auto hits, session_.search(name(kNotice), std::move(body), most));
    std::vector<Told> found;
    for (const auto& hit : hits) {
      VIGIE_ASSIGN(auto item, outgoing_of(hit.source));
      found.push_back({std::move(item), static_cast<Fate>(whole_of(hit.source, "fate")), text_of(hit.source, "why")});
    }
    return found;
  }

  Result<bool> resend(std::int64_t id, std::span<const event::AuditEntry> entries) override {
    VIGIE_TRY(ready());
    const std::lock_guard lock(numbering_);
    VIGIE_ASSIGN(const auto hits,
                 session_.search(name(kNotice),
                                 {{"query", all_of({term("number", id), term("fate", Fate::kGivenUp)})},
                                  {"sort", by({"number"})},
                                  {"seq_no_primary_term", true}},
                                 1));
    if (hits.empty()) return false;
    VIGIE_TRY(put(entries));
    return take(hits[0], {{"fate", Fate::kWaiting}, {"attempts", 0}, {"due", 0}, {"why", ""}});
  }

  Status settle(const Outgoing& item, Fate fate, std::string_view why,
                std::span<const event::AuditEntry> entries) override {
    VIGIE_TRY(ready());
    VIGIE_TRY(put(entries));
    const Write write{Kind::kUpdate, name(kNotice), notice_id(item),
                      Json{{"fate", fate}, {"why", why}, {"attempts", item.attempts}, {"due", item.due}}};
    return done(std::span(&write, 1));
  }

  Status put(std::span<const OpsPane> panes) override {
    VIGIE_TRY(ready());
    std::vector<Write> writes;
    for (const auto& p : panes) {
      Json source{{"source", p.source}, {"start", p.start}, {"part", p.part}, {"node", options_.node}};
      source["@timestamp"] = iso(p.start), source["body"] = http::base64(p.body);
      constexpr std::string_view kModel = "model/";
      if (p.source.starts_with(kModel)) source["vigie"]["model"]["id"] = p.source.substr(kModel.size());
      for (const auto& [name, value] : p.figures)
        if (std::isfinite(value)) source["vigie"]["ops"][name] = value;
      writes.push_back({Kind::kIndex, name(kOps),
                        id_of({options_.node, p.source, std::to_string(p.start), std::to_string(p.part)}),
                        std::move(source)});
    }
    return done(writes);
  }

  Result<std::vector<OpsPane>> ops(const OpsQuery& query) const override {
    VIGIE_TRY(ready());
    Json asked{{"query", all_of({term("source", query.source), from("start", query.from), below("start", query.to)})},
               {"sort", by({"start", "part", "node"}, query.latest ? "desc" : "asc")}};
    VIGIE_ASSIGN(const auto hits, session_.search(name(kOps), std::move(asked), query.most));
    std::vector<OpsPane> found;
    for (const auto& hit : hits) {
      const auto body = text_of(hit.source, "body");
      auto bytes = body.empty() ? std::optional<std::string>("") : http::from_base64(body);
      if (!bytes) return fail(Code::kCorrupt, fmt::format("{}: a body that is no base64", name(kOps)));
      found.push_back({query.source, whole_of(hit.source, "start"), whole_of(hit.source, "part"), std::move(*bytes)});
    }
    if (query.latest) std::reverse(found.begin(), found.end());
    return found;
  }

  Result<std::vector<std::string>> ops_sources() const override {
    VIGIE_TRY(ready());
    constexpr int kSources = 1'000;
    session_.refresh(name(kOps));
    std::vector<std::string> found;
    Json sources{{"size", kSources}, {"sources", Json::array({{{"source", {{"terms", {{"field", "source"}}}}}}})}};
    while (true) {
      VIGIE_TRY(session_.search(name(kOps), {{"sort", by({"start"})}}, 0));
      VIGIE_ASSIGN(const auto said, session_.ask("POST", fmt::format("/{}/_search?ignore_unavailable=true", name(kOps)),
                                                 {{"size", 0}, {"aggs", {{"all", {{"composite", sources}}}}}}));
      for (const auto& bucket : array_of(said, "aggregations.all.buckets"))
        found.push_back(text_of(bucket, "key.source"));
      const auto& after = member(said, "aggregations.all.after_key");
      if (!after.is_object()) return found;
      sources["after"] = after;
    }
  }

  Status forget_ops(std::int64_t before) override {
    VIGIE_TRY(ready());
    return session_.remove(name(kOps), below("start", before));
  }

  Status put(std::span<const Sample> samples) override {
    VIGIE_TRY(ready());
    std::vector<Write> writes;
    for (const auto& s : samples) {
      auto source = of_model(s.model, now());
      source["vigie"]["window"] = {{"key", s.key}};
      source["segment"] = s.segment, source["body"] = s.body, source["kept"] = now();
      auto id = id_of({options_.node, s.model, s.key, s.segment});
      source["id"] = id;
      writes.push_back({Kind::kIndex, name(kSample), std::move(id), std::move(source)});
    }
    return done(writes);
  }

  // What several processes sampled of a window and segment is one.
  Result<std::vector<Sample>> samples(std::string_view model, std::string_view key) const override {
    VIGIE_TRY(ready());
    Json body{{"query", all_of({term("vigie.model.id", model), term("vigie.window.key", key)})}, {"sort", by({"id"})}};
    VIGIE_ASSIGN(const auto hits, session_.search(name(kSample), std::move(body), kMostFound));
    std::map<std::string, std::string> bodies;
    for (const auto& hit : hits) {
      const auto rows = text_of(hit.source, "body");
      const auto [at, first] = bodies.try_emplace(text_of(hit.source, "segment"), rows);
      if (first) continue;
      if (at->second.size() <= 2)
        at->second = rows;
      else if (rows.size() > 2)
        at->second.back() = ',', at->second += rows.substr(1);
    }
    std::vector<Sample> found;
    for (auto& [segment, rows] : bodies)
      found.push_back({std::string(model), std::string(key), segment, std::move(rows)});
    return found;
  }

  // The one of now first: where it ends between, two are kept.
  Status put(const Profile& p) override {
    VIGIE_TRY(check_size(p));
    VIGIE_TRY(ready());
    const auto id = id_of({p.model, p.id});
    Json asked{{"query", all_of({term("vigie.model.id", p.model), term("current", true)})},
               {"sort", by({"made", "vigie.profile.id"})},
               {"_source", false}};
    VIGIE_ASSIGN(const auto before, session_.search(name(kProfile), std::move(asked), kMostFound));
    auto source = of_model(p.model, p.made);
    source["vigie"]["profile"] = {{"id", p.id},
                                  {"kind", p.kind},
                                  {"rows", p.rows},
                                  {"bytes", p.size},
                                  {"from", iso_or_null(p.from, p)},
                                  {"until", iso_or_null(p.to, p)}};
    source["made"] = p.made, source["from"] = p.from, source["to"] = p.to, source["body"] = p.body;
    source["kept"] = now(), source["current"] = true, source["packed"] = packed(p.bytes);
    std::vector<Write> writes{{Kind::kIndex, name(kProfile), id, std::move(source)}};
    for (const auto& hit : before)
      if (hit.id != id) writes.push_back({Kind::kUpdate, name(kProfile), hit.id, Json{{"current", false}}});
    return done(writes);
  }

  Result<std::vector<Profile>> profiles(const ProfileQuery& query) const override {
    VIGIE_TRY(ready());
    Json body{
        {"query", all_of({term("vigie.model.id", query.model), from("made", query.from), below("made", query.to)})},
        {"sort", by({"made", "vigie.profile.id"}, "desc")},
        {"_source", {{"excludes", {"packed"}}}}};
    if (!query.after.empty()) {
      const std::string id[] = {id_of({query.model, query.after})}, made[] = {"made"};
      VIGIE_ASSIGN(const auto last, session_.get(name(kProfile), id, made));
      if (last[0].is_null()) return std::vector<Profile>();
      body["search_after"] = {whole_of(last[0], "made"), query.after};
    }
    VIGIE_ASSIGN(const auto hits, session_.search(name(kProfile), std::move(body), query.most));
    std::vector<Profile> found;
    for (const auto& hit : hits) found.push_back(profile_of(query.model, hit.source));
    return found;
  }

  Result<std::optional<Profile>> profile(std::string_view model, std::string_view id) const override {
    VIGIE_TRY(ready());
    const std::string ids[] = {id_of({model, id})};
    VIGIE_ASSIGN(const auto found, session_.get(name(kProfile), ids));
    if (found[0].is_null()) return std::optional<Profile>();
    auto out = profile_of(std::string(model), found[0]);
    out.bytes = unpacked(text_of(found[0], "packed"));
    if (out.bytes.empty() != (out.size == 0))
      return fail(Code::kCorrupt, fmt::format("{}: profile {} is not what was written", name(kProfile), id));
    return std::optional(std::move(out));
  }

  Result<bool> forget(const Retention& keep, std::size_t most) override {
    VIGIE_TRY(ready());
    auto left = most;
    const auto time = now();
    const auto drop = [&](const char* what, Json query) -> Result<std::vector<Hit>> {
      if (left == 0) return std::vector<Hit>();
      Json body{{"query", std::move(query)}, {"sort", by({"_doc"})}, {"_source", false}};
      VIGIE_ASSIGN(auto hits, session_.search(name(what), std::move(body), left));
      std::vector<Write> writes;
      for (const auto& hit : hits) writes.push_back({Kind::kDelete, name(what), hit.id});
      VIGIE_TRY(done(writes));
      left -= hits.size();
      return hits;
    };
    VIGIE_TRY(drop(kWindow, below("kept", time - keep.windows)));
    VIGIE_TRY(drop(kScore, below("kept", time - keep.windows)));
    VIGIE_TRY(drop(kSample, below("kept", time - keep.details)));
    VIGIE_TRY(drop(kProfile, all_of({term("current", false), below("kept", time - keep.windows)})));
    VIGIE_TRY(session_.remove(name(kFinding), below("kept", time - keep.details)));
    for (const auto* what : {kWindow, kScore}) {
      if (left == 0) break;
      Json body{{"query", all_of({term("condensed", false), below("kept", time - keep.details)})},
                {"sort", by({"kept", "vigie.model.id", "vigie.window.key"})},
                {"_source", {"body"}}};
      VIGIE_ASSIGN(const auto hits, session_.search(name(what), std::move(body), left, kPage));
      std::vector<Write> writes;
      for (const auto& hit : hits) {
        const auto had = text_of(hit.source, "body");
        writes.push_back(
            {Kind::kUpdate, name(what), hit.id,
             Json{{"body", what == kWindow ? condensed_window(had) : condensed_score(had)}, {"condensed", true}}});
      }
      VIGIE_TRY(done(writes));
      if (what == kWindow) left -= hits.size();
    }
    VIGIE_ASSIGN(const auto over, drop(kIncident, below("over", time - keep.incidents)));
    if (!over.empty()) {
      auto ids = Json::array();
      for (const auto& hit : over) ids.push_back(hit.id);
      VIGIE_TRY(session_.remove(name(kNotice), all_of({{{"terms", {{"incident", ids}}}}, from("fate", 1)})));
    }
    return left == 0;
  }

  // One after the other, each once the one before is there: of two processes that append at the same time one finds
  // its number taken, and looks again.
  Status put(std::span<const event::AuditEntry> entries) override {
    VIGIE_TRY(ready());
    if (entries.empty()) return {};
    const std::lock_guard lock(appending_);
    std::vector<event::AuditEntry> fresh;
    auto& head = head_;
    bool looked = false;
    int tries = 0;
    for (std::size_t i = 0; i < entries.size() || !looked;) {
      if (!looked) {
        // In this order: what comes between the two takes the number behind the head.
        if (!knows_head_) {
          VIGIE_ASSIGN(head, read_head());
          knows_head_ = true;
        }
        VIGIE_ASSIGN(fresh, unknown_of(entries));
        looked = true, i = 0;
      }
      if (i == fresh.size()) break;
      auto& entry = fresh[i];
      event::seal(entry, head.number + 1, head.hash);
      auto source = of_model(entry.model, entry.time);
      source["number"] = entry.number, source["time"] = entry.time, source["key"] = entry.key;
      source["vigie"]["audit"] = {{"event", to_string(entry.happened)}}, source["body"] = event::to_json(entry);
      const Write writes[] = {{Kind::kCreate, name(kAudit), std::to_string(entry.number), std::move(source)},
                              {Kind::kIndex, name(kAudit), kGiven, Json{{"given", entry.number}}, entry.number}};
      const bool last = i + 1 == fresh.size();
      knows_head_ = false;
      VIGIE_ASSIGN(const auto said, session_.write(std::span(writes, last ? 2 : 1)));
      if (said[0] == 409) {
        if (++tries > kTries)
          return fail(Code::kCorrupt,
                      fmt::format("{}: entry {} is there and cannot be found", name(kAudit), entry.number));
        looked = false;
        continue;
      }
      tries = 0;
      head = {entry.number, entry.hash}, knows_head_ = true;
      ++i;
    }
    return {};
  }

  Result<std::vector<event::AuditEntry>> audit(const AuditQuery& query) const override {
    VIGIE_TRY(ready());
    auto filters = Json::array({above("number", query.after), from("time", query.from), below("time", query.to)});
    if (!query.model.empty()) filters.push_back(term("vigie.model.id", query.model));
    if (query.happened) filters.push_back(term("vigie.audit.event", to_string(*query.happened)));
    VIGIE_ASSIGN(
        const auto hits,
        session_.search(name(kAudit), {{"query", all_of(std::move(filters))}, {"sort", by({"number"})}}, query.most));
    std::vector<event::AuditEntry> found;
    for (const auto& hit : hits) {
      VIGIE_ASSIGN(auto entry, event::audit_of_json(text_of(hit.source, "body")));
      found.push_back(std::move(entry));
    }
    return found;
  }

  Result<std::optional<event::AuditEntry>> last_audit() const override {
    VIGIE_TRY(ready());
    VIGIE_ASSIGN(const auto hits, last_entry());
    if (hits.empty()) return std::optional<event::AuditEntry>();
    VIGIE_ASSIGN(auto entry, event::audit_of_json(text_of(hits[0].source, "body")));
    return std::optional(std::move(entry));
  }

  Result<AuditState> check_audit() const override {
    VIGIE_TRY(ready());
    AuditState state;
    std::size_t found = kPage;
    session_.refresh(name(kAudit));
    while (found == kPage) {
      VIGIE_ASSIGN(
          const auto hits,
          session_.search(name(kAudit), {{"query", above("number", state.last)}, {"sort", by({"number"})}}, kPage));
      for (const auto& hit : hits) {
        const auto& s = hit.source;
        const AuditRow row{whole_of(s, "number"),           whole_of(s, "time"), text_of(s, "vigie.model.id"),
                           text_of(s, "vigie.audit.event"), text_of(s, "key"),   text_of(s, "body")};
        if (!check_row(row, state)) return state;
      }
      found = hits.size();
    }
    VIGIE_ASSIGN(const auto given, given_number());
    const std::string next[] = {std::to_string(state.last + 1)};
    VIGIE_ASSIGN(const auto there, session_.get(name(kAudit), next));  // what came meanwhile is behind it, and there
    if (given > state.last && there[0].is_null())
      state.broken = state.last + 1,
      state.why = fmt::format("it is not there, nor is what followed it up to entry {}", given);
    return state;
  }

 private:
  static constexpr const char* kGiven = "given";
  struct Head {
    std::int64_t number = 0;  // the greatest that was given
    std::string hash = event::no_hash();
  };

  std::string name(const char* what) const { return fmt::format("{}-{}", options_.target.prefix, what); }
  std::int64_t now() const { return options_.now ? options_.now() : system_now(); }
  static Json iso_or_null(std::int64_t micros, const Profile& p) {
    return p.from == 0 && p.to == 0 ? Json() : Json(iso(micros));
  }
  static Profile profile_of(const std::string& model, const Json& source) {
    const auto& p = member(source, "vigie.profile");
    return {model,
            text_of(p, "id"),
            whole_of(source, "made"),
            text_of(p, "kind"),
            whole_of(source, "from"),
            whole_of(source, "to"),
            whole_of(p, "rows"),
            whole_of(p, "bytes"),
            text_of(source, "body")};
  }
  static std::string notice_id(const Outgoing& o) {
    const auto& incident = o.notice.incident;
    return id_of(
        {incident.id, std::to_string(incident.notices), std::to_string(static_cast<int>(o.notice.kind)), o.target});
  }
  // Under numbering_.
  std::int64_t next_number() const { return number_ = std::max(number_ + 1, now()); }

  Status take_over() const {
    if (now() - heard_ < kHeard) return {};
    const Write here{Kind::kIndex, name(kNotice), "node " + options_.node,
                     Json{{"alive", options_.node}, {"seen", now()}}};
    VIGIE_TRY(session_.write(std::span(&here, 1)));
    session_.refresh(name(kNotice));
    VIGIE_ASSIGN(const auto others,
                 session_.search(name(kNotice), {{"query", from("seen", now() - kOrphaned)}, {"sort", by({"alive"})}},
                                 kMostFound));
    auto alive = Json::array({options_.node});
    for (const auto& hit : others) alive.push_back(text_of(hit.source, "alive"));
    Json body{{"query", all_of({term("fate", Fate::kWaiting), below("number", now() - kOrphaned)})},
              {"sort", by({"number"})},
              {"seq_no_primary_term", true}};
    body["query"]["bool"]["must_not"] = {{"terms", {{"node", std::move(alive)}}}};
    VIGIE_ASSIGN(const auto orphans, session_.search(name(kNotice), std::move(body), kPage));
    for (const auto& hit : orphans) VIGIE_TRY(take(hit, Json::object()));
    heard_ = now();
    return {};
  }
  // A notice that was found is this one's from now on, with what is altered; false: somebody altered it meanwhile.
  Result<bool> take(const Hit& hit, Json altered) const {
    const auto path = fmt::format("/{}/_update/{}?if_seq_no={}&if_primary_term={}", name(kNotice),
                                  http::encoded(hit.id), hit.seq_no, hit.primary_term);
    altered["node"] = options_.node, altered["number"] = next_number();
    VIGIE_ASSIGN(const auto said, session_.ask("POST", path, {{"doc", std::move(altered)}}, 409));
    session_.refresh(name(kNotice));
    return said.is_object();
  }
  static Result<Outgoing> outgoing_of(const Json& source) {
    VIGIE_ASSIGN(auto incident, event::incident_of_json(text_of(source, "body")));
    return Outgoing{whole_of(source, "number"),
                    text_of(source, "target"),
                    {static_cast<event::Notice::Kind>(whole_of(source, "kind")), std::move(incident)},
                    whole_of(source, "attempts"),
                    whole_of(source, "due")};
  }
  Status done(std::span<const Write> writes) {
    if (writes.empty()) return {};
    VIGIE_TRY(session_.write(writes));
    return {};
  }

  void add_findings(const std::vector<Json>& findings, const Window& window, std::string_view of, std::int64_t had,
                    std::vector<Write>& writes) const {
    const auto count = static_cast<std::int64_t>(findings.size());
    for (std::int64_t i = 0; i < std::max(had, count); ++i) {
      auto id = id_of({window.model, window.key, of, std::to_string(i)});
      if (i >= count) {
        writes.push_back({Kind::kDelete, name(kFinding), std::move(id)});
        continue;
      }
      auto source = findings[static_cast<std::size_t>(i)];
      source["kept"] = now();
      writes.push_back({Kind::kIndex, name(kFinding), std::move(id), std::move(source)});
    }
  }

  Result<std::vector<Window>> found_windows(Json body, const std::string& model, std::size_t most, bool bodies) const {
    VIGIE_ASSIGN(const auto hits, session_.search(name(kWindow), std::move(body), most, bodies ? kPage : 1'000));
    std::vector<std::string> ids;
    for (const auto& hit : hits) ids.push_back(hit.id);
    const std::string verdict[] = {"vigie.score.verdict"};
    std::vector<Window> found;
    for (std::size_t i = 0; i < hits.size(); i += kPage) {
      const auto some = std::span(ids).subspan(i, std::min(kPage, ids.size() - i));
      VIGIE_ASSIGN(const auto scores,
                   session_.get(name(kScore), some, bodies ? std::span<const std::string>() : verdict));
      for (std::size_t k = 0; k < some.size(); ++k) {
        const auto& s = hits[i + k].source;
        const auto& w = member(s, "vigie.window");
        found.push_back({model, whole_of(w, "start"), whole_of(w, "end"), text_of(w, "key"), text_of(w, "verdict"),
                         text_of(s, "body")});
        if (scores[k].is_null()) continue;
        found.back().score_verdict = text_of(scores[k], "vigie.score.verdict");
        found.back().score = text_of(scores[k], "body");
      }
    }
    return found;
  }

  Result<std::vector<event::AuditEntry>> unknown_of(std::span<const event::AuditEntry> entries) const {
    constexpr std::size_t kKeys = 1'000;
    session_.refresh(name(kAudit));
    std::set<std::string> known;
    for (std::size_t i = 0; i < entries.size(); i += kKeys) {
      auto keys = Json::array();
      for (const auto& entry : entries.subspan(i, std::min(kKeys, entries.size() - i))) keys.push_back(entry.key);
      VIGIE_ASSIGN(
          const auto hits,
          session_.search(name(kAudit),
                          {{"query", {{"terms", {{"key", keys}}}}}, {"_source", {"key"}}, {"sort", by({"number"})}},
                          kMostFound));
      for (const auto& hit : hits) known.insert(text_of(hit.source, "key"));
    }
    std::vector<event::AuditEntry> fresh;
    for (const auto& entry : entries)
      if (known.insert(entry.key).second) fresh.push_back(entry);
    return fresh;
  }
  Result<std::vector<Hit>> last_entry() const {
    session_.refresh(name(kAudit));
    return session_.search(name(kAudit), {{"query", above("number", 0)}, {"sort", by({"number"}, "desc")}}, 1);
  }
  Result<std::int64_t> given_number() const {
    const std::string id[] = {kGiven};
    VIGIE_ASSIGN(const auto found, session_.get(name(kAudit), id));
    return found[0].is_null() ? 0 : whole_of(found[0], "given");
  }
  Result<Head> read_head() const {
    Head head;
    VIGIE_ASSIGN(head.number, given_number());  // first: what is appended meanwhile is among what is found then
    VIGIE_ASSIGN(const auto hits, last_entry());
    if (hits.empty()) return head;
    head.number = std::max(head.number, whole_of(hits[0].source, "number"));
    // Of one that was altered so that it cannot be read, what follows does not know the hash: the chain is broken.
    if (const auto last = event::audit_of_json(text_of(hits[0].source, "body"))) head.hash = last->hash;
    return head;
  }

  ElasticOptions options_;
  mutable elastic::Session session_;
  mutable std::mutex opening_;
  mutable bool ready_ = false;
  std::mutex appending_;
  Head head_;
  bool knows_head_ = false;
  mutable std::mutex numbering_;
  mutable std::int64_t number_ = 0, heard_ = 0;
};

}  // namespace

Result<std::unique_ptr<Store>> open_elastic(ElasticOptions options) {
  auto store = std::make_unique<Elastic>(std::move(options));
  if (auto ready = store->ready(); !ready && ready.error().code != Code::kUnavailable) return ready.error();
  return std::unique_ptr<Store>(std::move(store));
}

}  // namespace vigie::store
