#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/metrics/metric_registry.h"

namespace heroq {
namespace {

using ::testing::HasSubstr;

TEST(PrometheusRegistryTest, RendersEveryKindWithLabels) {
  const auto registry = NewPrometheusRegistry();
  registry->GetCounter("heroq_tasks_total", "Tasks", {{"outcome", "done"}}).Increment(2);
  registry->GetGauge("heroq_workers", "Workers", {}).Set(3);
  Histogram& histogram = registry->GetHistogram("heroq_wait_seconds", "Wait", {}, {1, 10});
  histogram.Observe(0.5);
  histogram.Observe(5);
  histogram.Observe(50);
  const std::string text = registry->Render();
  EXPECT_THAT(text, HasSubstr("# TYPE heroq_tasks_total counter"));
  EXPECT_THAT(text, HasSubstr("heroq_tasks_total{outcome=\"done\"} 2"));
  EXPECT_THAT(text, HasSubstr("heroq_workers 3"));
  EXPECT_THAT(text, HasSubstr("heroq_wait_seconds_bucket{le=\"1\"} 1"));
  EXPECT_THAT(text, HasSubstr("heroq_wait_seconds_bucket{le=\"10\"} 2"));
  EXPECT_THAT(text, HasSubstr("heroq_wait_seconds_count 3"));
}

TEST(PrometheusRegistryTest, SameNameAndLabelsIsTheSameMetric) {
  const auto registry = NewPrometheusRegistry();
  Counter& first = registry->GetCounter("heroq_x_total", "X", {{"kind", "a"}});
  Counter& again = registry->GetCounter("heroq_x_total", "X", {{"kind", "a"}});
  Counter& other = registry->GetCounter("heroq_x_total", "X", {{"kind", "b"}});
  EXPECT_EQ(&first, &again);
  EXPECT_NE(&first, &other);
  first.Increment(1);
  again.Increment(1);
  EXPECT_THAT(registry->Render(), HasSubstr("heroq_x_total{kind=\"a\"} 2"));
}

}  // namespace
}  // namespace heroq
