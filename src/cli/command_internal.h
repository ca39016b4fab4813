// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/compare.h"
#include "engine/profile.h"
#include "table/table.h"
#include "view/terminal.h"

namespace CLI {
class App;
}

namespace vigie::cli {

inline constexpr const char* kVersion = VIGIE_VERSION;

/// What a command does once its options are read; gives the exit status.
using Action = std::function<Result<int>()>;

/// One subcommand: adds itself to the program and leaves what to do when it is chosen.
struct Command {
  CLI::App* app;
  Action action;
};
Command add_profile(CLI::App& program);
Command add_compare(CLI::App& program);
Command add_score(CLI::App& program);
Command add_check(CLI::App& program);
Command add_show(CLI::App& program);
Command add_detect(CLI::App& program);
Command add_list(CLI::App& program);
Command add_serve(CLI::App& program);
Command add_send(CLI::App& program);
Command add_demo(CLI::App& program);
Command add_doctor(CLI::App& program);
Command add_notify(CLI::App& program);
Command add_report(CLI::App& program);
Command add_export(CLI::App& program);
Command add_ship(CLI::App& program);
Command add_audit(CLI::App& program);

/// Options that say how DATA is read and what its columns are.
struct DataOptions {
  std::string timestamp, prediction, score, label, id, weight, features, ignore;
  std::string schema, format, decimal = ".", delimiter;
  bool keep_ragged = false, strict = false;
  unsigned threads = 0;
  void add(CLI::App& app);
  /// Only those that say how DATA is read.
  void add_reading(CLI::App& app);
  /// Code::kUsage for what can be told before data is read; says on standard error what is given and has no effect.
  /// `distinct`: each column may have one role only.
  Status check(bool distinct = false) const;
  Result<table::ReadOptions> reading() const;
  /// open_input() of what passes check_in_files(), and remark(). `types`: of columns that --schema does not name; need
  /// not be in the data.
  Result<std::unique_ptr<table::Input>> open(const std::string& data, const table::Schema& types = {}) const;
  /// Says on standard error which of these options that kind of file has no use for.
  void remark(const std::string& data, std::string_view kind) const;
  /// Says on standard error which columns of --schema are not among these. Errors: those of types().
  Status remark_types(const std::vector<std::string>& columns, const std::string& source) const;
  engine::Roles roles() const;
  Result<std::vector<engine::ForcedType>> types() const;
};

/// Code::kUsage where DATA is rows in a cluster, for commands that read files.
Status check_in_files(const std::string& data);
/// Code::kUsage where an option is given that says how files are read, but none is: `where`, to end a sentence.
Status check_no_file(const CLI::App& app, std::string_view where);

/// The column with the time of each row: what --timestamp says, else that of rows which lie in a cluster.
Result<std::string> time_of(const std::string& data, const std::string& timestamp);

/// Options that say how rows are cut into windows and segments.
struct WindowOptions {
  std::string window, timezone;
  std::string window_rows;
  std::vector<std::string> segments;
  /// `by_segment`: whether the command has --segment.
  void add(CLI::App& app, bool by_segment = true);
  Result<engine::WindowSpec> spec(const std::string& timestamp) const;
  std::vector<engine::SegmentBy> by() const;
};

/// --watch and --major: from which effect on a change matters.
struct LevelOptions {
  std::optional<double> watch, major;
  /// `usual`: what holds without them, "0.1 sd" and "0.25 sd".
  void add(CLI::App& app, const std::string& usual_watch, const std::string& usual_major);
  Result<std::optional<engine::Levels>> read() const;
};

/// The parts of a list; empty ones are left out.
std::vector<std::string> split(const std::string& text, char at = ',');
/// Code::kUsage for a list that is given and has no part, as ",".
Status check_list(std::string_view option, const std::string& given, std::string_view of);

/// A bar on standard error, shown on a terminal from the second second on; cleared when it goes.
class ProgressBar {
 public:
  explicit ProgressBar(std::string label);
  ~ProgressBar();
  engine::Progress callback();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// A variable of the environment.
std::optional<std::string> variable(const std::string& name);

/// One line on standard error.
void say(const std::string& line);
/// Width, colour and character set of standard output.
view::TerminalOptions terminal();
void print(const std::string& text);

/// Whether a file is a profile, by its first bytes or its name.
Result<bool> is_profile_file(const std::string& path);

/// What `read_reference` gives: the profile, and the rows that it was made of where DATA was given.
struct Reference {
  engine::Profile profile;
  std::unique_ptr<table::Input> rows;
};

/// A reference: DATA turned into a profile, or a profile file as it is, with the roles and the schema that the caller
/// gives. What a profile cannot be made to fit any more is Code::kUsage.
Result<Reference> read_reference(const std::string& data, const DataOptions& options, const engine::WindowSpec& window,
                                 const std::vector<engine::SegmentBy>& segments, bool sketches);

}  // namespace vigie::cli
