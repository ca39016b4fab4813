// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdlib>
#include <filesystem>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/follower.h"
#include "server/ingest.h"

// For tests of this room.
namespace vigie::server {

using Lines = std::vector<std::string>;

struct Folder {
  std::string path;
  Folder() {
    const char* tmp = std::getenv("TMPDIR");
    path = fmt::format("{}/vigie-server-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(path.data())) std::abort();
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
};

/// The rooms behind the HTTP server, without it.
struct Back {
  std::unique_ptr<State> state;
  std::unique_ptr<store::Store> store;
  std::optional<Models> models;
  std::optional<Ingest> ingest;
  std::unique_ptr<journal::Journal> journal;
  std::optional<Follower> follower;

  explicit Back(const std::string& folder, journal::Options options = {}) {
    state = State::open(folder + "/state").value();
    options.consumers[std::string(Follower::kConsumer)] = state->offset().value();
    journal = journal::Journal::open(folder + "/journal", options).value();
    store = store::open_sqlite(folder + "/results.sqlite").value();
    models.emplace(state->models().value(), 3);
    ingest.emplace(*journal, *state, *models);
    follower.emplace(
        *journal, *state, *models, *store, [](const auto&) { return std::vector<std::string>{"log"}; },
        [this](auto to) { ingest->committed(to); });
  }
  std::string add(std::string_view body, event::Kind kind = event::Kind::kPredictions, std::string_view model = "m") {
    std::promise<std::string> said;
    ingest->add(kind, model, body, [&](Result<Ingest::Reply> reply) {
      if (!reply) return said.set_value(reply.error().message);
      std::string text = fmt::format("{} accepted, {} there", reply->accepted, reply->duplicates);
      for (const auto& r : reply->rejected) text += fmt::format("; {}: {}", r.index, r.text());
      said.set_value(text);
    });
    return said.get_future().get();
  }
  std::string counts() const {
    Lines out;
    for (const auto& m : models->all()) out.push_back(fmt::format("{} {} {}", m.name, m.predictions, m.labels));
    return fmt::format("{}", fmt::join(out, ", "));
  }
};

}  // namespace vigie::server
