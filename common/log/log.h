#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <type_traits>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/time/clock.h"

namespace heroq {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

absl::string_view ToString(LogLevel level);  // "debug", "info", "warning", "error"
std::optional<LogLevel> ParseLogLevel(absl::string_view text);

struct LogOptions {
  LogLevel level = LogLevel::kInfo;  // records below it are dropped
  std::string file;                  // appended to, folders created; empty: standard error
  bool json = false;                 // one JSON object a line instead of text
  Clock* clock = &Clock::System();   // not owned; must outlive logging
};

// One key and value beside a message. Holds views: lives only as an argument of Log.
class LogField {
 public:
  using Value = std::variant<absl::string_view, int64_t, double, bool>;

  LogField(absl::string_view key, absl::string_view value) : key_(key), value_(value) {}
  LogField(absl::string_view key, const char* value) : LogField(key, absl::string_view(value)) {}
  LogField(absl::string_view key, const std::string& value) : LogField(key, absl::string_view(value)) {}
  LogField(absl::string_view key, bool value) : key_(key), value_(value) {}
  template <typename T, std::enable_if_t<std::is_integral_v<T> && !std::is_same_v<T, bool>, int> = 0>
  LogField(absl::string_view key, T value) : key_(key), value_(static_cast<int64_t>(value)) {}
  template <typename T, std::enable_if_t<std::is_floating_point_v<T>, int> = 0>
  LogField(absl::string_view key, T value) : key_(key), value_(static_cast<double>(value)) {}

  absl::string_view key() const { return key_; }
  const Value& value() const { return value_; }

 private:
  absl::string_view key_;
  Value value_;
};

// Where the process's records go from now on; may be called again. Before the first call: text on standard
// error from kInfo up. IO_ERROR when the file cannot be opened; then nothing changes. Thread-safe.
absl::Status SetUpLogging(const LogOptions& options);

// Writes one line, flushed before it returns, so that it survives a crash:
//   2026-11-23T10:00:00.123Z info lease granted task=42 worker="a b"
//   {"time":"2026-11-23T10:00:00.123Z","level":"info","message":"lease granted","task":42,"worker":"a b"}
// Control characters are escaped: text from outside cannot forge a record. A record that cannot be written is
// lost and never an error of the caller. Thread-safe. Blocks on the write.
void Log(LogLevel level, absl::string_view message, std::initializer_list<LogField> fields = {});

// True if Log(level, ...) writes: for fields that are expensive to form.
bool LogEnabled(LogLevel level);

}  // namespace heroq
