// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "server/intake.h"
#include "server/intake_internal.h"

namespace vigie::server {
namespace {

using Json = nlohmann::ordered_json;
constexpr int kVersion = 1;
constexpr std::size_t kShown = 100;  // files of a source

std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

Result<std::vector<source::Position>> read_positions(const std::string& path) {
  std::vector<source::Position> out;
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return out;
  VIGIE_ASSIGN(const auto bytes, read_file(path));
  const auto corrupt = [&] { return fail(Code::kCorrupt, path + ": does not say how far files are read"); };
  try {
    const auto json = Json::parse(bytes);
    if (json.at("version").get<int>() != kVersion) return corrupt();
    for (const auto& file : json.at("files")) {
      auto& at = out.emplace_back();
      at.path = file.at("path"), at.device = file.at("device"), at.inode = file.at("inode");
      at.head = file.at("head"), at.hash = file.at("hash");
      at.offset = file.at("offset"), at.newlines = file.at("lines");
      at.inside = file.at("inside"), at.rotated = file.at("rotated");
    }
  } catch (const Json::exception&) {
    return corrupt();
  }
  return out;
}

std::string positions_to_json(const std::vector<source::Position>& positions) {
  Json files = Json::array();
  for (const auto& at : positions)
    files.push_back({{"path", at.path},
                     {"device", at.device},
                     {"inode", at.inode},
                     {"head", at.head},
                     {"hash", at.hash},
                     {"offset", at.offset},
                     {"lines", at.newlines},
                     {"inside", at.inside},
                     {"rotated", at.rotated}});
  return text_of({{"version", kVersion}, {"files", std::move(files)}}) + "\n";
}

std::string to_json(const FeedState& state) {
  const auto& feed = state.feed;
  Json files = Json::array(), rejected = Json::array();
  for (const auto& file : state.files) {
    if (files.size() == kShown) break;
    files.push_back({{"path", file.at.path}, {"bytes", file.size}, {"read", file.at.offset}, {"held", file.held}});
  }
  for (const auto& line : state.rejected)
    rejected.push_back({{"file", line.file}, {"line", line.line}, {"error", line.error}});
  return text_of({{"source", feed.name},
                  {"path", feed.path},
                  {"model", feed.model},
                  {"kind", feed.kind_name()},
                  {"trouble", state.trouble.empty() ? Json() : Json(state.trouble)},
                  {"lag_bytes", state.lag},
                  {"accepted", state.records.accepted},
                  {"duplicates", state.records.duplicates},
                  {"rejected", state.records.rejected},
                  {"last_rejected", std::move(rejected)},
                  {"file_count", state.files.size()},
                  {"files", std::move(files)}});
}

}  // namespace vigie::server
