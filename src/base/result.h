// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace vigie {

/// What kind of thing went wrong; `cli` maps it to the exit status.
enum class Code {
  kInput,        ///< unreadable, malformed or contradictory data (exit 2)
  kUsage,        ///< unknown option, name or value (exit 2)
  kCorrupt,      ///< a file of vigie's own that is torn or altered (exit 2)
  kIo,           ///< the operating system refused to read or write (exit 2)
  kUnavailable,  ///< a store or service that does not answer (exit 3)
  kInternal,     ///< a broken promise of vigie itself (exit 2)
};

/// A failure in one line for people: lowercase, place first, no full stop ("rides.csv:12: column \"fare\": …").
struct Error {
  Code code = Code::kInternal;
  std::string message;
};

/// A value or an Error. Libraries return it instead of throwing; exceptions of other libraries stop where those are
/// wrapped.
template <class T>
struct [[nodiscard]] Result : std::expected<T, Error> {
  using std::expected<T, Error>::expected;
  Result(Error error) : std::expected<T, Error>(std::unexpect, std::move(error)) {}
};

using Status = Result<void>;

/// Makes an Error; use as `return fail(Code::kInput, "…")`.
inline Error fail(Code code, std::string message) {
  return {code, std::move(message)};
}

}  // namespace vigie

/// Evaluates an expression that gives a Result and returns its Error from the enclosing function.
#define VIGIE_TRY(expr)                                \
  do {                                                 \
    if (auto vigie_status_ = (expr); !vigie_status_) { \
      return std::move(vigie_status_.error());         \
    }                                                  \
  } while (false)

#define VIGIE_CONCAT_(a, b) a##b
#define VIGIE_CONCAT(a, b) VIGIE_CONCAT_(a, b)
/// `VIGIE_ASSIGN(auto x, f())`: x gets the value of the Result, or the enclosing function returns its Error.
#define VIGIE_ASSIGN(target, expr) VIGIE_ASSIGN_(target, expr, VIGIE_CONCAT(vigie_result_, __LINE__))
#define VIGIE_ASSIGN_(target, expr, name)    \
  auto name = (expr);                        \
  if (!name) return std::move(name.error()); \
  target = std::move(*name)
