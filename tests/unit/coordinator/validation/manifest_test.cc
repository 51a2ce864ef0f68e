#include "coordinator/validation/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_replace.h"
#include "common/status/error_reason.h"

namespace heroq {
namespace {

using ::testing::HasSubstr;

Manifest Example() {
  Manifest manifest;
  manifest.heroq_version = "1.2.3";
  manifest.compressed_tensors_version = "0.19.0";
  manifest.spec_digest = "abc";
  manifest.numeric_class = "torch 2 / cpu";
  manifest.method = "gptq";
  manifest.format = "pack-quantized";
  manifest.compute_type = "bf16";
  manifest.calibration_tokens_sha256 = "def";
  manifest.files = {{"model.safetensors", 123, "00"}, {"report/report.json", 5, "11"}};
  manifest.unhashed = {"report/run.json"};
  manifest.tensors = {{"a.weight_packed", "model.safetensors", "I32", {2, 3}, "22", false}};
  manifest.linears = {{"a", "W4A16 g64 asymmetric", 0.01, 0.005, "33"},
                      {"b", "W8A16 g64 asymmetric", 0.001, std::nullopt, ""}};
  return manifest;
}

TEST(ManifestTest, ReadsBackWhatItWrote) {
  const std::string json = SerializeManifest(Example());
  const absl::StatusOr<Manifest> manifest = ParseManifest(json, "MANIFEST.json");
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  EXPECT_EQ(SerializeManifest(*manifest), json);
  EXPECT_EQ(manifest->files[1].name, "report/report.json");
  EXPECT_EQ(manifest->files[0].size_bytes, 123);
  EXPECT_EQ(manifest->unhashed, std::vector<std::string>{"report/run.json"});
  EXPECT_EQ(manifest->tensors[0].shape, (std::vector<int64_t>{2, 3}));
  EXPECT_DOUBLE_EQ(*manifest->linears[0].relative_error, 0.005);
  EXPECT_FALSE(manifest->linears[1].relative_error.has_value());
}

TEST(ManifestTest, NamesThatLeaveTheDirectoryAreRefused) {
  for (const std::string name : {"/etc/passwd", "../x", "a/../x", ""}) {
    const std::string json =
        absl::StrReplaceAll(SerializeManifest(Example()), {{"\"report/report.json\"", "\"" + name + "\""}});
    EXPECT_TRUE(HasReason(ParseManifest(json, "M").status(), Reason::kFileCorrupt)) << name;
  }
}

TEST(ManifestTest, FilesListedTwiceAreRefused) {
  for (const std::string name : {"model.safetensors", "report/run.json"}) {
    const std::string json =
        absl::StrReplaceAll(SerializeManifest(Example()), {{"\"report/report.json\"", "\"" + name + "\""}});
    EXPECT_THAT(std::string(ParseManifest(json, "M").status().message()), HasSubstr("is listed twice"))
        << name;
  }
}

TEST(ManifestTest, WrongMembersAreNamed) {
  const std::string json = SerializeManifest(Example());
  const auto message = [&](const std::string& from, const std::string& to) {
    return std::string(ParseManifest(absl::StrReplaceAll(json, {{from, to}}), "M").status().message());
  };
  EXPECT_THAT(message("\"schema_version\": 1", "\"schema_version\": 2"), HasSubstr("schema_version"));
  EXPECT_THAT(message("\"size_bytes\": 123", "\"size_bytes\": \"123\""), HasSubstr("size_bytes"));
  EXPECT_THAT(message("\"size_bytes\": 123", "\"size_bytes\": -1"), HasSubstr("size_bytes"));
  EXPECT_THAT(message("\"size_bytes\": 123", "\"size_bytes\": 9223372036854775808"), HasSubstr("size_bytes"));
  EXPECT_THAT(message("\"report/run.json\"", "7"), HasSubstr("unhashed_files"));
  EXPECT_THAT(message("\"report/run.json\"", "\"../run.json\""), HasSubstr("leaves the directory"));
  EXPECT_THAT(message("   3\n", "   2.5\n"), HasSubstr("shape"));
  EXPECT_THAT(message("   3\n", "   -3\n"), HasSubstr("shape"));
  EXPECT_THAT(message("\"spec_digest\"", "\"spec_digest2\""), HasSubstr("spec_digest"));
  EXPECT_THAT(message("\"copied\": false", "\"copied\": 0"), HasSubstr("copied"));
}

}  // namespace
}  // namespace heroq
