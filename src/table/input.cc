// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <glob.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "table/bytes_source_internal.h"
#include "table/input_internal.h"

namespace vigie::table {
namespace {

constexpr std::size_t kHead = 64 << 10;
constexpr std::size_t kKeptOpen = 128;  // files of a glob; more would run into the limit of open files

const std::vector<std::string> kFormats = {"csv", "tsv", "ndjson", "parquet", "arrow"};

struct Mark {
  std::string_view bytes, name;
};
constexpr Mark kOthers[] = {{"PK\x03\x04", "a zip archive (or a spreadsheet)"},
                            {"\xd0\xcf\x11\xe0", "an old Office document"},
                            {"%PDF", "PDF"},
                            {"SQLite format 3", "an SQLite database"},
                            {"Obj\x01", "Avro"},
                            {"ORC", "ORC"},
                            {"\x89HDF", "HDF5"},
                            {"\x7f"
                             "ELF",
                             "a program"},
                            {"BZh", "bzip2"},
                            {"\xfd"
                             "7zXZ",
                             "xz"},
                            {"VPF1", "a profile, which only stands for a --reference, and `vigie show` prints it"}};

std::string_view without_compression(std::string_view path) {
  for (std::string_view end : {".gz", ".zst"})
    if (path.ends_with(end)) return path.substr(0, path.size() - end.size());
  return path;
}

bool starts_json(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  constexpr std::string_view kBlanks = " \t\r\n";
  auto at = text.find_first_not_of(kBlanks);
  if (at == text.npos) return false;
  if (text[at] == '{') {
    // A header may begin with a brace; an object goes on with a name or ends.
    auto next = text.find_first_not_of(kBlanks, at + 1);
    return next == text.npos || text[next] == '"' || text[next] == '}';
  }
  if (text[at] != '[') return false;
  auto next = text.find_first_not_of(kBlanks, at + 1);
  return next == text.npos || text[next] == '{' || text[next] == ']';
}

Error empty(const std::string& path) {
  return fail(Code::kInput, path + ": the file is empty");
}

class FileInput final : public Input {
 public:
  FileInput(std::string name, ReadOptions options, std::vector<Part> parts)
      : name_(std::move(name)), options_(std::move(options)), parts_(std::move(parts)) {}
  const std::string& name() const override { return name_; }
  std::uint64_t bytes() const override {
    std::uint64_t sum = 0;
    for (const auto& part : parts_) sum += part.bytes;
    return sum;
  }
  std::string_view kind() const override { return kind_name(parts_[0].kind); }
  Result<std::unique_ptr<Reader>> open(const std::optional<Schema>& types) override {
    if (parts_.size() == 1) return open_one(types);
    if (!all_) {
      VIGIE_ASSIGN(all_, unite(parts_, options_));
    }
    return open_union(parts_, options_, *all_, types);
  }
  Result<Schema> declared() override {
    if (parts_[0].kind != Kind::kParquet && parts_[0].kind != Kind::kArrow) return Schema{};
    auto bare = options_;
    bare.schema.clear();
    VIGIE_ASSIGN(auto reader, open_part(parts_[0], bare, std::nullopt));
    return reader->schema();
  }

 private:
  // Where no record can be read there are no keys: that is said, and not that columns are lacking.
  Result<std::unique_ptr<Reader>> open_one(const std::optional<Schema>& types) {
    VIGIE_ASSIGN(auto reader, open_part(parts_[0], options_, types));
    if (types || !reader->schema().empty()) return reader;
    VIGIE_ASSIGN(auto batch, reader->next());
    if (!batch && !reader->problems().messages.empty())
      return fail(Code::kInput,
                  fmt::format("{}; no record of {} could be read", reader->problems().messages[0], name_));
    return open_part(parts_[0], options_, types);
  }

  std::string name_;
  ReadOptions options_;
  std::vector<Part> parts_;
  std::optional<Union> all_;
};

Result<std::vector<std::string>> find_files(const std::string& data) {
  struct stat info{};
  if (!has_glob(data) || ::stat(data.c_str(), &info) == 0) return std::vector<std::string>{data};
  glob_t found{};
  int code = ::glob(data.c_str(), 0, nullptr, &found);
  std::vector<std::string> paths;
  for (std::size_t i = 0; code == 0 && i < found.gl_pathc; ++i) paths.emplace_back(found.gl_pathv[i]);
  ::globfree(&found);
  if (code != 0 && code != GLOB_NOMATCH) return fail(Code::kIo, fmt::format("{}: cannot be searched", data));
  if (paths.empty()) return fail(Code::kInput, fmt::format("{}: no file matches", data));
  // By bytes: glob() sorts by the locale.
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace

std::string_view kind_name(Kind kind) {
  static constexpr std::array<std::string_view, 5> kNames = {"CSV", "TSV", "NDJSON", "Parquet", "Arrow"};
  return kNames[static_cast<std::size_t>(kind)];
}

Result<Kind> tell_kind(const std::shared_ptr<InputFile>& file, const ReadOptions& options) {
  const auto path = file->path();
  if (!options.format.empty()) {
    auto it = std::find(kFormats.begin(), kFormats.end(), options.format);
    if (it == kFormats.end())
      return fail(Code::kUsage, "--format: " + unknown_name("format", options.format, kFormats));
    return static_cast<Kind>(it - kFormats.begin());
  }
  if (file->size() == 0) return empty(path);
  std::string head(kHead, '\0');
  VIGIE_ASSIGN(auto source, open_bytes(file));
  VIGIE_ASSIGN(auto n, source->read(head.data(), head.size()));
  head.resize(n);
  if (head.find_first_not_of(" \t\r\n") == head.npos && n < kHead) return empty(path);
  bool compressed = source->consumed() != n;
  if (head.starts_with("PAR1") || head.starts_with("ARROW1") || head.starts_with("\xff\xff\xff\xff")) {
    if (compressed) return fail(Code::kInput, path + ": a compressed Parquet or Arrow file; decompress it first");
    return head.starts_with("PAR1") ? Kind::kParquet : Kind::kArrow;
  }
  for (const auto& [bytes, name] : kOthers)
    if (head.starts_with(bytes))
      return fail(Code::kInput, fmt::format("{}: is {}; vigie reads CSV, TSV, NDJSON, Parquet and Arrow", path, name));
  auto name = without_compression(path);
  for (auto [end, kind] : {std::pair{".parquet", "Parquet"}, {".arrow", "Arrow"}, {".feather", "Arrow"}})
    if (name.ends_with(end))
      return fail(Code::kInput,
                  fmt::format("{}: is named {} but does not begin as {} does; torn? (--format says otherwise)", path,
                              end, kind));
  if (starts_json(head)) return Kind::kNdjson;
  if (name.ends_with(".tsv") || name.ends_with(".tab")) return Kind::kTsv;
  if (path == "-") {
    auto line = std::string_view(head).substr(0, head.find('\n'));
    if (line.find_first_of(",;\t|") == line.npos)
      return fail(Code::kUsage,
                  "-: cannot tell what standard input holds; say --format csv, tsv, ndjson, parquet or arrow");
  }
  return Kind::kCsv;
}

Result<std::shared_ptr<InputFile>> file_of(const Part& part) {
  if (part.file) return part.file;
  VIGIE_ASSIGN(auto opened, InputFile::open(part.path));
  auto file = std::make_shared<InputFile>(std::move(opened));
  if (file->size() != part.bytes)
    return fail(Code::kInput, fmt::format("{}: changed while it was read: {} bytes where there were {}", part.path,
                                          file->size(), part.bytes));
  return file;
}

Result<std::unique_ptr<Reader>> open_part(const Part& part, const ReadOptions& options,
                                          const std::optional<Schema>& types, const TextStart& start) {
  VIGIE_ASSIGN(auto file, file_of(part));
  if (part.kind == Kind::kParquet || part.kind == Kind::kArrow) return open_columnar(file, options, types);
  if (part.kind == Kind::kNdjson) {
    VIGIE_ASSIGN(auto reader, open_ndjson(std::move(file), options, types, start));
    return std::unique_ptr<Reader>(std::move(reader));
  }
  auto text = options;
  text.format = part.kind == Kind::kTsv ? "tsv" : "csv";
  VIGIE_ASSIGN(auto reader, open_csv(std::move(file), text, types, start));
  return std::unique_ptr<Reader>(std::move(reader));
}

Result<std::unique_ptr<Input>> open_input(const std::string& data, const ReadOptions& options) {
  VIGIE_ASSIGN(auto parts, parts_of(data, options));
  return input_of(data, options, std::move(parts));
}

std::unique_ptr<Input> input_of(const std::string& data, const ReadOptions& options, std::vector<Part> parts) {
  return std::make_unique<FileInput>(data, options, std::move(parts));
}

Result<std::vector<Part>> parts_of(const std::string& data, const ReadOptions& options) {
  std::vector<Part> parts;
  std::vector<std::string> paths{data};
  if (data != "-") {
    VIGIE_ASSIGN(paths, find_files(data));
  }
  for (auto& path : paths) {
    VIGIE_ASSIGN(auto opened, data == "-" ? InputFile::spool(0, "-") : InputFile::open(path));
    auto file = std::make_shared<InputFile>(std::move(opened));
    VIGIE_ASSIGN(auto kind, tell_kind(file, options));
    Part part{path, kind, file->size(), nullptr};
    if (!parts.empty() && kind != parts[0].kind)
      return fail(Code::kInput, fmt::format("{}: is {}, but {} is {}; one kind at a time", path, kind_name(kind),
                                            parts[0].path, kind_name(parts[0].kind)));
    if (paths.size() <= kKeptOpen) part.file = std::move(file);
    parts.push_back(std::move(part));
  }
  return parts;
}

}  // namespace vigie::table
