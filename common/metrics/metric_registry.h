#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace heroq {

// Bounded sets only: never ids of jobs, tasks, layers or workers.
using MetricLabels = std::map<std::string, std::string>;

// Only grows.
class Counter {
 public:
  virtual ~Counter() = default;
  virtual void Increment(double amount) = 0;
};

class Gauge {
 public:
  virtual ~Gauge() = default;
  virtual void Set(double value) = 0;
};

class Histogram {
 public:
  virtual ~Histogram() = default;
  virtual void Observe(double value) = 0;
};

// The metrics of one process. Names are "heroq_..." in base units, counters end in "_total". Asking again for
// a name with the same labels gives the same metric; a name has one kind and one help text. References live
// as long as the registry. Thread-safe.
class MetricRegistry {
 public:
  virtual ~MetricRegistry() = default;
  virtual Counter& GetCounter(const std::string& name, const std::string& help,
                              const MetricLabels& labels) = 0;
  virtual Gauge& GetGauge(const std::string& name, const std::string& help, const MetricLabels& labels) = 0;
  // `bounds`: upper bounds of the buckets, increasing; the same for every series of a name.
  virtual Histogram& GetHistogram(const std::string& name, const std::string& help,
                                  const MetricLabels& labels, const std::vector<double>& bounds) = 0;
  // Every series in Prometheus' text format.
  virtual std::string Render() = 0;
};

std::unique_ptr<MetricRegistry> NewPrometheusRegistry();

}  // namespace heroq
