// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>

#include "base/hash.h"
#include "metric/text_tokens_internal.h"

namespace vigie::metric {
namespace {

bool digit(char c) {
  return c >= '0' && c <= '9';
}

/// Replaces every occurrence, from the left.
void replace(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
}

char32_t lower(char32_t c) {
  if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 32 : c;
  if (c >= 0xC0 && c <= 0xDE) return c == 0xD7 ? c : c + 32;
  // Capitals of Latin Extended-A are even, but odd from Ĺ to Ň and from Ź on; İ has no single lower case.
  if (c >= 0x100 && c <= 0x137 && c != 0x130) return c | 1;
  if (c >= 0x14A && c <= 0x177) return c | 1;
  if (c == 0x178) return 0xFF;
  if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E)) return c % 2 ? c + 1 : c;
  if (c >= 0x391 && c <= 0x3A9) return c + 32;
  if (c >= 0x410 && c <= 0x42F) return c + 32;
  if (c >= 0x400 && c <= 0x40F) return c + 80;
  return c;
}

bool ascii_punctuation(char32_t c) {
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

/// Part of a word, for where an article ends: letters and digits, but not typographic signs and symbols.
bool word_sign(char32_t c) {
  if (c < 0x80) return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return c >= 0xC0 && c != 0xD7 && c != 0xF7 && !(c >= 0x2000 && c <= 0x2BFF) && !(c >= 0x3000 && c <= 0x303F) &&
         c != 0xFFFD;
}

std::uint64_t hash_of(std::u32string_view text) {
  return hash64({reinterpret_cast<const char*>(text.data()), text.size() * sizeof(char32_t)});
}

/// Hashes of what stands between white space.
Units split(std::u32string_view text) {
  Units out;
  for (std::size_t from = 0, to = 0; to <= text.size(); ++to) {
    if (to < text.size() && !is_space(text[to])) continue;
    if (to > from) out.push_back(hash_of(text.substr(from, to - from)));
    from = to + 1;
  }
  return out;
}

}  // namespace

bool is_wide_space(char32_t c) {
  return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 ||
         c == 0x202f || c == 0x205f || c == 0x3000;
}

std::u32string decode(std::string_view text) {
  std::u32string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i]);
    const std::size_t more = first < 0x80 ? 0 : first >= 0xf0 && first < 0xf8 ? 3 : first >= 0xe0 ? 2 : 1;
    char32_t c = first < 0x80 ? first : first & (0x3fU >> more);
    bool good = first < 0x80 || (first >= 0xc2 && first < 0xf8 && i + more < text.size());
    for (std::size_t j = 1; good && j <= more; ++j) {
      const auto next = static_cast<unsigned char>(text[i + j]);
      good = (next & 0xc0) == 0x80;
      c = c << 6 | (next & 0x3f);
    }
    out.push_back(good ? c : 0xfffd);
    i += good ? more + 1 : 1;
  }
  return out;
}

Units words(std::string_view text) {
  return split(decode(text));
}

Units bleu_tokens(std::string_view text) {
  std::string line(text);
  while (!line.empty() && (line.back() == '\n' || line.back() == ' ' || line.back() == '\t')) line.pop_back();
  replace(line, "<skipped>", "");
  replace(line, "-\n", "");
  replace(line, "\n", " ");
  if (line.find('&') != std::string::npos) {
    for (const auto& [from, to] : {std::pair("&quot;", "\""), {"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}}) {
      replace(line, from, to);
    }
  }
  // The rules of mteval-v13a, one after the other: each looks at what the one before has written.
  std::string signs = " ";
  signs.reserve(line.size() + 16);
  for (const char c : line) {
    const bool apart =
        ascii_punctuation(static_cast<unsigned char>(c)) && c != '\'' && c != ',' && c != '-' && c != '.';
    apart ? signs.append({' ', c, ' '}) : signs.append(1, c);
  }
  signs += ' ';
  const auto pairs = [](const std::string& in, auto matches, auto write) {
    std::string out;
    out.reserve(in.size() + 16);
    for (std::size_t i = 0; i < in.size(); ++i) {
      if (i + 1 < in.size() && matches(in[i], in[i + 1])) {
        write(out, in[i], in[i + 1]);
        ++i;
      } else {
        out += in[i];
      }
    }
    return out;
  };
  const auto stop = [](char c) { return c == '.' || c == ','; };
  if (signs.find_first_of(".,") != std::string::npos) {
    signs = pairs(
        signs, [&](char a, char b) { return !digit(a) && stop(b); },
        [](std::string& out, char a, char b) { out.append({a, ' ', b, ' '}); });
    signs = pairs(
        signs, [&](char a, char b) { return stop(a) && !digit(b); },
        [](std::string& out, char a, char b) { out.append({' ', a, ' ', b}); });
  }
  if (signs.find('-') != std::string::npos) {
    signs = pairs(
        signs, [&](char a, char b) { return digit(a) && b == '-'; },
        [](std::string& out, char a, char b) { out.append({a, ' ', b, ' '}); });
  }
  return words(signs);
}

Units rouge_tokens(std::string_view text) {
  std::u32string kept = decode(text);
  for (char32_t& c : kept) {
    c = lower(c);
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))) c = ' ';
  }
  return split(kept);
}

Units answer_tokens(std::string_view text) {
  std::u32string kept;
  for (const char32_t c : decode(text)) {
    if (!ascii_punctuation(c)) kept.push_back(lower(c));
  }
  std::u32string out;
  for (std::size_t from = 0; from < kept.size();) {
    std::size_t to = from;
    while (to < kept.size() && word_sign(kept[to])) ++to;
    const std::u32string_view word = std::u32string_view(kept).substr(from, to - from);
    if (word == U"a" || word == U"an" || word == U"the") {
      out.push_back(' ');
    } else {
      out += word;
    }
    if (to < kept.size()) out.push_back(kept[to]);
    from = to + 1;
  }
  return split(out);
}

Units characters(std::string_view text) {
  Units out;
  for (const char32_t c : decode(text)) {
    if (!is_space(c)) out.push_back(mix64(c + 1));
  }
  return out;
}

const Units& Ngrams::next() {
  if (n_ > 0) {
    if (!runs_.empty()) runs_.pop_back();
    for (std::size_t i = 0; i < runs_.size(); ++i) runs_[i] = mix64(runs_[i] * 0x9e3779b97f4a7c15U + units_[i + n_]);
  }
  ++n_;
  return runs_;
}

std::int64_t Overlap::operator()(const Units& a, const Units& b) {
  const std::size_t size = std::bit_ceil(2 * std::max<std::size_t>(a.size(), 8));
  if (slots_.size() < size) slots_.assign(size, {}), round_ = 0;
  if (++round_ == 0) slots_.assign(slots_.size(), {}), round_ = 1;
  const std::size_t mask = slots_.size() - 1;
  // The slot of a unit, or the free one where it would be; units are hashes already.
  const auto find = [&](std::uint64_t unit) -> Slot& {
    std::size_t at = unit & mask;
    while (slots_[at].round == round_ && slots_[at].unit != unit) at = (at + 1) & mask;
    return slots_[at];
  };
  for (const std::uint64_t unit : a) {
    Slot& slot = find(unit);
    slot = {unit, slot.round == round_ ? slot.count + 1 : 1, round_};
  }
  std::int64_t shared = 0;
  for (const std::uint64_t unit : b) {
    Slot& slot = find(unit);
    if (slot.round != round_ || slot.count == 0) continue;
    --slot.count;
    ++shared;
  }
  return shared;
}

std::int64_t common_subsequence(const Units& a, const Units& b) {
  std::vector<std::int64_t> row(b.size() + 1);
  for (const std::uint64_t unit : a) {
    std::int64_t diagonal = 0;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::int64_t above = row[j + 1];
      row[j + 1] = unit == b[j] ? diagonal + 1 : std::max(above, row[j]);
      diagonal = above;
    }
  }
  return row.back();
}

std::int64_t edits(const Units& a, const Units& b) {
  std::vector<std::int64_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = static_cast<std::int64_t>(j);
  for (const std::uint64_t unit : a) {
    std::int64_t diagonal = row[0]++;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::int64_t above = row[j + 1];
      row[j + 1] = std::min({diagonal + (unit != b[j]), above + 1, row[j] + 1});
      diagonal = above;
    }
  }
  return row.back();
}

}  // namespace vigie::metric
