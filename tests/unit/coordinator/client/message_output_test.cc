#include "coordinator/client/message_output.h"

#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include "coordinator/client/yaml_text.h"
#include "heroq/v1/quantization_service.pb.h"

namespace heroq {
namespace {

v1::Worker Worker() {
  v1::Worker worker;
  worker.set_worker_id("w1");
  worker.set_slots(2);
  return worker;
}

TEST(MessageOutputTest, JsonHasEveryFieldUnderItsProtoName) {
  EXPECT_EQ(
      FormatMessage(Worker(), OutputFormat::kJsonLines),
      "{\"worker_id\":\"w1\",\"numeric_class\":\"\",\"device\":\"\",\"cores\":0,\"slots\":2,\"running\":0,"
      "\"draining\":false,\"rss_bytes\":\"0\",\"seconds_since_heartbeat\":0}\n");
}

TEST(MessageOutputTest, IndentedJsonHasSeveralLines) {
  EXPECT_EQ(FormatMessage(Worker(), OutputFormat::kJson).substr(0, 24), "{\n \"worker_id\": \"w1\",\n \"");
}

TEST(MessageOutputTest, YamlHasTheSameData) {
  const std::string yaml = FormatMessage(Worker(), OutputFormat::kYaml);
  EXPECT_EQ(yaml.substr(0, 14), "worker_id: w1\n");
  EXPECT_EQ(YAML::Load(yaml)["slots"].as<int>(), 2);
}

TEST(MessageOutputTest, YamlQuotesWhatItWouldReadOtherwise) {
  EXPECT_EQ(
      JsonToYaml(
          R"({"a":"true","b":"12","c":"","d":"x: y","e":"/tmp/a-b_c.txt","f":null,"g":[],"h":[1,"no"]})"),
      "a: \"true\"\nb: \"12\"\nc: \"\"\nd: \"x: y\"\ne: /tmp/a-b_c.txt\nf: ~\ng: []\nh:\n  - 1\n  - "
      "\"no\"\n");
}

TEST(MessageOutputTest, FormatsHaveNames) {
  EXPECT_EQ(ParseOutputFormat("jsonl"), OutputFormat::kJsonLines);
  EXPECT_EQ(ParseOutputFormat("JSON"), std::nullopt);
}

}  // namespace
}  // namespace heroq
