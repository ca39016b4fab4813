// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>
#include <vector>

#include "cli/help_internal.h"

namespace vigie::cli {
namespace {

constexpr std::size_t kWidth = 78, kColumn = 28;

// Characters, not bytes: every one that help uses takes one cell.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

// Words of `text` in lines that end before kWidth; the first line begins in cell `at`, the others in cell `indent`.
std::string wrapped(const std::string& text, std::size_t at, std::size_t indent) {
  std::string out, line, word;
  auto flush = [&] {
    if (word.empty()) return;
    if (!line.empty() && at + width(line) + 1 + width(word) >= kWidth) {
      out += line + "\n" + std::string(indent, ' ');
      line.clear();
      at = indent;
    }
    line += (line.empty() ? "" : " ") + word;
    word.clear();
  };
  for (char c : text) {
    if (c == ' ')
      flush();
    else
      word += c;
  }
  flush();
  return out + line;
}

}  // namespace

std::string help_row(const std::string& name, const std::string& text) {
  std::string out = "  " + name;
  auto used = width(out);
  if (used + 2 > kColumn)
    out += "\n" + std::string(kColumn, ' ');
  else
    out += std::string(kColumn - used, ' ');
  return out + wrapped(text, kColumn, kColumn) + "\n";
}

namespace {

std::string row(const CLI::Option& option) {
  auto name = option.get_positional() ? option.get_name(true) : option.get_name(false, true);
  if (auto comma = name.find(','); comma != std::string::npos) name.insert(comma + 1, " ");
  bool many = option.get_expected_max() > 1;
  if (!option.get_positional() && !option.get_type_name().empty()) name += " " + option.get_type_name();
  if (option.get_positional() && many) name += "…";
  return help_row(name, option.get_description() + (option.get_required() ? " (required)" : ""));
}

class Help final : public CLI::Formatter {
 public:
  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode) const override {
    std::string out, usage = "Usage: " + name;
    auto described = app->get_description();
    auto examples = described.find("\n\n");
    out += wrapped(described.substr(0, examples), 0, 0) + "\n\n";
    auto commands = app->get_subcommands([](const CLI::App*) { return true; });
    auto options = app->get_options();
    if (!commands.empty()) usage += " COMMAND …";
    std::string groups;
    for (const auto& group : app->get_groups()) {
      std::string rows;
      for (const auto* o : options)
        if (!o->get_positional() && o->get_group() == group) rows += row(*o);
      if (!rows.empty()) groups.append("\n").append(group).append(":\n").append(rows);
    }
    std::string positionals;
    for (const auto* o : options) {
      if (!o->get_positional()) {
        if (o->get_required())
          usage += " " + o->get_name().substr(o->get_name().rfind(',') + 1) + " " + o->get_type_name();
        continue;
      }
      auto word = o->get_name(true) + (o->get_expected_max() > 1 ? "…" : "");
      usage += o->get_required() ? " " + word : " [" + word + "]";
      positionals += row(*o);
    }
    out += wrapped(usage + " [OPTIONS]", 0, 7) + "\n";
    if (examples != std::string::npos) out += "\n" + described.substr(examples + 2) + "\n";
    if (!positionals.empty()) out += "\nArguments:\n" + positionals;
    if (!commands.empty()) {
      out += "\nCommands:\n";
      for (const auto* c : commands) out += help_row(c->get_name(), c->get_description());
    }
    out += groups;
    if (!app->get_footer().empty()) out += "\n" + app->get_footer() + "\n";
    return out;
  }
};

}  // namespace

std::shared_ptr<CLI::FormatterBase> help_format() {
  return std::make_shared<Help>();
}

}  // namespace vigie::cli
