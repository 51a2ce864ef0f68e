#include "coordinator/client/text_table.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"

namespace heroq {

TextTable::TextTable(std::vector<std::string> headings, std::vector<int> right_aligned)
    : rows_{std::move(headings)}, right_aligned_(std::move(right_aligned)) {}

void TextTable::AddRow(std::vector<std::string> cells) {
  for (std::string& cell : cells) {
    if (cell.empty()) cell.push_back('-');
  }
  rows_.push_back(std::move(cells));
}

std::string TextTable::Render() const {
  std::vector<int> widths(rows_.front().size(), 0);
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], DisplayWidth(row[i]));
  }
  std::string text;
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string padding(static_cast<std::size_t>(widths[i] - DisplayWidth(row[i])), ' ');
      const bool right = std::count(right_aligned_.begin(), right_aligned_.end(), static_cast<int>(i)) > 0;
      const bool last = i + 1 == row.size();
      absl::StrAppend(&text, right ? padding : "", row[i], right || last ? "" : padding, last ? "\n" : "  ");
    }
  }
  return text;
}

int DisplayWidth(const std::string& text) {
  int columns = 0;
  bool in_sequence = false;
  for (char c : text) {
    const bool continues = (static_cast<unsigned char>(c) & 0xC0) == 0x80;
    if (c == '\033') in_sequence = true;
    if (!in_sequence && !continues) ++columns;
    // Colour sequences end in 'm'.
    if (in_sequence && c == 'm') in_sequence = false;
  }
  return columns;
}

std::string Truncate(const std::string& text, int width, bool unicode) {
  if (DisplayWidth(text) <= width) return text;
  if (width <= 0) return "";
  std::string cut;
  int columns = 0;
  for (char c : text) {
    const bool starts = (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    if (starts && ++columns == width) break;
    cut.push_back(c);
  }
  return cut + (unicode ? "…" : "~");
}

}  // namespace heroq
