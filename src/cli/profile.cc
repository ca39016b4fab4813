// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>

#include "base/file.h"
#include "base/text.h"
#include "cli/command_internal.h"

namespace vigie::cli {

Command add_profile(CLI::App& program) {
  struct Options {
    std::vector<std::string> data;
    std::string output;
    bool merge = false;
    DataOptions columns;
    WindowOptions windows;
  };
  auto o = std::make_shared<Options>();
  auto* app =
      program.add_subcommand("profile", "reduce a reference to a small file with everything later commands need of it");
  app->footer("Example:\n  vigie profile january.parquet --timestamp ts --window day -o january.vpf");
  app->add_option("DATA", o->data, "file, quoted glob or - (with --merge: two profiles)")->required();
  app->add_option("-o,--output", o->output, "the profile to write; an existing file is never rewritten")
      ->type_name("FILE")
      ->required();
  app->add_flag("--merge", o->merge, "join profiles into one");
  o->columns.add(*app);
  o->windows.add(*app);
  return {app, [o]() -> Result<int> {
            // Said before the reading and not only after it.
            if (std::error_code none; std::filesystem::exists(o->output, none))
              return fail(Code::kUsage, already_there(o->output));
            engine::Profile profile;
            if (o->merge) {
              if (o->data.size() < 2) return fail(Code::kUsage, "--merge: needs at least two profiles");
              for (std::size_t i = 0; i < o->data.size(); ++i) {
                VIGIE_ASSIGN(auto bytes, read_file(o->data[i]));
                VIGIE_ASSIGN(auto next, engine::load_profile(bytes, o->data[i]));
                if (i == 0) {
                  profile = std::move(next);
                } else {
                  VIGIE_ASSIGN(profile, engine::merge_profiles(profile, next));
                }
              }
            } else {
              if (o->data.size() != 1)
                return fail(
                    Code::kUsage,
                    fmt::format("one DATA is read at a time: quote a pattern ('{}*') or use --merge for profiles",
                                o->data[0]));
              VIGIE_ASSIGN(auto window, o->windows.spec(o->columns.timestamp));
              VIGIE_ASSIGN(profile, read_reference(o->data[0], o->columns, window, o->windows.by(), true));
            }
            for (std::size_t i = 0; i < profile.notes.size() && i < 3; ++i) say(profile.notes[i]);
            auto bytes = engine::save_profile(profile);
            VIGIE_TRY(write_file(o->output, bytes, false));
            say(fmt::format("{}: {}, {}{}, {} kB", o->output, plural(profile.rows, "row"),
                            plural(static_cast<long long>(profile.columns.size()), "column"),
                            profile.window_count ? ", " + plural(profile.window_count, "healthy window") : "",
                            (bytes.size() + 999) / 1000));
            return 0;
          }};
}

}  // namespace vigie::cli
