// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <memory>

#include "server/http.h"

namespace vigie::server {
namespace {

constexpr std::size_t kPiece = 64 << 10;

Error too_large(std::uint64_t limit) {
  return fail(Code::kInput, fmt::format("unpacked, the body is over {} bytes: too large", limit));
}

Result<std::string> gunzip(const std::string& packed, std::uint64_t limit) {
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 16) != Z_OK) return fail(Code::kInternal, "no memory to unpack the body");
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, inflateEnd);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string out;
  while (true) {
    const auto had = out.size();
    out.resize(had + kPiece);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + had);
    stream.avail_out = kPiece;
    const int code = inflate(&stream, Z_NO_FLUSH);
    out.resize(out.size() - stream.avail_out);
    if (out.size() > limit) return too_large(limit);
    if (code == Z_STREAM_END) {
      if (stream.avail_in == 0) return out;
      if (inflateReset(&stream) != Z_OK) return fail(Code::kInput, "the body is no gzip stream");
    } else if (code != Z_OK || (stream.avail_in == 0 && stream.avail_out > 0)) {
      return fail(Code::kInput, "the body is no whole gzip stream");
    }
  }
}

Result<std::string> unzstd(const std::string& packed, std::uint64_t limit) {
  const std::unique_ptr<ZSTD_DStream, std::size_t (*)(ZSTD_DStream*)> stream(ZSTD_createDStream(), ZSTD_freeDStream);
  if (!stream) return fail(Code::kInternal, "no memory to unpack the body");
  ZSTD_inBuffer in{packed.data(), packed.size(), 0};
  std::string out;
  while (true) {
    const auto had = out.size();
    out.resize(had + kPiece);
    ZSTD_outBuffer piece{out.data() + had, kPiece, 0};
    const auto left = ZSTD_decompressStream(stream.get(), &piece, &in);
    out.resize(had + piece.pos);
    if (ZSTD_isError(left))
      return fail(Code::kInput, fmt::format("the body is no zstd stream: {}", ZSTD_getErrorName(left)));
    if (out.size() > limit) return too_large(limit);
    if (in.pos == in.size && piece.pos < kPiece) {
      if (left != 0) return fail(Code::kInput, "the body is no whole zstd stream");
      return out;
    }
  }
}

}  // namespace

Result<std::string> unpack(std::string body, std::string_view packing, std::uint64_t limit) {
  // Names of codings are the same in capitals: RFC 9110, 8.4.1.
  const auto is = [&](std::string_view name) { return boost::beast::iequals(packing, name); };
  if (packing.empty() || is("identity")) return body;
  if (is("gzip") || is("x-gzip")) return gunzip(body, limit);
  if (is("zstd")) return unzstd(body, limit);
  return fail(Code::kUsage, fmt::format("Content-Encoding: {} is not known; gzip and zstd are", packing.substr(0, 40)));
}

}  // namespace vigie::server
