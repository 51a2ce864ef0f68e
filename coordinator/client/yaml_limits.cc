#include "coordinator/client/yaml_limits.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/strict_json.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"

namespace heroq {
namespace {

constexpr size_t kMaxBytes = size_t{1} << 20;
constexpr int kMaxValues = 100'000;
constexpr int kMaxDepth = 16;
constexpr size_t kMaxScalar = 4096;

absl::Status Refuse(absl::string_view file, int64_t line, absl::string_view rule) {
  return MakeError(Reason::kInvalidSpec, absl::StrCat(file, ":", line, ": ", rule));
}

// Follows the parser and keeps the first broken rule.
class LimitHandler final : public YAML::EventHandler {
 public:
  explicit LimitHandler(absl::string_view file) : file_(file) {}

  const absl::Status& status() const { return status_; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) Stop(mark, "a second document; expected one");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { Value(mark, anchor, ""); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    Stop(mark, "aliases are not allowed here");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    // "!" is how the parser says that a value is quoted.
    Value(mark, anchor, tag == "!" ? "" : tag);
    if (value.size() > kMaxScalar) {
      Stop(mark, absl::StrCat("a value of ", value.size(), " bytes, expected at most ", kMaxScalar));
    }
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(mark, tag, anchor);
  }
  void OnSequenceEnd() override { --depth_; }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(mark, tag, anchor);
  }
  void OnMapEnd() override { --depth_; }

 private:
  void Stop(const YAML::Mark& mark, absl::string_view rule) {
    if (status_.ok()) status_ = Refuse(file_, mark.line + 1, rule);
  }
  void Value(const YAML::Mark& mark, YAML::anchor_t anchor, const std::string& tag) {
    if (anchor != 0) Stop(mark, "anchors are not allowed here");
    if (!tag.empty() && tag != "?") Stop(mark, "tags are not allowed here");
    if (++values_ > kMaxValues) Stop(mark, absl::StrCat("more than ", kMaxValues, " values"));
  }
  void Open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    Value(mark, anchor, tag);
    if (++depth_ > kMaxDepth) Stop(mark, absl::StrCat("nested deeper than ", kMaxDepth));
  }

  const absl::string_view file_;
  int documents_ = 0;
  int values_ = 0;
  int depth_ = 0;
  absl::Status status_;
};

}  // namespace

absl::Status CheckYamlLimits(absl::string_view text, absl::string_view file_name) {
  if (text.size() > kMaxBytes) {
    return Refuse(file_name, 1, absl::StrCat(text.size(), " bytes, expected at most ", kMaxBytes));
  }
  if (!IsValidUtf8(text)) return Refuse(file_name, 1, "the text is not UTF-8");
  if (const size_t zero = text.find('\0'); zero != absl::string_view::npos) {
    const auto lines = std::count(text.begin(), text.begin() + static_cast<int64_t>(zero), '\n');
    return Refuse(file_name, lines + 1, "a zero byte: a binary file, not text");
  }
  std::istringstream stream{std::string(text)};
  LimitHandler handler(file_name);
  try {
    YAML::Parser parser(stream);
    while (handler.status().ok() && parser.HandleNextDocument(handler)) {
    }
  } catch (const YAML::Exception& error) {
    if (handler.status().ok()) return Refuse(file_name, error.mark.line + 1, error.msg);
  }
  return handler.status();
}

}  // namespace heroq
