#include "common/log/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "common/log/log_format.h"
#include "common/status/error_reason.h"

namespace heroq {
namespace {

struct Target {
  LogOptions options;
  std::shared_ptr<spdlog::logger> logger;
};

std::shared_ptr<const Target> MakeTarget(const LogOptions& options, spdlog::sink_ptr sink) {
  auto logger = std::make_shared<spdlog::logger>("heroq", std::move(sink));
  logger->set_level(spdlog::level::trace);
  logger->flush_on(spdlog::level::trace);
  // Lines are formed by log_format, so that text and JSON escape alike.
  logger->set_pattern("%v");
  return std::make_shared<const Target>(Target{options, std::move(logger)});
}

std::shared_ptr<const Target> StandardErrorTarget(const LogOptions& options) {
  return MakeTarget(options, std::make_shared<spdlog::sinks::stderr_sink_mt>());
}

class CurrentTarget {
 public:
  std::shared_ptr<const Target> Get() const {
    absl::MutexLock lock(&mutex_);
    return target_;
  }
  void Set(std::shared_ptr<const Target> target) {
    absl::MutexLock lock(&mutex_);
    target_ = std::move(target);
  }

 private:
  mutable absl::Mutex mutex_;
  std::shared_ptr<const Target> target_ ABSL_GUARDED_BY(mutex_) = StandardErrorTarget(LogOptions{});
};

// Never destroyed: threads may log while the process exits.
CurrentTarget& Current() {
  static auto* current = new CurrentTarget;
  return *current;
}

}  // namespace

absl::string_view ToString(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "unknown";
}

std::optional<LogLevel> ParseLogLevel(absl::string_view text) {
  for (LogLevel level : {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarning, LogLevel::kError}) {
    if (text == ToString(level)) return level;
  }
  return std::nullopt;
}

absl::Status SetUpLogging(const LogOptions& options) {
  if (options.file.empty()) {
    Current().Set(StandardErrorTarget(options));
    return absl::OkStatus();
  }
  try {
    Current().Set(MakeTarget(options, std::make_shared<spdlog::sinks::basic_file_sink_mt>(options.file)));
  } catch (const spdlog::spdlog_ex& error) {
    return MakeError(Reason::kIo, absl::StrCat("cannot open log file ", options.file, ": ", error.what()),
                     {{"file", options.file}});
  }
  return absl::OkStatus();
}

bool LogEnabled(LogLevel level) { return level >= Current().Get()->options.level; }

void Log(LogLevel level, absl::string_view message, std::initializer_list<LogField> fields) {
  const std::shared_ptr<const Target> target = Current().Get();
  if (level < target->options.level) return;
  const absl::Time now = target->options.clock->Now();
  const absl::Span<const LogField> span(fields.begin(), fields.size());
  const std::string line = target->options.json ? FormatLogJson(now, level, message, span)
                                                : FormatLogText(now, level, message, span);
  // The format argument keeps braces in the line from being read as a format.
  target->logger->log(spdlog::level::info, "{}", line);
}

}  // namespace heroq
