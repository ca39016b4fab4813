// SPDX-License-Identifier: Apache-2.0
#include "config/options.h"

#include <fmt/ranges.h>

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "base/quantity.h"
#include "base/text.h"
#include "config/options_internal.h"
#include "config/yaml_internal.h"

namespace vigie::config {
namespace {

using Json = nlohmann::ordered_json;
using Type = Option::Type;
constexpr std::size_t kMostErrors = 3;

// One value, in words; lists and maps are read elsewhere.
Status take(const Option& option, const std::string& place, const std::string& text, Setting& into) {
  Setting out;
  out.place = place, out.text = text, out.given = true;
  const auto wrong = [&] {
    return fail(Code::kUsage, fmt::format("{}: expected {}, got {}", place, expected(option), vigie::quoted(text)));
  };
  std::optional<double> number;
  switch (option.type) {
    case Type::kFlag:
      if (text != "true" && text != "false") return wrong();
      out.number = text == "true";
      break;
    case Type::kChoice: {
      const auto known = words(option.choices);
      const auto at = std::find(known.begin(), known.end(), text);
      if (at == known.end())
        return fail(Code::kUsage,
                    fmt::format("{}: {} ({})", place, unknown_name("value", text, known), fmt::join(known, ", ")));
      out.number = static_cast<double>(at - known.begin());
      break;
    }
    case Type::kCount: {
      long long whole = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), whole);
      if (error == std::errc() && end == text.data() + text.size()) number = static_cast<double>(whole);
      break;
    }
    case Type::kBytes:
      number = parse_bytes(text);
      break;
    case Type::kDuration:
      number = parse_duration(text);
      break;
    default:
      break;
  }
  if (option.type == Type::kCount || option.type == Type::kBytes || option.type == Type::kDuration) {
    if (!number || *number < option.least || *number > option.most) return wrong();
    out.number = *number;
  }
  into = std::move(out);
  return {};
}

// What YAML means by a scalar (its core schema: yes and no are texts).
Json json_of_scalar(const YAML::Node& node) {
  const auto& text = node.Scalar();
  if (node.Tag() == "!") return text;  // in quotes
  if (text == "true" || text == "false") return text == "true";
  if (text.empty() || text == "null" || text == "~") return nullptr;
  long long whole = 0;
  const auto* end = text.data() + text.size();
  if (const auto [stop, error] = std::from_chars(text.data(), end, whole); error == std::errc() && stop == end)
    return whole;
  double number = 0;
  if (const auto [stop, error] = std::from_chars(text.data(), end, number);
      error == std::errc() && stop == end && std::isfinite(number))
    return number;
  return text;
}

class Reader {
 public:
  Reader(const std::string& path, std::span<const Option> options, Settings& settings)
      : path_(path), options_(options), settings_(settings) {}

  Status read(const std::string& text) {
    const auto root = YAML::Load(text);
    if (root.IsMap())
      map(root, "");
    else if (!root.IsNull())
      wrong(root, fmt::format("expected a map of keys, as {}: …", options_[0].name));
    if (errors_.empty()) return {};
    if (errors_.size() > kMostErrors) {
      const auto more = errors_.size() - kMostErrors + 1;
      errors_.resize(kMostErrors - 1);
      errors_.push_back(fmt::format("{}: and {} more errors", path_, more));
    }
    return fail(Code::kUsage, fmt::format("{}", fmt::join(errors_, "\n")));
  }

 private:
  void wrong(const YAML::Node& node, std::string_view what) {
    errors_.push_back(fmt::format("{}:{}: {}", path_, line_of(node), what));
  }
  void keep(const Status& status) {
    if (!status) errors_.push_back(status.error().message);
  }

  void map(const YAML::Node& node, const std::string& prefix) {
    keep(check_once(node, path_));
    for (const auto& item : node) {
      const auto name = prefix + text_of(item.first);
      const auto place = fmt::format("{}:{}: {}", path_, line_of(item.first), name);
      const auto option =
          std::find_if(options_.begin(), options_.end(), [&](const Option& one) { return one.name == name; });
      if (option != options_.end()) {
        value(*option, place, item.second);
      } else if (!below(name + ".").empty()) {
        if (item.second.IsMap())
          map(item.second, name + ".");
        else if (!item.second.IsNull())
          errors_.push_back(fmt::format("{}: expected a map with {}", place, fmt::join(below(name + "."), ", ")));
      } else {
        unknown(item.first, prefix);
      }
    }
  }

  // The keys that a map may have.
  std::vector<std::string> below(std::string_view prefix) const {
    std::vector<std::string> out;
    for (const auto& option : options_) {
      if (!option.name.starts_with(prefix)) continue;
      const auto rest = option.name.substr(prefix.size());
      std::string key(rest.substr(0, rest.find('.')));
      if (out.empty() || out.back() != key) out.push_back(std::move(key));
    }
    return out;
  }

  void unknown(const YAML::Node& key, const std::string& prefix) {
    const auto name = text_of(key);
    auto what = unknown_name("key", name, below(prefix));
    for (const auto& option : options_)  // the right word in the wrong map
      if (last_part(option.name) == name)
        what = fmt::format("unknown key {}; did you mean \"{}\"?", vigie::quoted(name), option.name);
    wrong(key, prefix.empty() ? what : fmt::format("{}: {}", prefix.substr(0, prefix.size() - 1), what));
  }

  void value(const Option& option, const std::string& place, const YAML::Node& node) {
    auto& into = settings_[std::string(option.name)];
    if (node.IsNull()) return;  // nothing is said of it
    if (option.type == Type::kTexts) return list(option, place, node, into);
    if (option.type == Type::kObjects) return objects(option, place, node, into);
    if (!node.IsScalar()) return errors_.push_back(fmt::format("{}: expected {}", place, expected(option)));
    keep(take(option, place, node.Scalar(), into));
  }

  void list(const Option& option, const std::string& place, const YAML::Node& node, Setting& into) {
    Setting out;
    out.place = place, out.given = true;
    const auto add = [&](const YAML::Node& item, const std::string& where) {
      if (item.IsScalar() && !item.Scalar().empty())
        out.texts.push_back({where, item.Scalar()});
      else
        errors_.push_back(fmt::format("{}: expected {}", where, expected(option)));
    };
    if (!node.IsSequence()) add(node, place);
    for (std::size_t i = 0; node.IsSequence() && i < node.size(); ++i)
      add(node[i], fmt::format("{}:{}: {}[{}]", path_, line_of(node[i]), option.name, i));
    into = std::move(out);
  }

  void objects(const Option& option, const std::string& place, const YAML::Node& node, Setting& into) {
    if (!node.IsMap()) return errors_.push_back(fmt::format("{}: expected {}", place, expected(option)));
    keep(check_once(node, path_));
    Setting out;
    out.place = place, out.given = true;
    for (const auto& item : node) {
      Setting::Object object;
      object.name = text_of(item.first), object.line = line_of(item.first);
      object.file = path_, object.key = fmt::format("{}.{}", option.name, object.name);
      const auto json = item.second.IsNull() ? Json::object() : json_of(item.second, "", object);
      if (!json.is_object()) wrong(item.first, fmt::format("{}.{}: expected a map of keys", option.name, object.name));
      object.json = json.dump(-1, ' ', false, Json::error_handler_t::replace);
      out.objects.push_back(std::move(object));
    }
    into = std::move(out);
  }

  Json json_of(const YAML::Node& node, const std::string& at, Setting::Object& object) {
    if (node.IsScalar()) return json_of_scalar(node);
    if (node.IsMap()) {
      keep(check_once(node, path_));
      auto out = Json::object();
      for (const auto& item : node) {
        const auto key = text_of(item.first), name = at.empty() ? key : fmt::format("{}.{}", at, key);
        object.lines[name] = line_of(item.first);
        out[key] = json_of(item.second, name, object);
      }
      return out;
    }
    if (!node.IsSequence()) return nullptr;
    auto out = Json::array();
    for (std::size_t i = 0; i < node.size(); ++i) {
      const auto name = fmt::format("{}[{}]", at, i);
      object.lines[name] = line_of(node[i]);
      out.push_back(json_of(node[i], name, object));
    }
    return out;
  }

  const std::string& path_;
  std::span<const Option> options_;
  Settings& settings_;
  std::vector<std::string> errors_;
};

}  // namespace

Error Setting::Object::at(const Error& error) const {
  // "monitors[0].what: …", or of a key that nobody knows "monitors[0]: unknown key "whta"; …".
  constexpr std::string_view kUnknown = "unknown key \"";
  const auto& message = error.message;
  auto where = message.substr(0, message.find(": "));
  if (const auto from = message.find(kUnknown); from != message.npos) {
    const auto unknown = message.substr(from + kUnknown.size());
    where = (from == 0 ? "" : where + ".") + unknown.substr(0, unknown.find('"'));
  }
  const auto found = lines.find(where);
  return fail(Code::kUsage,
              fmt::format("{}:{}: {}: {}", file, found == lines.end() ? line : found->second, key, message));
}

Settings fallbacks(std::span<const Option> options) {
  Settings out;
  for (const auto& option : options) {
    auto& setting = out[std::string(option.name)];
    setting.place = option.name;
    if (option.fallback.empty()) continue;
    if (!take(option, std::string(option.name), std::string(option.fallback), setting)) std::abort();
    setting.given = false;
  }
  return out;
}

Status read_options(std::string_view text, const std::string& path, std::span<const Option> options,
                    Settings& settings) {
  try {
    return Reader(path, options, settings).read(std::string(text));
  } catch (const YAML::Exception& e) {
    return fail(Code::kUsage, fmt::format("{}:{}: {}", path, std::max(e.mark.line, 0) + 1, e.msg));
  }
}

Status read_flag(const Option& option, const std::vector<std::string>& given, Settings& settings) {
  const std::string flag(option.flag);
  auto& into = settings[std::string(option.name)];
  if (option.type != Type::kTexts) return take(option, flag, given.back(), into);
  into = {};
  into.place = flag, into.given = true;
  for (const auto& text : given) into.texts.push_back({flag, text});
  return {};
}

Changes changes_of(std::span<const Option> options, const Settings& now, const Settings& then) {
  Changes out;
  for (const auto& option : options) {
    const auto &a = now.find(option.name)->second, &b = then.find(option.name)->second;
    if (a.text != b.text || a.texts != b.texts || a.objects != b.objects)
      (option.live ? out.live : out.kept_until_restart).emplace_back(option.name);
  }
  return out;
}

}  // namespace vigie::config
