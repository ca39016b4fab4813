// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "base/text.h"
#include "cli/command_internal.h"
#include "cli/help_internal.h"
#include "cli/interrupt_internal.h"
#include "cli/settings_internal.h"
#include "cli/setup_internal.h"

namespace vigie::cli {

std::optional<std::string> variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value ? std::optional<std::string>(value) : std::nullopt;
}

void say(const std::string& line) {
  std::fflush(stdout);  // where both streams go to one place, in the order in which they were written
  fmt::print(stderr, "{}{}\n", bar_is_shown() ? "\r\033[K" : "", line);
}

void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  if (!text.empty() && text.back() != '\n') std::fputc('\n', stdout);
}

view::TerminalOptions terminal() {
  view::TerminalOptions options;
  options.colour = isatty(STDOUT_FILENO) && !std::getenv("NO_COLOR");
  struct winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20) options.width = size.ws_col;
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (!value || !*value) continue;
    options.unicode = std::string_view(value).find("UTF-8") != std::string_view::npos ||
                      std::string_view(value).find("utf8") != std::string_view::npos;
    break;
  }
  return options;
}

struct ProgressBar::State {
  std::string label;
  bool terminal = isatty(STDERR_FILENO);
  std::chrono::steady_clock::time_point began = std::chrono::steady_clock::now(), drawn = began;
  bool shown = false;
};

ProgressBar::ProgressBar(std::string label) : state_(std::make_shared<State>()) {
  state_->label = std::move(label);
}

ProgressBar::~ProgressBar() {
  if (!state_->shown) return;
  fmt::print(stderr, "\r\033[K");
  std::fflush(stderr);
  bar_is_shown(false);
}

engine::Progress ProgressBar::callback() {
  if (!state_->terminal) return {};
  return [state = state_](double share) {
    auto now = std::chrono::steady_clock::now();
    if (now - state->began < std::chrono::seconds(1) || now - state->drawn < std::chrono::milliseconds(100)) return;
    state->drawn = now;
    if (!state->shown) bar_is_shown(true);
    state->shown = true;
    auto full = static_cast<std::size_t>(std::clamp(share, 0.0, 1.0) * 30);
    double left = std::chrono::duration<double>(now - state->began).count() * (1 / std::max(share, 1e-3) - 1);
    fmt::print(stderr, "\r\033[K{} [{}{}] {:3.0f} % · {:.0f} s left", state->label, std::string(full, '#'),
               std::string(30 - full, ' '), 100 * share, left);
    std::fflush(stderr);
  };
}

namespace {

int status_of(Code code) {
  return code == Code::kUnavailable ? 3 : 2;
}

std::vector<std::string> options_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* option : app.get_options()) {
    for (const auto& name : option->get_lnames()) names.push_back("--" + name);
    for (const auto& name : option->get_snames()) names.push_back("-" + name);
  }
  return names;
}

// A word of the command line that no command or option answers to, in vigie's words; empty when every word is known.
// CLI11 would complain of a missing option first where the one given is only misspelt.
std::string misspelt(int argc, char** argv, const CLI::App& program) {
  std::vector<std::string> commands;
  for (const auto* sub : program.get_subcommands([](const CLI::App*) { return true; }))
    commands.push_back(sub->get_name());
  const CLI::App* app = &program;
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    if (word == "--") break;
    if (app == &program && !word.starts_with("-")) {
      auto found = std::find(commands.begin(), commands.end(), word);
      if (found == commands.end())
        return fmt::format("{} ({})", unknown_name("command", word, commands), fmt::join(commands, ", "));
      app = program.get_subcommand(word);
      continue;
    }
    bool letter = word.size() == 2 && word[0] == '-' && std::isalpha(static_cast<unsigned char>(word[1]));
    if (!letter && (!word.starts_with("--") || word.size() < 3)) continue;
    auto name = word.substr(0, word.find('='));
    auto known = options_of(*app);
    if (std::find(known.begin(), known.end(), name) == known.end())
      return fmt::format("{} (vigie {}--help)", unknown_name("option", name, known),
                         app == &program ? "" : app->get_name() + " ");
  }
  return {};
}

// How an option was given that CLI11 did not like, in vigie's words; empty for other errors.
std::string misused(const CLI::ParseError& error, const CLI::App& app) {
  const bool conversion = dynamic_cast<const CLI::ConversionError*>(&error) != nullptr;
  if (!conversion && !dynamic_cast<const CLI::ArgumentMismatch*>(&error)) return {};
  constexpr std::string_view kConvert = "Could not convert: ";
  std::string text = error.what();
  if (text.starts_with(kConvert)) text.erase(0, kConvert.size());
  const auto name = text.substr(0, text.find_first_of(": "));
  const auto* option = app.get_option_no_throw(name);
  if (!option) return {};
  const auto type = option->get_type_name();
  const auto given = text.find(" = ");
  const auto value = vigie::quoted(given == std::string::npos ? "" : text.substr(given + 3));
  if (option->get_items_expected_max() == 0) return fmt::format("{}: takes no value, got {}", name, value);
  if (conversion)
    return fmt::format("{}: expected {}, got {}", name, type == "N" ? "a whole number from 0 up" : "a number", value);
  if (const auto times = option->results().size(); times > 1)
    return fmt::format("{}: given {} times, where one {} is expected", name, times, type);
  return fmt::format("{}: the {} after it is missing", name, type);
}

std::string explain(const CLI::ParseError& error, int argc, char** argv, CLI::App& program) {
  auto wrong = misspelt(argc, argv, program);
  if (!wrong.empty()) return wrong;
  auto chosen = program.get_subcommands();
  if (chosen.empty()) {
    std::vector<std::string> names;
    for (const auto* command : program.get_subcommands([](const CLI::App*) { return true; }))
      names.push_back(command->get_name());
    return fmt::format("a command is needed: {} (vigie --help)", fmt::join(names, ", "));
  }
  auto help = fmt::format("(vigie {} --help)", chosen[0]->get_name());
  if (wrong = misused(error, *chosen[0]); !wrong.empty()) return fmt::format("{} {}", wrong, help);
  if (dynamic_cast<const CLI::ExtrasError*>(&error)) {
    auto extras = program.remaining(true);
    return fmt::format("unexpected argument {} {}", vigie::quoted(extras.empty() ? "" : extras.front()), help);
  }
  return fmt::format("{} {}", error.what(), help);
}

}  // namespace

int run(int argc, char** argv) {
  open_standard_streams();
  watch_signals();
  CLI::App program(
      "vigie watches machine-learning models: what changed in the data, how much, and whether it matters.\n\n"
      "  vigie compare --reference train.csv --current today.csv\n"
      "  vigie profile train.parquet -o train.vpf\n"
      "  vigie compare --reference train.vpf --current today.parquet -o report.html\n"
      "  vigie detect ddm errors.txt",
      "vigie");
  program.set_version_flag("--version", std::string("vigie ") + kVersion);
  program.require_subcommand(1);
  program.formatter(help_format());
  program.get_option("--help")->description("what can be asked, and how");
  program.get_option("--version")->description("the version");
  Command commands[] = {add_profile(program), add_compare(program), add_score(program),  add_check(program),
                        add_detect(program),  add_serve(program),   add_send(program),   add_ship(program),
                        add_demo(program),    add_doctor(program),  add_notify(program), add_report(program),
                        add_export(program),  add_audit(program),   add_show(program),   add_list(program),
                        add_config(program),  add_setup(program)};
  // vigie help [COMMAND]
  std::vector<char*> words(argv, argv + argc);
  std::string help = "--help";
  if (argc > 1 && std::string_view(argv[1]) == "help") {
    words.erase(words.begin() + 1);
    words.insert(words.begin() + std::min<std::ptrdiff_t>(2, std::ssize(words)), help.data());
    argc = static_cast<int>(words.size()), argv = words.data();
  }
  try {
    program.parse(argc, argv);
  } catch (const CLI::Success& e) {
    if (const auto wrong = misspelt(argc, argv, program); !wrong.empty()) {
      say("vigie: " + wrong);
      return 2;
    }
    return program.exit(e);
  } catch (const CLI::ParseError& e) {
    say("vigie: " + explain(e, argc, argv, program));
    return 2;
  }
  for (auto& command : commands) {
    if (!command.app->parsed()) continue;
    for (const auto* option : command.app->get_options()) {
      const auto& values = option->results();
      if (std::find(values.begin(), values.end(), "") == values.end()) continue;
      say(fmt::format("{} \"\": expected {}", option->get_name(), option->get_type_name()));
      return 2;
    }
    Result<int> result = 2;
    try {
      result = command.action();
    } catch (const std::bad_alloc&) {
      result = fail(Code::kIo, fmt::format("vigie {}: out of memory", command.app->get_name()));
    }
    if (std::fflush(stdout) != 0 || std::ferror(stdout)) {
      say("standard output: cannot write");
      return 2;
    }
    if (result) return *result;
    say(result.error().message);
    return status_of(result.error().code);
  }
  return 2;
}

}  // namespace vigie::cli
