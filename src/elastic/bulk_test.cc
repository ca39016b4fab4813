// SPDX-License-Identifier: Apache-2.0
#include "elastic/bulk.h"

#include <gtest/gtest.h>

namespace vigie::elastic {
namespace {

Bulk of(std::vector<std::string_view> ids) {
  Bulk bulk;
  for (const auto id : ids) bulk.add({id, "logs", R"({"a":1})"});
  return bulk;
}

Result<http::Answer> answer(std::string body, unsigned status = 200) {
  return http::Answer{status, std::move(body), {}};
}

std::vector<Fate> fates(const Outcome& outcome) {
  std::vector<Fate> out;
  for (const auto& told : outcome.items) out.push_back(told.fate);
  return out;
}

TEST(Bulk, IsAnActionAndADocumentEach) {
  Bulk bulk;
  bulk.add({"a", "logs", R"({"x": 1})", R"("@timestamp":"2026-11-27")", 1, 7});
  bulk.add({"b\"", "logs", "{ }", R"("v":2)"});
  bulk.add({"", "logs", R"({"x":3})"});
  EXPECT_EQ(bulk.text(),
            "{\"create\":{\"_index\":\"logs\",\"_id\":\"a\"}}\n{\"@timestamp\":\"2026-11-27\",\"x\": 1}\n"
            "{\"create\":{\"_index\":\"logs\",\"_id\":\"b\\\"\"}}\n{\"v\":2 }\n"
            "{\"create\":{\"_index\":\"logs\"}}\n{\"x\":3}\n");
  Bulk part;
  part.add(bulk, 2), part.add(bulk, 0);
  EXPECT_EQ(part.text(),
            "{\"create\":{\"_index\":\"logs\"}}\n{\"x\":3}\n"
            "{\"create\":{\"_index\":\"logs\",\"_id\":\"a\"}}\n{\"@timestamp\":\"2026-11-27\",\"x\": 1}\n");
  EXPECT_EQ(part.source(1), "{\"@timestamp\":\"2026-11-27\",\"x\": 1}");
  EXPECT_EQ(part.action(0), "{\"create\":{\"_index\":\"logs\"}}");
  EXPECT_EQ(part.items()[1].number, 7U);
}

TEST(Bulk, AllStored) {
  const auto outcome = settle(
      of({"a", "b"}),
      answer(R"({"errors":false,"items":[{"create":{"_id":"a","status":201}},{"create":{"_id":"b","status":201}}]})"));
  EXPECT_EQ(outcome.whole, Whole::kItems);
  EXPECT_EQ(fates(outcome), (std::vector{Fate::kStored, Fate::kStored}));
}

TEST(Bulk, EachItemByItsStatus) {
  const std::pair<const char*, Fate> cases[] = {
      {R"("status":201)", Fate::kStored},
      {R"("status":200)", Fate::kStored},
      {R"("status":409,"error":{"type":"version_conflict_engine_exception","reason":"r"})", Fate::kThere},
      {R"("status":429,"error":{"type":"es_rejected_execution_exception","reason":"r"})", Fate::kAgain},
      {R"("status":429,"error":{"type":"rejected_execution_exception","reason":"r"})", Fate::kAgain},
      {R"("status":503,"error":{"type":"unavailable_shards_exception","reason":"r"})", Fate::kAgain},
      {R"("status":500,"error":{"type":"circuit_breaking_exception","reason":"r"})", Fate::kAgain},
      {R"("status":400,"error":{"type":"mapper_parsing_exception","reason":"r"})", Fate::kRejected},
      {R"("status":400,"error":"a text")", Fate::kRejected},
      {R"("status":404,"error":{"type":"index_not_found_exception","reason":"r"})", Fate::kRejected},
      {R"("status":403,"error":{"type":"cluster_block_exception","reason":"r"})", Fate::kBlocked},
      {R"("status":429,"error":{"type":"cluster_block_exception","reason":"r"})", Fate::kBlocked},
      {R"("status":403,"error":{"type":"security_exception","reason":"r"})", Fate::kBlocked},
      {R"("status":400,"error":{"type":"index_closed_exception","reason":"closed"})", Fate::kBlocked},
      {R"("status":400,"error":{"type":"validation_exception","reason":"this action would add [2] shards, but"})",
       Fate::kBlocked},
      {R"("status":400,"error":{"type":"validation_exception","reason":"r"})", Fate::kRejected},
      {R"("status":400,"error":{"type":"illegal_argument_exception","reason":"no write index is defined for alias [l]. The write index may be"})",
       Fate::kBlocked},
      {R"("status":201,"failure_store":"used")", Fate::kDiverted}};
  for (const auto& [item, fate] : cases) {
    const auto outcome = settle(
        of({"a", "b"}),
        answer(std::string(R"({"errors":true,"items":[{"create":{"_id":"a","status":201}},{"create":{"_id":"b",)") +
               item + "}}]}"));
    EXPECT_EQ(outcome.whole, Whole::kItems) << item;
    EXPECT_EQ(fates(outcome), (std::vector{Fate::kStored, fate})) << item;
  }
  // 200 OK, and yet not stored where it should be.
  const auto diverted = settle(
      of({"a"}), answer(R"({"errors":false,"items":[{"create":{"_id":"a","status":201,"failure_store":"used"}}]})"));
  EXPECT_EQ(fates(diverted), std::vector{Fate::kDiverted});
}

TEST(Bulk, ItemsAreMatchedById) {
  const auto outcome = settle(of({"a", "b", "c", "a"}), answer(R"({"errors":true,"items":[
      {"create":{"_id":"a","status":201}},{"create":{"_id":"c","status":400,"error":{"type":"t","reason":"c is bad"}}},
      {"create":{"_id":"b","status":429,"error":"busy"}},{"create":{"_id":"a","status":409,"error":{"type":"v"}}}]})"));
  EXPECT_EQ(fates(outcome), (std::vector{Fate::kStored, Fate::kAgain, Fate::kRejected, Fate::kThere}));
  EXPECT_EQ(outcome.items[2].reason, "c is bad");
  EXPECT_EQ(outcome.items[1].reason, "busy");
  // Those without an id come as they were sent.
  const auto nameless = settle(
      of({"", ""}),
      answer(R"({"errors":true,"items":[{"create":{"_id":"x","status":201}},{"create":{"_id":"y","status":400}}]})"));
  EXPECT_EQ(fates(nameless), (std::vector{Fate::kStored, Fate::kRejected}));
}

TEST(Bulk, AnAnswerThatIsNoneIsAskedForAgain) {
  for (const char* body :
       {"", "{}", "<html>", R"({"errors":false,"items":[{"create":{"_id":"a","status":201}}]})",
        R"({"errors":true,"items":[{"create":{"_id":"a","status":201}}]})",
        R"({"errors":true,"items":[{"create":{"_id":"a","status":201}},{"create":{"_id":"z","status":201}}]})",
        R"({"errors":true,"items":[1,2]})", R"({"errors":true,"items":[{},{}]})"})
    EXPECT_EQ(settle(of({"a", "b"}), answer(body)).whole, Whole::kAgain) << body;
  const auto nobody = settle(of({"a"}), fail(Code::kUnavailable, "http://es: refused"));
  EXPECT_EQ(nobody.whole, Whole::kAgain);
  EXPECT_EQ(nobody.why, "http://es: refused");
}

TEST(Bulk, AnErrorSaysItsCause) {
  EXPECT_EQ(why_of(R"({"error":{"root_cause":[{"type":"query_shard_exception","reason":"Failed to parse query [a:(]",
      "index":"l"}],"type":"search_phase_execution_exception","reason":"all shards failed","phase":"query",
      "failed_shards":[{"shard":0,"reason":{"type":"query_shard_exception","reason":"Failed to parse query [a:(]",
      "caused_by":{"type":"parse_exception","reason":"Cannot parse 'a:(': Encountered \"<EOF>\" at line 1, column 3.\nWas expecting one of:\n    <NOT> ...",
      "caused_by":{"type":"parse_exception","reason":"Encountered \"<EOF>\" at line 1, column 3.\nWas expecting one of:"}}}}]},"status":400})"),
            "query_shard_exception: Failed to parse query [a:(]: Cannot parse 'a:(': Encountered \"<EOF>\" at line 1, "
            "column 3.");
  EXPECT_EQ(why_of(R"({"error":{"type":"search_phase_execution_exception","reason":"all shards failed"}})"),
            "search_phase_execution_exception: all shards failed");
  EXPECT_EQ(why_of(R"({"error":{"root_cause":[],"type":"search_phase_execution_exception","reason":"","phase":"fetch",
      "failed_shards":[],"caused_by":{"type":"too_many_buckets_exception","reason":"Trying to create too many buckets.",
      "max_buckets":50}},"status":503})"),
            "too_many_buckets_exception: Trying to create too many buckets.");
}

TEST(Bulk, TheWholeByItsStatus) {
  const std::pair<unsigned, Whole> cases[] = {
      {400, Whole::kHalve},   {401, Whole::kForbidden}, {403, Whole::kForbidden}, {404, Whole::kRefused},
      {406, Whole::kRefused}, {408, Whole::kAgain},     {413, Whole::kHalve},     {429, Whole::kAgain},
      {500, Whole::kAgain},   {502, Whole::kAgain},     {503, Whole::kAgain},     {504, Whole::kAgain}};
  for (const auto& [status, whole] : cases) EXPECT_EQ(settle(of({"a"}), answer("", status)).whole, whole) << status;
  const auto blocked = settle(
      of({"a"}), answer(R"({"error":{"type":"cluster_block_exception","reason":"read-only"},"status":403})", 403));
  EXPECT_EQ(blocked.whole, Whole::kAgain);
  EXPECT_EQ(blocked.why, "403: cluster_block_exception: read-only");
  EXPECT_EQ(settle(of({"a"}), answer("Unauthorized", 401)).why, "401: \"Unauthorized\"");
  EXPECT_EQ(settle(of({"a"}), answer(R"({"error":"no handler"})", 400)).why, "400: no handler");
  EXPECT_EQ(settle(of({"a"}), http::Answer{429, "", {}}).status, 429U);
  EXPECT_EQ(settle(of({"a"}), http::Answer{429, "", {{"retry-after", "7"}}}).retry_after, 7);
}

}  // namespace
}  // namespace vigie::elastic
