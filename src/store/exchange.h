// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/elastic.h"

namespace vigie::store {

/// By what services that share a store know of each other: none talks to another, each leaves documents there under a
/// name of its own and reads those of the others. What another program altered is empty. One thread at a time.
/// Code::kUnavailable as of Store.
class Exchange {
 public:
  virtual ~Exchange() = default;
  /// This one's.
  virtual const std::string& name() const = 0;

  /// What all are to know, once each, in the order of numbers, which rise; one that comes again stays as it was.
  struct Message {
    std::int64_t number = 0;
    std::string body;
    std::string lasts{};  ///< what it says, where that holds until something else is said of it; empty: for once
    std::int64_t at = 0;  ///< when it was said: µs since 1970; not what say() looks at
  };
  virtual Status say(std::span<const Message> messages) = 0;
  /// Of another one, with greater numbers, in their order, at most so many.
  virtual Result<std::vector<Message>> said(const std::string& by, std::int64_t after, std::size_t most) = 0;

  /// What was counted of a model's window so far; what comes later for the same takes its place. Numbers as above.
  struct Part {
    std::string model;
    std::int64_t window = 0, number = 0;
    std::string body;
  };
  virtual Status put(std::span<const Part> parts) = 0;
  virtual Result<std::vector<Part>> parts(const std::string& by, std::int64_t after, std::size_t most) = 0;

  /// That one lives, and how far it told. What is there before it is put is found by whoever finds it.
  struct Sign {
    std::string name;
    std::int64_t count = 0;              ///< another one with each sign
    std::int64_t message = 0, part = 0;  ///< numbers of the last ones
    std::string body;
    std::int64_t at = 0;  ///< when it was put: µs since 1970; not what put() looks at
  };
  virtual Status put(const Sign& sign) = 0;
  /// All, this one's too.
  virtual Result<std::vector<Sign>> signs() = 0;

  /// What they hold in common under a name, as it is now.
  struct Common {
    std::string body;                    ///< empty: nothing yet
    std::int64_t number = -1, term = 0;  ///< of the document, by which it is known whether somebody altered it since
    bool same(const Common& other) const { return number == other.number && term == other.term; }
  };
  virtual Result<Common> common(const std::string& what) = 0;
  /// Puts another in the place of one that nobody altered since it was read, and tells of it in `at`; false: somebody
  /// did.
  virtual Result<bool> replace(const std::string& what, const std::string& body, Common& at) = 0;

  /// Drops messages that do not last, parts and signs from before then: µs since 1970.
  virtual Status forget(std::int64_t before) = 0;
};

/// As open_elastic(), which makes the index of it too: PREFIX-shared. Asks nothing before its first function.
std::unique_ptr<Exchange> open_exchange(ElasticOptions options);

}  // namespace vigie::store
