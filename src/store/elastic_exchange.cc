// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <zstd.h>

#include <algorithm>

#include "base/clock.h"
#include "base/hash.h"
#include "http/client.h"
#include "store/elastic_internal.h"
#include "store/exchange.h"

namespace vigie::store {
namespace {

using elastic::text_of;
using elastic::whole_of;
using elastic::Write;
using Json = nlohmann::json;

constexpr std::size_t kPage = 20;              // of documents with bodies
constexpr std::size_t kMostBytes = 256 << 20;  // of a body
constexpr std::size_t kMostSigns = 10'000;

}  // namespace

std::string packed(std::string_view bytes) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), 1));
  return http::base64(out);
}

std::string unpacked(const std::string& text) {
  const auto bytes = http::from_base64(text);
  const auto size = bytes ? ZSTD_getFrameContentSize(bytes->data(), bytes->size()) : ZSTD_CONTENTSIZE_ERROR;
  if (size > kMostBytes) return {};
  std::string out(size, '\0');
  if (ZSTD_decompress(out.data(), out.size(), bytes->data(), bytes->size()) != size) return {};
  return out;
}

namespace {

std::string body_of(const Json& source) {
  return unpacked(text_of(source, "body"));
}

class ElasticExchange final : public Exchange {
 public:
  explicit ElasticExchange(ElasticOptions options)
      : options_(std::move(options)),
        session_(options_.target.nodes, options_.target.access),
        index_(fmt::format("{}-{}", options_.target.prefix, kShared)) {
    session_.ask_one_copy();
  }

  const std::string& name() const override { return options_.node; }

  Status say(std::span<const Message> messages) override {
    std::vector<Write> writes;
    for (const auto& m : messages) {
      auto& write =
          writes.emplace_back(Write::Kind::kCreate, index_, id_of({"message", name(), std::to_string(m.number)}),
                              document("message", m.number, m.body));
      if (m.lasts.empty()) continue;
      write.kind = Write::Kind::kIndex, write.id = id_of({"lasting", name(), m.lasts});
      write.source["lasts"] = true;
    }
    return write(writes);
  }

  Result<std::vector<Message>> said(const std::string& by, std::int64_t after, std::size_t most) override {
    std::vector<Message> found;
    VIGIE_TRY(ready());
    VIGIE_ASSIGN(const auto hits, find("message", by, after, most));
    for (const auto& hit : hits)
      found.push_back(
          {.number = whole_of(hit.source, "number"), .body = body_of(hit.source), .at = whole_of(hit.source, "at")});
    return found;
  }

  Status put(std::span<const Part> parts) override {
    std::vector<Write> writes;
    for (const auto& p : parts) {
      auto source = document("part", p.number, p.body);
      source["model"] = p.model, source["window"] = p.window;
      writes.push_back(
          {Write::Kind::kIndex, index_, id_of({"part", name(), p.model, std::to_string(p.window)}), std::move(source)});
    }
    return write(writes);
  }

  Result<std::vector<Part>> parts(const std::string& by, std::int64_t after, std::size_t most) override {
    std::vector<Part> found;
    VIGIE_TRY(ready());
    VIGIE_ASSIGN(const auto hits, find("part", by, after, most));
    for (const auto& hit : hits) {
      const auto& s = hit.source;
      found.emplace_back(text_of(s, "model"), whole_of(s, "window"), whole_of(s, "number"), body_of(s));
    }
    return found;
  }

  Status put(const Sign& sign) override {
    auto source = document("sign", sign.count, sign.body);
    source["message"] = sign.message, source["part"] = sign.part;
    const Write one{Write::Kind::kIndex, index_, id_of({"sign", name()}), std::move(source)};
    return write(std::span(&one, 1));
  }

  Result<std::vector<Sign>> signs() override {
    std::vector<Sign> found;
    VIGIE_TRY(ready());
    session_.refresh(index_);
    VIGIE_ASSIGN(
        const auto hits,
        session_.search(index_, {{"query", {{"term", {{"kind", "sign"}}}}}, {"sort", Json::array({{{"node", "asc"}}})}},
                        kMostSigns));
    for (const auto& hit : hits) {
      const auto& s = hit.source;
      found.emplace_back(text_of(s, "node"), whole_of(s, "number"), whole_of(s, "message"), whole_of(s, "part"),
                         body_of(s), whole_of(s, "at"));
    }
    return found;
  }

  Result<Common> common(const std::string& what) override {
    VIGIE_TRY(ready());
    Common found;
    VIGIE_ASSIGN(const auto said,
                 session_.ask("GET", fmt::format("/{}/_doc/{}", index_, common_id(what)), nullptr, 404));
    if (!said.is_object()) return found;
    found.number = whole_of(said, "_seq_no"), found.term = whole_of(said, "_primary_term");
    found.body = body_of(elastic::member(said, "_source"));
    return found;
  }

  Result<bool> replace(const std::string& what, const std::string& body, Common& at) override {
    VIGIE_TRY(ready());
    const auto path = at.number < 0 ? fmt::format("/{}/_create/{}", index_, common_id(what))
                                    : fmt::format("/{}/_doc/{}?if_seq_no={}&if_primary_term={}", index_,
                                                  common_id(what), at.number, at.term);
    auto source = document("common", 0, body);
    source["name"] = what;
    VIGIE_ASSIGN(const auto said, session_.ask("PUT", path, source, 409));
    if (!said.is_object()) return false;
    at = {body, whole_of(said, "_seq_no"), whole_of(said, "_primary_term")};
    return true;
  }

  Status forget(std::int64_t before) override {
    VIGIE_TRY(ready());
    session_.refresh(index_);
    Json old{{"range", {{"at", {{"lt", before}}}}}};
    Json kept = Json::array({{{"term", {{"kind", "common"}}}}, {{"term", {{"lasts", true}}}}});
    return session_.remove(index_, {{"bool", {{"filter", std::move(old)}, {"must_not", std::move(kept)}}}});
  }

 private:
  static std::string id_of(std::initializer_list<std::string_view> parts) {
    return stable_id({parts.begin(), parts.size()});
  }
  static std::string common_id(const std::string& what) { return id_of({"common", what}); }

  Json document(const char* kind, std::int64_t number, std::string_view body) const {
    return {{"kind", kind}, {"node", name()}, {"number", number}, {"at", system_now()}, {"body", packed(body)}};
  }

  Result<std::vector<elastic::Hit>> find(const char* kind, const std::string& by, std::int64_t after,
                                         std::size_t most) {
    Json filters = Json::array(
        {{{"term", {{"kind", kind}}}}, {{"term", {{"node", by}}}}, {{"range", {{"number", {{"gt", after}}}}}}});
    return session_.search(
        index_, {{"query", {{"bool", {{"filter", std::move(filters)}}}}}, {"sort", Json::array({{{"number", "asc"}}})}},
        most, kPage);
  }

  Status write(std::span<const Write> writes) {
    if (writes.empty()) return {};
    VIGIE_TRY(ready());
    VIGIE_ASSIGN(const auto statuses, session_.write(writes));
    return {};
  }

  // Without its template the cluster would look into bodies.
  Status ready() {
    if (ready_) return {};
    VIGIE_ASSIGN(const auto cluster, session_.reach());
    for (const auto& [name, body] : templates_of(cluster, options_.target.prefix))
      if (name == index_) VIGIE_TRY(session_.ask("PUT", "/_index_template/" + name, body));
    ready_ = true;
    return {};
  }

  ElasticOptions options_;
  elastic::Session session_;
  std::string index_;
  bool ready_ = false;
};

}  // namespace

std::unique_ptr<Exchange> open_exchange(ElasticOptions options) {
  return std::make_unique<ElasticExchange>(std::move(options));
}

}  // namespace vigie::store
