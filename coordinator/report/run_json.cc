#include "coordinator/report/run_json.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"

namespace heroq {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kSchemaVersion = 1;

std::string TimeText(absl::Time time) {
  return absl::FormatTime(absl::RFC3339_sec, time, absl::UTCTimeZone());
}

// What one result cost; a lease of several shards has one result for all its tasks.
struct LeaseCost {
  std::vector<std::string> tasks;
  const TaskRecord* task = nullptr;
};

Json Cost(const LeaseCost& cost) {
  const v1::TaskMetrics& metrics = cost.task->result->metrics();
  return {{"tasks", cost.tasks},
          {"worker", cost.task->worker_id},
          {"attempts", cost.task->attempts},
          {"losses", cost.task->losses},
          {"failures", cost.task->failures},
          {"out_of_memory", cost.task->out_of_memory},
          {"seconds", metrics.seconds()},
          {"cpu_seconds", metrics.cpu_seconds()},
          {"peak_rss_bytes", metrics.peak_rss_bytes()},
          {"bytes_read", metrics.bytes_read()},
          {"bytes_written", metrics.bytes_written()},
          {"tokens", metrics.tokens()}};
}

struct Totals {
  int results = 0;
  double seconds = 0;
  double cpu_seconds = 0;
};

}  // namespace

std::string RunJson(const JobRecord& job, absl::Time now) {
  std::vector<LeaseCost> costs;
  std::map<const v1::TaskResult*, size_t> by_result;
  std::map<std::string, Totals> totals;
  int64_t peak = 0;
  int losses = 0, failures = 0;
  for (size_t i = 0; i < job.tasks.size(); ++i) {
    const TaskRecord& task = job.tasks[i];
    losses += task.losses;
    failures += task.failures;
    if (task.result == nullptr) continue;
    const auto [entry, added] = by_result.emplace(task.result.get(), costs.size());
    if (added) {
      costs.push_back({{}, &task});
      Totals& total = totals[std::string(ToString(job.graph->nodes()[i].kind))];
      total.results += 1;
      total.seconds += task.result->metrics().seconds();
      total.cpu_seconds += task.result->metrics().cpu_seconds();
      peak = std::max(peak, task.result->metrics().peak_rss_bytes());
    }
    costs[entry->second].tasks.push_back(job.graph->nodes()[i].id);
  }
  Json json;
  json["schema_version"] = kSchemaVersion;
  json["job_id"] = job.job_id;
  json["create_time"] = TimeText(job.create_time);
  json["start_time"] = TimeText(job.start_time);
  json["end_time"] = TimeText(now);
  json["seconds"] = absl::ToDoubleSeconds(now - job.start_time);
  json["model_directory"] = job.plan->model_directory();
  json["output_directory"] = job.plan->output_directory();
  json["numeric_class"] = job.numeric_class;
  json["worker_peak_rss_bytes"] = peak;
  json["lost_attempts"] = losses;
  json["failed_attempts"] = failures;
  Json& by_kind = json["totals"] = Json::object();
  for (const auto& [kind, total] : totals) {
    by_kind[kind] = {
        {"results", total.results}, {"seconds", total.seconds}, {"cpu_seconds", total.cpu_seconds}};
  }
  Json& texts = json["texts"] = Json::array();
  for (const v1::TextUse& use : job.plan->texts())
    texts.push_back({{"file", use.file()},
                     {"documents", use.documents()},
                     {"tokens_read", use.tokens_read()},
                     {"tokens_used", use.tokens_used()}});
  Json& sources = json["sources"] = Json::array();
  for (const v1::PinnedFile& file : job.plan->sources()) {
    sources.push_back({{"name", file.name()},
                       {"size_bytes", file.size_bytes()},
                       {"modify_time_nanos", file.modify_time_nanos()},
                       {"inode", file.inode()}});
  }
  Json& tasks = json["tasks"] = Json::array();
  for (const LeaseCost& cost : costs) tasks.push_back(Cost(cost));
  return absl::StrCat(json.dump(1, ' ', false, Json::error_handler_t::replace), "\n");
}

}  // namespace heroq
