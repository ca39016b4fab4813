// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/client.h"

namespace vigie::elastic {

/// What is to be in an index, once.
struct Document {
  std::string_view id;      ///< there: at most kLongestId bytes; empty: the server makes one, and a second try a second
  std::string_view index;   ///< an index, an alias or a data stream
  std::string_view source;  ///< one JSON object on one line
  std::string_view first{};            ///< members that it has besides, before its own: `"a":1`
  std::uint64_t file = 0, number = 0;  ///< where it came from, for people
};
inline constexpr std::size_t kLongestId = 512;

/// The body of a bulk request: for each document a `create`, which a data stream takes, and which tells of one that is
/// there already.
class Bulk {
 public:
  struct Item {
    std::string id;
    std::size_t begin = 0, source = 0, end = 0;  ///< in the text: its action, its object and what follows
    std::uint64_t file = 0, number = 0;
  };
  void add(const Document& document);
  void add(const Bulk& other, std::size_t item);
  const std::string& text() const { return text_; }
  const std::vector<Item>& items() const { return items_; }
  /// The object of an item.
  std::string_view source(std::size_t item) const;
  std::string_view action(std::size_t item) const;

 private:
  std::string text_;
  std::vector<Item> items_;
};

/// What became of a document.
enum class Fate : std::uint8_t {
  kStored,
  kThere,     ///< there was one of that id: an earlier try got through
  kDiverted,  ///< into the failure store of its data stream
  kRejected,  ///< it will never be taken as it is
  kAgain,     ///< the server is busy, or a shard away: it is to be sent again
  kBlocked,   ///< its index takes nothing now, as of a full disk or a block, or who asks may not write there
};

struct Told {
  Fate fate = Fate::kAgain;
  std::uint32_t status = 0;
  std::string type{}, reason{};  ///< of what went wrong
};

/// What became of a bulk request as a whole.
enum class Whole : std::uint8_t {
  kItems,      ///< each document has its own
  kAgain,      ///< all of it is to be sent again after a while: 429, 5xx, nobody answers, an answer that is none
  kHalve,      ///< it is too large, or something in it is wrong: in two halves, and a single one is rejected
  kForbidden,  ///< 401, 403: nothing more can be sent like that
  kRefused,    ///< any other: it will never be taken
};
struct Outcome {
  Whole whole = Whole::kAgain;
  std::vector<Told> items{};  ///< as those of the request, of kItems
  std::string why{};          ///< of the others, for people: "429: rejected_execution_exception: …"
  long retry_after = 0;       ///< s; 0: not said
  std::uint32_t status = 0;   ///< of HTTP; 0: no answer
};

/// The fields of an answer that settle() needs; a parameter of the request.
inline constexpr std::string_view kFilter =
    "filter_path=errors,items.*._id,items.*.status,items.*.error.type,items.*.error.reason,items.*.failure_store,error,"
    "status";

/// Reads the answer to a bulk request. Items may come in another order than the documents, so they
/// are matched by id; where there are not as many, all is to be sent again. Any answer that is none is kAgain.
Outcome settle(const Bulk& bulk, const Result<http::Answer>& answer);

/// "type: reason" of an answer that is an error, of a plain text its start; empty: it says nothing.
std::string why_of(std::string_view body);

}  // namespace vigie::elastic
