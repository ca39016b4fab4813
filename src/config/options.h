// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace vigie::config {

/// One line of a table of options: what its key in a file takes. The table is all there is: files and command lines are
/// checked by it, and the documents about it are made from it.
struct Option {
  enum class Type : std::uint8_t {
    kText,
    kFlag,      ///< true or false
    kCount,     ///< a whole number
    kBytes,     ///< as parse_bytes() has them
    kDuration,  ///< as parse_duration() has them
    kChoice,    ///< one of the words of `choices`
    kTexts,     ///< a list; a text alone is a list of one. What it holds may be secret, and is in no message
    kObjects,   ///< a map by name of maps that somebody else reads, as JSON
  };
  std::string_view name;  ///< its key; "tls.key" is `key` in the map `tls`
  Type type = Type::kText;
  std::string_view fallback{};         ///< in the words of a file; empty: nothing
  double least = 0, most = 0;          ///< of numbers, both included; of durations in seconds
  std::string_view choices{};          ///< "always interval never"
  std::string_view doc;                ///< in one line
  std::string_view example{};          ///< in the words of a file, where there is no fallback
  bool live = false;                   ///< a reload takes it over
  std::string_view flag{}, metavar{};  ///< its option of the command line and what stands behind it; empty: none
};

/// What was said of one option.
struct Setting {
  std::string place;  ///< for messages: "vigie.yaml:7: limits.body", or "--listen"
  std::string text;   ///< as it was written
  double number = 0;  ///< of numbers, and 1 for true; of a choice its place in `choices`
  struct Text {
    std::string place, text;
    bool operator==(const Text& other) const { return text == other.text; }
  };
  std::vector<Text> texts;  ///< of a list
  struct Object {
    std::string name, json;
    std::string file, key;  ///< "vigie.yaml" and "models.credit"
    int line = 0;
    std::map<std::string, int> lines;  ///< of its own keys, as "monitors[0].what"
    bool operator==(const Object& other) const { return name == other.name && json == other.json; }
    /// An error of who read the JSON, with the line of the key that it begins with.
    Error at(const Error& error) const;
  };
  std::vector<Object> objects;
  bool given = false;  ///< by somebody, and not the fallback
};

/// Every option of a table by its name.
using Settings = std::map<std::string, Setting, std::less<>>;

/// The fallbacks. A table whose fallbacks are none of its own is a broken promise, and ends the program.
Settings fallbacks(std::span<const Option> options);

/// Reads YAML into `settings`, over what is there. Code::kUsage: one line for each of the first three errors, with file
/// and line; unknown keys with the nearest one.
Status read_options(std::string_view text, const std::string& path, std::span<const Option> options,
                    Settings& settings);
/// What the command line says of an option; several texts for a list alone.
Status read_flag(const Option& option, const std::vector<std::string>& given, Settings& settings);

/// Names of the options that differ: of those that a reload takes over, and of those that it does not.
struct Changes {
  std::vector<std::string> live, kept_until_restart;
};
Changes changes_of(std::span<const Option> options, const Settings& now, const Settings& then);

/// A file of all options with their fallbacks and what they mean; `head` stands above it, line by line as comments.
std::string default_file(std::span<const Option> options, std::string_view head);
/// A JSON Schema of such files; `objects`: of a value of that option of kObjects, as JSON, with their `definitions`.
std::string json_schema(std::span<const Option> options, std::string_view title,
                        const std::function<std::string(std::string_view option)>& objects,
                        std::string_view definitions);

}  // namespace vigie::config
