// SPDX-License-Identifier: Apache-2.0
#include "source/feed.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "base/json.h"
#include "base/text.h"
#include "source/source.h"

namespace vigie::source {
namespace {

constexpr std::size_t kMost = 100;  // each has a thread

constexpr Param kFileParams[] = {
    {.name = "path",
     .doc = "of a file, or of many: /var/log/credit/*.ndjson, those that come later among them; - is standard input",
     .required = true},
    {.name = "model", .doc = "whose records they are", .required = true},
    {.name = "kind", .fallback = "predictions", .doc = "predictions, labels or explanations"},
    {.name = "as", .doc = "what it is called; default: the model and the kind, as credit/predictions"},
    {.name = "id", .doc = "key that lines have for id; of keys in each other as request.id, here and below"},
    {.name = "timestamp", .doc = "likewise for timestamp"},
    {.name = "label", .doc = "likewise for label"},
    {.name = "prediction", .doc = "likewise for prediction"},
    {.name = "score", .doc = "likewise for score"},
    {.name = "scores", .doc = "likewise for scores"},
    {.name = "version", .doc = "likewise for version"},
    {.name = "latency_ms", .doc = "likewise for latency_ms"},
    {.name = "status", .doc = "likewise for status"},
    {.name = "tags", .doc = "likewise for tags"},
    {.name = "attributions", .doc = "likewise for attributions"},
    {.name = "boxes", .doc = "likewise for boxes"},
    {.name = "image_size", .doc = "likewise for image_size"},
    {.name = "features", .doc = "likewise for features; * for all keys that are neither named here nor of a record"},
};
constexpr std::size_t kFirstField = 4;

constexpr std::pair<std::string_view, event::Kind> kRecords[] = {{"predictions", event::Kind::kPredictions},
                                                                 {"labels", event::Kind::kLabels},
                                                                 {"explanations", event::Kind::kExplanations}};

constexpr FeedKind kKinds[] = {
    {.name = "file",
     .summary = "files of records, one JSON object a line, followed as they grow and are rotated",
     .params = kFileParams},
};

}  // namespace

std::span<const FeedKind> feed_kinds() {
  return kKinds;
}

std::string_view Feed::kind_name() const {
  return std::find_if(std::begin(kRecords), std::end(kRecords), [&](const auto& r) { return r.second == kind; })->first;
}

std::unique_ptr<Lines> Feed::lines(std::vector<Position> positions) const {
  if (path == "-") return std::make_unique<Pipe>(STDIN_FILENO, "standard input");
  return std::make_unique<Tail>(path, std::move(positions),
                                [](std::string_view line) { return !parse_json(line).is_discarded(); });
}

Result<Feed> make_feed(std::string_view spec, const Environment& environment) {
  const auto named = trim(spec.substr(0, spec.find('(')));
  if (named != kKinds[0].name) {
    for (const auto* other : sources())
      if (other->name == named)
        return fail(Code::kUsage, fmt::format("{} gives samples and no records: sample takes it", named));
    std::vector<std::string> names;
    for (const auto& kind : kKinds) names.emplace_back(kind.name);
    return fail(Code::kUsage, unknown_of("source", named.substr(0, named.find(':')), names));
  }
  const auto call = parse_call(spec);
  if (!call) return fail(Code::kUsage, fmt::format("{}: {}", named, call.error().message));
  VIGIE_ASSIGN(const auto settings, read_settings(*call, kFileParams, environment));
  Feed feed;
  feed.path = settings["path"], feed.model = settings["model"], feed.name = settings["as"];
  if (auto good = event::check_model(feed.model); !good)
    return fail(Code::kUsage, fmt::format("file.model: {}", good.error().message));
  const auto& kind = settings["kind"];
  const auto records =
      std::find_if(std::begin(kRecords), std::end(kRecords), [&](const auto& r) { return r.first == kind; });
  if (records == std::end(kRecords)) {
    std::vector<std::string> kinds;
    for (const auto& [name, value] : kRecords) kinds.emplace_back(name);
    return fail(Code::kUsage, fmt::format("file.kind: {}", unknown_of("kind", kind, kinds)));
  }
  feed.kind = records->second;
  if (feed.name.empty()) feed.name = fmt::format("{}/{}", feed.model, kind);
  if (feed.name.size() > 200)
    return fail(Code::kUsage, fmt::format("file.as: expected at most 200 bytes, got {}", feed.name.size()));
  for (const auto& param : std::span(kFileParams).subspan(kFirstField)) {
    const auto& key = settings[param.name];
    if (key == "*" && param.name != "features")
      return fail(Code::kUsage, fmt::format("file.{}: expected the key of lines; * is for features", param.name));
    if (!key.empty()) feed.fields.names.emplace_back(param.name, key);
  }
  return feed;
}

Status check(std::span<const Feed> feeds) {
  if (feeds.size() > kMost)
    return fail(Code::kUsage,
                fmt::format("{} sources; expected at most {}: a path may have wildcards", feeds.size(), kMost));
  std::set<std::string_view> names;
  for (const auto& feed : feeds)
    if (!names.insert(feed.name).second)
      return fail(Code::kUsage,
                  fmt::format("two sources are called {}: as=… tells them apart", vigie::quoted(feed.name)));
  if (std::count_if(feeds.begin(), feeds.end(), [](const Feed& feed) { return feed.path == "-"; }) > 1)
    return fail(Code::kUsage, "path=-: standard input can be only one of them");
  return {};
}

}  // namespace vigie::source
