#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <map>
#include <memory>
#include <utility>

#include "absl/synchronization/mutex.h"
#include "common/metrics/metric_registry.h"

namespace heroq {
namespace {

class PrometheusCounter final : public Counter {
 public:
  explicit PrometheusCounter(prometheus::Counter& counter) : counter_(counter) {}
  void Increment(double amount) override { counter_.Increment(amount); }

 private:
  prometheus::Counter& counter_;
};

class PrometheusGauge final : public Gauge {
 public:
  explicit PrometheusGauge(prometheus::Gauge& gauge) : gauge_(gauge) {}
  void Set(double value) override { gauge_.Set(value); }

 private:
  prometheus::Gauge& gauge_;
};

class PrometheusHistogram final : public Histogram {
 public:
  explicit PrometheusHistogram(prometheus::Histogram& histogram) : histogram_(histogram) {}
  void Observe(double value) override { histogram_.Observe(value); }

 private:
  prometheus::Histogram& histogram_;
};

class PrometheusRegistry final : public MetricRegistry {
 public:
  Counter& GetCounter(const std::string& name, const std::string& help, const MetricLabels& labels) override {
    auto& family = prometheus::BuildCounter().Name(name).Help(help).Register(registry_);
    return Wrap<PrometheusCounter>(counters_, family.Add(labels));
  }

  Gauge& GetGauge(const std::string& name, const std::string& help, const MetricLabels& labels) override {
    auto& family = prometheus::BuildGauge().Name(name).Help(help).Register(registry_);
    return Wrap<PrometheusGauge>(gauges_, family.Add(labels));
  }

  Histogram& GetHistogram(const std::string& name, const std::string& help, const MetricLabels& labels,
                          const std::vector<double>& bounds) override {
    auto& family = prometheus::BuildHistogram().Name(name).Help(help).Register(registry_);
    return Wrap<PrometheusHistogram>(histograms_, family.Add(labels, bounds));
  }

  std::string Render() override { return prometheus::TextSerializer().Serialize(registry_.Collect()); }

 private:
  template <typename Theirs, typename Ours>
  using Wrapped = std::map<const Theirs*, std::unique_ptr<Ours>>;

  // One wrapper per series, however often it is asked for.
  template <typename Ours, typename Theirs>
  Ours& Wrap(Wrapped<Theirs, Ours>& wrapped, Theirs& metric) {
    absl::MutexLock lock(&mutex_);
    std::unique_ptr<Ours>& wrapper = wrapped[&metric];
    if (wrapper == nullptr) wrapper = std::make_unique<Ours>(metric);
    return *wrapper;
  }

  prometheus::Registry registry_{prometheus::Registry::InsertBehavior::Merge};
  absl::Mutex mutex_;
  Wrapped<prometheus::Counter, PrometheusCounter> counters_;
  Wrapped<prometheus::Gauge, PrometheusGauge> gauges_;
  Wrapped<prometheus::Histogram, PrometheusHistogram> histograms_;
};

}  // namespace

std::unique_ptr<MetricRegistry> NewPrometheusRegistry() { return std::make_unique<PrometheusRegistry>(); }

}  // namespace heroq
