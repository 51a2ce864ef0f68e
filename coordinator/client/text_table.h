#pragma once

#include <string>
#include <vector>

namespace heroq {

// Columns of text aligned with spaces, two between columns, none after the last: readable for people and awk.
class TextTable {
 public:
  // Headings in upper case. Columns whose index is in `right_aligned` hold numbers.
  explicit TextTable(std::vector<std::string> headings, std::vector<int> right_aligned = {});

  // One cell per heading; an empty cell prints as "-".
  void AddRow(std::vector<std::string> cells);
  // Every line ended.
  std::string Render() const;

 private:
  std::vector<std::vector<std::string>> rows_;
  std::vector<int> right_aligned_;
};

// Columns a text takes on a terminal: UTF-8 code points, as everything heroq prints is one column wide,
// without colour sequences.
int DisplayWidth(const std::string& text);

// At most `width` columns; a text that is cut ends in "…" ("~" without `unicode`).
std::string Truncate(const std::string& text, int width, bool unicode);

}  // namespace heroq
