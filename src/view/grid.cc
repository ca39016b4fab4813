// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "view/grid_internal.h"
#include "view/utf8_internal.h"

namespace vigie::view {
namespace {

constexpr std::string_view kGap = "  ";

std::string padded(std::string_view text, std::size_t width, Align align) {
  std::string blanks(width - std::min(width, display_width(text)), ' ');
  return align == Align::kLeft ? std::string(text) + blanks : blanks + std::string(text);
}

}  // namespace

Style style_of(engine::Verdict v) {
  constexpr Style kStyles[] = {Style::kDim, Style::kOk, Style::kWarning, Style::kDrift};
  return kStyles[static_cast<int>(v)];
}

std::string_view mark(engine::Verdict v, bool unicode) {
  constexpr std::string_view kMarks[] = {"–", "·", "▲", "■"}, kPlain[] = {"-", ".", "w", "D"};
  return (unicode ? kMarks : kPlain)[static_cast<int>(v)];
}

std::string_view headline(engine::Verdict v) {
  constexpr std::string_view kWords[] = {"NO DATA", "OK", "WARNING", "DRIFT"};
  return kWords[static_cast<int>(v)];
}

std::string bars(const std::vector<double>& levels, double top, const TerminalOptions& options) {
  constexpr std::string_view kBars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  constexpr std::string_view kPlain[] = {".", ".", ":", ":", "=", "=", "#", "#"};
  std::string text;
  for (const double level : levels) {
    const auto step = level >= 0 ? std::clamp(static_cast<int>(level / top * 8), 0, 7) : 0;
    text += level >= 0 ? (options.unicode ? kBars : kPlain)[step] : std::string_view(" ");
  }
  return text;
}

std::string_view ellipsis(const TerminalOptions& options) {
  return options.unicode ? "…" : "...";
}

std::size_t layout_width(const TerminalOptions& options) {
  return static_cast<std::size_t>(std::clamp(options.width, 40, 1000));
}

std::string styled(std::string_view text, Style style, const TerminalOptions& options) {
  if (!options.colour || style == Style::kPlain || text.empty()) return std::string(text);
  constexpr std::string_view kCodes[] = {"0", "1", "2", "32", "33", "1;31"};
  return fmt::format("\x1b[{}m{}\x1b[0m", kCodes[static_cast<int>(style)], text);
}

std::string wrapped(const Cell& first, const Cell& body, std::size_t indent, const TerminalOptions& options) {
  auto width = layout_width(options);
  std::string_view text = body.text;
  std::string out, line;
  std::size_t used = 0, start = display_width(first.text);
  auto flush = [&] {
    out += out.empty() ? styled(first.text, first.style, options) : std::string(indent, ' ');
    out += styled(line, body.style, options) + "\n";
    line.clear();
    used = 0;
    start = indent;
  };
  while (!text.empty()) {
    auto end = std::min(text.find(' '), text.size());
    if (text.substr(end).starts_with(" %")) end = std::min(text.find(' ', end + 1), text.size());
    auto tied = std::string(text.substr(0, end));
    std::replace(tied.begin(), tied.end(), kTied, ' ');
    std::string_view word = tied;
    text.remove_prefix(std::min(end + 1, text.size()));
    if (used && start + used + 1 + display_width(word) > width) flush();
    while (start + display_width(word) > width) {
      auto piece = shortened(word, width - start, "");
      line = piece;
      word.remove_prefix(piece.size());
      flush();
    }
    if (used) {
      line += ' ';
      ++used;
    }
    line += word;
    used += display_width(word);
  }
  if (used || out.empty()) flush();
  return out;
}

std::string grid(const std::vector<std::string>& header, const std::vector<std::vector<Cell>>& rows,
                 const std::vector<Align>& alignments, const std::vector<std::string>& between, bool rule,
                 const TerminalOptions& options) {
  std::vector<std::size_t> widths;
  for (const auto& name : header) widths.push_back(display_width(name));
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i)
      widths[i] = std::max(widths[i], display_width(row[i].text));

  auto gaps = header.empty() ? 0 : kGap.size() * (header.size() - 1);
  auto room = layout_width(options) - std::min(layout_width(options), gaps);
  auto sum = [&] {
    std::size_t total = 0;
    for (auto w : widths) total += w;
    return total;
  };
  while (sum() > room) {
    auto widest = std::max_element(widths.begin(), widths.end());
    if (*widest <= 1) break;
    auto second = std::size_t{1};
    for (auto it = widths.begin(); it != widths.end(); ++it)
      if (it != widest) second = std::max(second, *it);
    auto excess = sum() - room;
    auto step = *widest > second ? *widest - second : 1;
    *widest -= std::min(excess, step);
  }

  auto align = [&](std::size_t i) { return i < alignments.size() ? alignments[i] : Align::kLeft; };
  auto line = [&](auto cell_at, std::size_t count) {
    std::string text;
    std::size_t used = 0;
    for (std::size_t i = 0; i < count && i < widths.size(); ++i) {
      if (i && used + widths[i] > layout_width(options)) break;
      const Cell cell = cell_at(i);
      // Names, which are cut, tell apart at both ends; prose, which stands last, goes on below itself.
      if (i && i + 1 == header.size() && align(i) == Align::kLeft && display_width(cell.text) > widths[i])
        return text + std::string(kGap) + wrapped({std::string(used, ' ')}, cell, used, options).substr(used);
      auto body = shortened(cell.text, widths[i], ellipsis(options), true);
      auto whole = i + 1 == count && align(i) == Align::kLeft ? body : padded(body, widths[i], align(i));
      auto at = body.empty() ? std::string::npos : whole.find(body);
      if (i) text += kGap;
      if (at == std::string::npos)
        text += whole;
      else
        text += whole.substr(0, at) + styled(body, cell.style, options) + whole.substr(at + body.size());
      used += widths[i] + kGap.size();
    }
    text.erase(text.find_last_not_of(' ') + 1);
    return text + "\n";
  };

  std::string out;
  out += line([&](std::size_t i) { return Cell{header[i], Style::kDim}; }, header.size());
  if (rule) {
    std::string_view dash = options.unicode ? "─" : "-";
    out += line(
        [&](std::size_t i) {
          std::string text;
          for (std::size_t k = 0; k < widths[i]; ++k) text += dash;
          return Cell{text, Style::kDim};
        },
        header.size());
  }
  if (!between.empty()) out += between.front();
  for (std::size_t r = 0; r < rows.size(); ++r) {
    out += line([&](std::size_t i) { return rows[r][i]; }, rows[r].size());
    if (r + 1 < between.size()) out += between[r + 1];
  }
  return out;
}

std::string table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows,
                  const std::vector<Align>& alignments, const TerminalOptions& options) {
  std::vector<std::string> names;
  for (const auto& name : header) names.push_back(printable(name, options.unicode));
  std::vector<std::vector<Cell>> cells;
  for (const auto& row : rows) {
    auto& to = cells.emplace_back();
    for (const auto& text : row) to.push_back({printable(text, options.unicode), Style::kPlain});
  }
  return grid(names, cells, alignments, {}, true, options);
}

}  // namespace vigie::view
