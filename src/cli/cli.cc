// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "base/text.h"
#include "cli/command_internal.h"

namespace vigie::cli {

void say(const std::string& line) {
  fmt::print(stderr, "{}\n", line);
}

void say_problems(const table::Problems& problems) {
  for (const auto& m : problems.messages) say(m);
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
  if (state_->shown) fmt::print(stderr, "\r\033[K");
}

engine::Progress ProgressBar::callback() {
  if (!state_->terminal) return {};
  return [state = state_](double share) {
    auto now = std::chrono::steady_clock::now();
    if (now - state->began < std::chrono::seconds(1) || now - state->drawn < std::chrono::milliseconds(100)) return;
    state->drawn = now;
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

// What CLI11 found wrong, in vigie's words.
std::string explain(const CLI::ParseError& error, CLI::App& program) {
  CLI::App* app = &program;
  std::vector<std::string> commands;
  for (auto* sub : program.get_subcommands({})) commands.push_back(sub->get_name());
  for (auto* sub : program.get_subcommands()) app = sub;
  if (dynamic_cast<const CLI::ExtrasError*>(&error)) {
    auto extras = app->remaining(true);
    if (extras.empty()) extras = program.remaining(true);
    auto word = extras.empty() ? std::string() : extras.front();
    if (word.starts_with("-"))
      return unknown_name("option", word.substr(0, word.find('=')), options_of(*app)) +
             fmt::format(" (vigie {} --help)", app == &program ? "" : app->get_name());
    if (app == &program)
      return unknown_name("command", word, commands) + fmt::format("; commands are {}", fmt::join(commands, ", "));
    return fmt::format("unexpected argument {} (vigie {} --help)", vigie::quoted(word), app->get_name());
  }
  if (dynamic_cast<const CLI::RequiredError*>(&error) && app == &program)
    return fmt::format("a command is needed: {} (vigie --help)", fmt::join(commands, ", "));
  return fmt::format("{} (vigie {} --help)", error.what(), app == &program ? "" : app->get_name());
}

}  // namespace

int run(int argc, char** argv) {
  CLI::App program(
      "vigie watches machine-learning models: what changed in the data, how much, and whether it matters.\n\n"
      "  vigie compare --reference train.csv --current today.csv\n"
      "  vigie profile train.parquet -o train.vpf\n"
      "  vigie compare --reference train.vpf --current today.parquet -o report.html",
      "vigie");
  program.set_version_flag("--version", std::string("vigie ") + kVersion);
  program.require_subcommand(1);
  Command commands[] = {add_profile(program), add_compare(program), add_show(program), add_list(program)};
  try {
    program.parse(argc, argv);
  } catch (const CLI::Success& e) {
    return program.exit(e);
  } catch (const CLI::ParseError& e) {
    say("vigie: " + explain(e, program));
    return 2;
  }
  for (auto& command : commands) {
    if (!command.app->parsed()) continue;
    auto result = command.action();
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
