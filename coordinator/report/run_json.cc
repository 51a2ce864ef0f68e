#include "coordinator/report/run_json.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

namespace heroq {
namespace {

using Json = nlohmann::ordered_json;

struct KindTotals {
  int tasks = 0;
  int attempts = 0;
  double seconds = 0;
  double cpu_seconds = 0;
  int64_t bytes_read = 0;
  int64_t bytes_written = 0;
  int64_t tokens = 0;
};

std::string Timestamp(absl::Time time) {
  return absl::FormatTime(absl::RFC3339_sec, time, absl::UTCTimeZone());
}

}  // namespace

std::string RunJson(const JobRecord& job, absl::Time end_time) {
  std::map<std::string, KindTotals> kinds;
  std::set<const v1::TaskResult*> counted;  // a lease of several shards shares one result
  int64_t peak_rss = 0;
  int losses = 0, failures = 0;
  const auto& nodes = job.graph->nodes();
  for (size_t i = 0; i < nodes.size(); ++i) {
    const TaskRecord& task = job.tasks[i];
    KindTotals& totals = kinds[std::string(ToString(nodes[i].kind))];
    totals.tasks += 1;
    totals.attempts += task.attempts;
    losses += task.losses;
    failures += task.failures;
    if (task.result == nullptr || !counted.insert(task.result.get()).second) continue;
    const v1::TaskMetrics& metrics = task.result->metrics();
    totals.seconds += metrics.seconds();
    totals.cpu_seconds += metrics.cpu_seconds();
    totals.bytes_read += metrics.bytes_read();
    totals.bytes_written += metrics.bytes_written();
    totals.tokens += metrics.tokens();
    peak_rss = std::max<int64_t>(peak_rss, metrics.peak_rss_bytes());
  }

  Json json;
  json["schema_version"] = 1;
  json["job_id"] = job.job_id;
  json["create_time"] = Timestamp(job.create_time);
  json["start_time"] = Timestamp(job.start_time);
  json["end_time"] = Timestamp(end_time);
  json["seconds"] = absl::ToDoubleSeconds(end_time - job.start_time);
  json["model_directory"] = job.plan->model_directory();
  json["output_directory"] = job.plan->output_directory();
  json["numeric_class"] = job.numeric_class;
  json["worker_peak_rss_bytes"] = peak_rss;
  json["lost_attempts"] = losses;
  json["failed_attempts"] = failures;
  json["texts"] = Json::array();
  for (const v1::TextUse& text : job.plan->texts()) {
    json["texts"].push_back({{"file", text.file()},
                             {"documents", text.documents()},
                             {"tokens_read", text.tokens_read()},
                             {"tokens_used", text.tokens_used()}});
  }
  json["tasks"] = Json::object();
  for (const auto& [kind, totals] : kinds) {
    json["tasks"][kind] = {{"tasks", totals.tasks},           {"attempts", totals.attempts},
                           {"seconds", totals.seconds},       {"cpu_seconds", totals.cpu_seconds},
                           {"bytes_read", totals.bytes_read}, {"bytes_written", totals.bytes_written},
                           {"tokens", totals.tokens}};
  }
  return json.dump(1) + "\n";
}

}  // namespace heroq
