// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <memory>

#include "base/append_file.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "journal/segment_internal.h"

namespace vigie::journal {
namespace {

constexpr std::string_view kMagic = "VGJ";
constexpr std::uint8_t kVersion = 1;
constexpr std::string_view kEnding = ".vgj";
constexpr std::size_t kWorthPacking = 512, kMostUnwritten = 4 << 20;

Error altered(const std::string& path, std::uint64_t offset, std::string_view what) {
  return fail(Code::kCorrupt, fmt::format("{}: byte {}: {}", path, offset, what));
}

}  // namespace

std::string segment_header(Sequence first, std::int64_t created) {
  ByteWriter out;
  for (char c : kMagic) out.fixed(c);
  out.fixed(kVersion);
  out.fixed(first);
  out.fixed(created);
  out.fixed(hash64(out.bytes()));
  return out.take();
}

Status check_segment_header(std::string_view bytes, Sequence first, const std::string& path) {
  ByteReader in(bytes);
  if (bytes.size() < kSegmentHeader || !bytes.starts_with(kMagic)) return altered(path, 0, "no journal segment");
  const auto version = static_cast<std::uint8_t>(bytes[kMagic.size()]);
  if (version > kVersion)
    return altered(path, kMagic.size(), fmt::format("a journal of version {}, newer than this program", version));
  ByteReader fields(bytes.substr(kMagic.size() + 1, kSegmentHeader));
  const auto named = fields.fixed<Sequence>();
  fields.fixed<std::int64_t>();
  if (fields.fixed<std::uint64_t>() != hash64(bytes.substr(0, kSegmentHeader - 8)))
    return altered(path, 0, "the head of the journal segment was altered");
  if (named != first)
    return altered(path, 0, fmt::format("a journal segment of another name, {}", segment_name(named)));
  return {};
}

namespace {

// Of the block that lies there with room for it: kBlockHeader bytes, and those that are stored.
void put_header(char* block, const BlockHeader& header) {
  ByteWriter head;
  head.fixed(header.stored);
  head.fixed(header.raw);
  head.fixed(header.count);
  head.fixed(header.codec);
  head.fixed(header.first);
  head.fixed(header.arrived);
  constexpr auto kCheck = sizeof header.check;
  std::memcpy(block + kCheck, head.bytes().data(), head.bytes().size());
  const auto check = hash64({block + kCheck, kBlockHeader - kCheck + header.stored});
  std::memcpy(block, &check, kCheck);
}

}  // namespace

void seal_block(std::string& block, std::uint32_t count, Sequence first, std::int64_t arrived) {
  const auto bytes = static_cast<std::uint32_t>(block.size() - kBlockHeader);
  put_header(block.data(), {0, bytes, bytes, count, 0, first, arrived});
}

void pack_block(std::string_view raw, std::uint32_t count, Sequence first, std::int64_t arrived, int compression,
                std::string& scratch, std::string& out) {
  std::string_view stored = raw;
  std::uint8_t codec = 0;
  if (raw.size() >= kWorthPacking) {
    thread_local const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(), &ZSTD_freeCCtx);
    scratch.resize(ZSTD_compressBound(raw.size()));
    const std::size_t size =
        ZSTD_compressCCtx(context.get(), scratch.data(), scratch.size(), raw.data(), raw.size(), compression);
    if (!ZSTD_isError(size) && size < raw.size()) stored = {scratch.data(), size}, codec = 1;
  }
  const std::size_t at = out.size();
  out.append(kBlockHeader, '\0');
  out += stored;
  put_header(out.data() + at, {0, static_cast<std::uint32_t>(stored.size()), static_cast<std::uint32_t>(raw.size()),
                               count, codec, first, arrived});
}

Result<std::optional<BlockHeader>> read_block(const InputFile& file, std::uint64_t offset, std::string& stored) {
  stored.resize(kBlockHeader);
  VIGIE_ASSIGN(const auto got, file.read(offset, stored.data(), kBlockHeader));
  if (got == 0) return std::nullopt;
  if (got < kBlockHeader) return altered(file.path(), offset, "the block is torn");
  ByteReader in(stored);
  BlockHeader h;
  h.check = in.fixed<std::uint64_t>();
  h.stored = in.fixed<std::uint32_t>();
  h.raw = in.fixed<std::uint32_t>();
  h.count = in.fixed<std::uint32_t>();
  h.codec = in.fixed<std::uint8_t>();
  h.first = in.fixed<Sequence>();
  h.arrived = in.fixed<std::int64_t>();
  if (h.stored > kMostRaw || h.raw > kMostRaw) return altered(file.path(), offset, "the block was altered");
  stored.resize(kBlockHeader + h.stored);
  VIGIE_ASSIGN(const auto rest, file.read(offset + kBlockHeader, stored.data() + kBlockHeader, h.stored));
  if (rest < h.stored) return altered(file.path(), offset, "the block is torn");
  if (hash64(std::string_view(stored).substr(sizeof h.check)) != h.check)
    return altered(file.path(), offset, "the block was altered");
  stored.erase(0, kBlockHeader);
  return h;
}

Result<std::optional<std::string>> pack_segment(const std::string& path, std::uint64_t bytes, int compression,
                                                const std::function<bool()>& stop) {
  VIGIE_ASSIGN(const auto from, InputFile::open(path));
  std::string stored(kSegmentHeader, '\0'), scratch, out;
  VIGIE_ASSIGN(const auto head, from.read(0, stored.data(), kSegmentHeader));
  out = stored.substr(0, head);
  auto to = path + std::string(kPacking);
  ::unlink(to.c_str());
  std::optional<AppendFile> file;
  for (std::uint64_t offset = kSegmentHeader; offset < bytes;) {
    if (stop()) break;
    VIGIE_ASSIGN(const auto header, read_block(from, offset, stored));
    if (!header) return altered(path, offset, "the file was cut");
    // The file was packed by a run before, though its first blocks may not have got smaller.
    if (header->codec != 0) {
      ::unlink(to.c_str());
      return std::nullopt;
    }
    if (!file && header->raw >= kWorthPacking) {
      VIGIE_ASSIGN(file, AppendFile::open(to));
    }
    pack_block(stored, header->count, header->first, header->arrived, compression, scratch, out);
    offset += kBlockHeader + header->stored;
    if (!file || out.size() < kMostUnwritten) continue;
    VIGIE_TRY(file->append(out));
    out.clear();
  }
  if (!file) return std::nullopt;
  VIGIE_TRY(file->append(out));
  VIGIE_TRY(file->sync());
  if (!stop() && file->size() < bytes) return to;
  ::unlink(to.c_str());
  return std::nullopt;
}

Result<std::optional<std::uint64_t>> find_block(const InputFile& file, std::uint64_t offset, std::uint64_t size,
                                                Sequence from, Sequence to) {
  std::string rest(size - std::min(size, offset), '\0');
  VIGIE_ASSIGN(const auto got, file.read(offset, rest.data(), rest.size()));
  rest.resize(got);
  const auto field = [&]<class T>(std::size_t at, T) {
    T value;
    std::memcpy(&value, rest.data() + at, sizeof value);
    return value;
  };
  for (std::size_t at = 1; at + kBlockHeader <= rest.size(); ++at) {
    const auto first = field(at + 21, Sequence{});
    const std::size_t bytes = kBlockHeader + field(at + 8, std::uint32_t{});
    if (first < from || first >= to || at + bytes > rest.size()) continue;
    if (hash64(std::string_view(rest).substr(at + 8, bytes - 8)) == field(at, std::uint64_t{})) return offset + at;
  }
  return std::nullopt;
}

Status unpack(const BlockHeader& header, std::string_view stored, const std::string& path, std::uint64_t offset,
              std::string& raw, std::vector<std::string_view>& records) {
  std::string_view bytes = stored;
  if (header.codec == 1) {
    raw.resize(header.raw);
    if (ZSTD_decompress(raw.data(), raw.size(), stored.data(), stored.size()) != header.raw)
      return altered(path, offset, "the block cannot be unpacked");
    bytes = raw;
  } else if (header.codec != 0) {
    return altered(path, offset, fmt::format("the block is packed in a way unknown here, {}", header.codec));
  }
  records.clear();
  ByteReader in(bytes);
  while (in.ok() && in.remaining() > 0) records.push_back(in.string());
  if (!in.ok() || records.size() != header.count) return altered(path, offset, "the block does not hold its records");
  return {};
}

std::string segment_name(Sequence first) {
  return fmt::format("{:020}{}", first, kEnding);
}

std::optional<Sequence> segment_of(std::string_view name) {
  if (name.size() != 20 + kEnding.size() || !name.ends_with(kEnding)) return std::nullopt;
  Sequence first = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + 20, first);
  if (error != std::errc() || end != name.data() + 20) return std::nullopt;
  return first;
}

}  // namespace vigie::journal
