// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/command_internal.h"
#include "drift/drift.h"

namespace vigie::cli {

Command add_list(CLI::App& program) {
  struct Options {
    std::string what = "methods";
    bool json = false;
  };
  auto o = std::make_shared<Options>();
  auto* app = program.add_subcommand("list", "what this program knows: methods");
  app->footer("Examples:\n  vigie list methods\n  vigie list methods --json");
  app->add_option("WHAT", o->what, "methods");
  app->add_flag("--json", o->json, "one JSON document");
  return {app, [o]() -> Result<int> {
            const std::vector<std::string> known = {"methods"};
            if (o->what != "methods") return fail(Code::kUsage, "list: " + unknown_name("kind", o->what, known));
            if (o->json) {
              auto all = nlohmann::ordered_json::array();
              for (const auto* m : drift::methods()) {
                auto accepts = nlohmann::ordered_json::array();
                if (m->accepts & drift::kNumeric) accepts.push_back("numeric");
                if (m->accepts & drift::kCategorical) accepts.push_back("categorical");
                all.push_back({{"name", m->name},
                               {"summary", m->summary},
                               {"reference", m->reference},
                               {"accepts", accepts},
                               {"statistic", m->statistic}});
              }
              print(nlohmann::ordered_json{{"methods", all}}.dump(1));
              return 0;
            }
            std::vector<std::vector<std::string>> rows;
            for (const auto* m : drift::methods()) {
              std::string accepts = m->accepts & drift::kNumeric ? "numeric" : "";
              if (m->accepts & drift::kCategorical) accepts += accepts.empty() ? "categorical" : ", categorical";
              rows.push_back({std::string(m->name), accepts, std::string(m->summary)});
            }
            print(view::table({"method", "columns", "what it is"}, rows,
                              {view::Align::kLeft, view::Align::kLeft, view::Align::kLeft}, terminal()));
            return 0;
          }};
}

}  // namespace vigie::cli
