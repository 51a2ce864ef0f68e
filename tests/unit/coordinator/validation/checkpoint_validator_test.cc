#include "coordinator/validation/checkpoint_validator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <functional>

#include "absl/strings/str_replace.h"
#include "common/checkpoint/safetensors_reader.h"
#include "common/file/io_error.h"
#include "common/status/error_reason.h"
#include "tests/support/driver_harness.h"
#include "tests/support/memory_file_system.h"
#include "tests/support/tiny_model.h"

namespace heroq {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kWeights[] = "/out/w3/model.safetensors";

// A published 3-bit checkpoint whose rows of 96 codes fill whole words and whose 100 or 64 rows of zero
// points do not.
class CheckpointValidatorTest : public testing::Test {
 protected:
  CheckpointValidatorTest() {
    TinyModel model;
    model.blocks = 1;
    model.intermediate = 104;
    WriteTinyModel(files_, "/model", model);
    v1::JobSpec spec;
    *spec.mutable_model()->mutable_location() = LocalPath("/model");
    *spec.mutable_output()->mutable_location() = LocalPath("/out/w3");
    spec.mutable_method()->mutable_rtn();
    spec.mutable_scheme()->set_weight_bits(3);
    spec.mutable_scheme()->set_group_size(8);
    spec.mutable_scheme()->set_symmetry(v1::SYMMETRY_ASYMMETRIC);
    DriverHarness harness(files_, "/state");
    harness.CreateJob("job", spec);
    harness.RunToEnd("job");
    plan_ = *harness.Job("job")->plan;
    // Only the checks that need no manifest are interesting here, unless a test writes it back.
    manifest_ = *ReadFile(files_, "/out/w3/MANIFEST.json");
    files_.RemoveFile("/out/w3/MANIFEST.json").IgnoreError();
  }

  // Overwrites bytes of a tensor.
  void Spoil(const std::string& tensor, int64_t offset, const std::string& bytes) {
    const auto reader = *SafetensorsReader::Open(files_, kWeights);
    const int64_t begin = (*reader->Find(tensor))->begin;
    ASSERT_TRUE((*files_.OpenForUpdate(kWeights))->WriteAt(begin + offset, bytes).ok());
  }
  void Rewrite(const std::string& path, const std::function<std::string(const std::string&)>& change) {
    ASSERT_TRUE(WriteFileAtomically(files_, path, change(*ReadFile(files_, path))).ok());
  }
  // "rule tensor-or-file" of every finding.
  std::vector<std::string> Findings(const std::string& source = "/model") {
    const auto response = ValidateCheckpoint(files_, "/out/w3", source);
    EXPECT_TRUE(response.ok()) << response.status();
    std::vector<std::string> lines;
    for (const v1::ValidationFinding& finding : response->findings()) {
      lines.push_back(finding.rule() + " " + (finding.tensor().empty() ? finding.file() : finding.tensor()));
      EXPECT_FALSE(finding.expected().empty());
    }
    return lines;
  }

  MemoryFileSystem files_;
  v1::Plan plan_;
  std::string manifest_;
};

TEST_F(CheckpointValidatorTest, WhatWasPublishedHasNoFindings) {
  EXPECT_THAT(Findings(), IsEmpty());
  ASSERT_TRUE(WriteFileAtomically(files_, "/out/w3/MANIFEST.json", manifest_).ok());
  EXPECT_THAT(Findings(), IsEmpty());
  EXPECT_THAT(Findings(""), IsEmpty());
}

TEST_F(CheckpointValidatorTest, AMissingDirectoryIsAnErrorNotAFinding) {
  EXPECT_TRUE(HasReason(ValidateCheckpoint(files_, "/none", "").status(), Reason::kModelNotFound));
}

TEST_F(CheckpointValidatorTest, ScalesThatAreZeroNegativeOrNotFiniteAreFound) {
  for (const std::string& bits :
       {std::string("\x00\x00", 2), std::string("\x80\xbf", 2), std::string("\x80\x7f", 2)}) {
    Spoil("model.layers.0.self_attn.o_proj.weight_scale", 4, bits);
    EXPECT_THAT(Findings(""), ElementsAre("scale_not_positive model.layers.0.self_attn.o_proj.weight_scale"));
  }
}

TEST_F(CheckpointValidatorTest, BitsBehindTheLastCodeAreFound) {
  // 104 codes of 3 bits end 8 bits before the end of the tenth word of a row.
  Spoil("model.layers.0.mlp.down_proj.weight_packed", 39, "\x01");
  // 104 zero points a column, 13 groups of 8 a row: the last word of column 0 is word 9 * 8 of gate's [10,
  // 8].
  Spoil("model.layers.0.mlp.gate_proj.weight_zero_point", 9 * 8 * 4 + 3, "\x80");
  EXPECT_THAT(Findings(""), ElementsAre("padding_not_zero model.layers.0.mlp.gate_proj.weight_zero_point",
                                        "padding_not_zero model.layers.0.mlp.down_proj.weight_packed"));
}

TEST_F(CheckpointValidatorTest, AWrongStoredShapeIsFound) {
  Spoil("model.layers.0.mlp.up_proj.weight_shape", 0, "\x05");
  EXPECT_THAT(Findings(""), ElementsAre("weight_shape model.layers.0.mlp.up_proj.weight_shape"));
}

TEST_F(CheckpointValidatorTest, ChangedCopiesAreFoundAgainstTheSource) {
  Spoil("model.norm.weight", 2, "\x11\x22");
  EXPECT_THAT(Findings(""), IsEmpty());
  EXPECT_THAT(Findings(), ElementsAre("copied_tensor_differs model.norm.weight"));
}

TEST_F(CheckpointValidatorTest, WeightsOfAnotherModelAreImplausible) {
  TinyModel other;
  other.blocks = 1;
  other.intermediate = 104;
  other.seed = 99;
  WriteTinyModel(files_, "/other", other);
  EXPECT_THAT(Findings("/other"), Contains("weights_not_the_sources model.layers.0.mlp.up_proj.weight"));
}

TEST_F(CheckpointValidatorTest, TheManifestsWeightErrorIsHeldTo) {
  // The embedding's tie keeps the file's other tensors as they are: only one code of one linear changes.
  Spoil("model.layers.0.self_attn.q_proj.weight_packed", 0, std::string("\xff\x00\xff\x00", 4));
  EXPECT_THAT(Findings(), IsEmpty()) << "small changes are plausible";
  ASSERT_TRUE(WriteFileAtomically(files_, "/out/w3/MANIFEST.json", manifest_).ok());
  EXPECT_THAT(Findings(), ElementsAre("file_hash model.safetensors",
                                      "tensor_hash model.layers.0.self_attn.q_proj.weight_packed",
                                      "weight_digest_differs model.layers.0.self_attn.q_proj.weight",
                                      "weight_error_differs model.layers.0.self_attn.q_proj.weight"));
}

TEST_F(CheckpointValidatorTest, FindingsOfLinearsAreInTheOrderOfTheModel) {
  std::vector<std::string> weights;
  const std::string block = "model.layers.0.";
  for (const std::string name : {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj",
                                 "self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"}) {
    Spoil(block + name + ".weight_packed", 0, std::string("\xff\x00\xff\x00", 4));
    weights.push_back("weight_digest_differs " + block + name + ".weight");
    weights.push_back("weight_error_differs " + block + name + ".weight");
  }
  ASSERT_TRUE(WriteFileAtomically(files_, "/out/w3/MANIFEST.json", manifest_).ok());
  for (int i = 0; i < 10; ++i) {
    std::vector<std::string> found = Findings();
    std::erase_if(found, [](const std::string& line) { return line.find("weight_") != 0; });
    EXPECT_EQ(found, weights);
  }
}

TEST_F(CheckpointValidatorTest, AReadThatFailsIsNeverASoundCheckpoint) {
  ASSERT_TRUE(WriteFileAtomically(files_, "/out/w3/MANIFEST.json", manifest_).ok());
  int fails = 0;
  for (bool failed = true; failed;) {
    ++fails;
    std::atomic<int> reads = 0;
    files_.SetFault([&](absl::string_view operation, const std::string& path) {
      return operation == "read" && ++reads == fails ? IoError(EIO, operation, path) : absl::OkStatus();
    });
    const auto response = ValidateCheckpoint(files_, "/out/w3", "/model");
    files_.SetFault(nullptr);
    failed = reads >= fails;
    EXPECT_EQ(failed, !response.ok() || response->findings_size() > 0) << "read " << fails;
  }
  EXPECT_GT(fails, 50);
}

TEST_F(CheckpointValidatorTest, MissingAndResizedFilesOfTheManifestAreFound) {
  ASSERT_TRUE(WriteFileAtomically(files_, "/out/w3/MANIFEST.json", manifest_).ok());
  ASSERT_TRUE(files_.RemoveFile("/out/w3/LICENSE").ok());
  ASSERT_TRUE(WriteFileAtomically(files_, "/out/w3/README.md", "short").ok());
  EXPECT_THAT(Findings(), ElementsAre("file_missing LICENSE", "file_size README.md"));
}

TEST_F(CheckpointValidatorTest, MissingAndUnexpectedTensorsAreFound) {
  // The same number of bytes, so that the header stays one of a sound file.
  Rewrite(kWeights, [](const std::string& bytes) {
    return absl::StrReplaceAll(bytes, {{"q_proj.weight_shape", "q_proj.weight_shap2"}});
  });
  EXPECT_THAT(Findings(""), ElementsAre("tensor_missing model.layers.0.self_attn.q_proj.weight_shape",
                                        "tensor_unexpected model.layers.0.self_attn.q_proj.weight_shap2"));
}

TEST_F(CheckpointValidatorTest, GroupCountsThatDoNotFitTheConfigAreFound) {
  Rewrite("/out/w3/config.json", [](const std::string& json) {
    return absl::StrReplaceAll(json, {{"\"group_size\": 8", "\"group_size\": 4"}});
  });
  EXPECT_THAT(Findings(""), Contains("tensor_shape model.layers.0.mlp.down_proj.weight_scale"));
}

TEST_F(CheckpointValidatorTest, TruncatedFilesAreAFinding) {
  Rewrite(kWeights, [](const std::string& bytes) { return bytes.substr(0, bytes.size() - 1); });
  EXPECT_THAT(Findings(""), ElementsAre("tensor_file_invalid model.safetensors"));
}

TEST_F(CheckpointValidatorTest, ConfigsThatCannotBeUnderstoodAreAFinding) {
  Rewrite("/out/w3/config.json", [](const std::string& json) {
    return absl::StrReplaceAll(json, {{"\"pack-quantized\"", "\"float-quantized\""}});
  });
  EXPECT_THAT(Findings(""), ElementsAre("format_unsupported config.json"));
  Rewrite("/out/w3/config.json", [](const std::string&) { return "{}"; });
  EXPECT_THAT(Findings(""), ElementsAre("config_invalid config.json"));
  ASSERT_TRUE(files_.RemoveFile("/out/w3/config.json").ok());
  EXPECT_THAT(Findings(""), ElementsAre("config_unreadable config.json"));
}

TEST_F(CheckpointValidatorTest, DenseValuesThatAreNotFiniteAreFound) {
  Spoil("model.norm.weight", 2, std::string("\xc0\x7f", 2));
  EXPECT_THAT(Findings(""), ElementsAre("value_not_finite model.norm.weight"));
}

TEST_F(CheckpointValidatorTest, FilesOutsideTheManifestAreFoundUnlessHidden) {
  ASSERT_TRUE(WriteFileAtomically(files_, "/out/w3/MANIFEST.json", manifest_).ok());
  ASSERT_TRUE(WriteFileAtomically(files_, "/out/w3/report/extra.bin", "x").ok());
  ASSERT_TRUE(WriteFileAtomically(files_, "/out/w3/.gitattributes", "x").ok());
  EXPECT_THAT(Findings(""), ElementsAre("file_unlisted report/extra.bin"));
}

TEST_F(CheckpointValidatorTest, TheManifestMustRepeatTheReportAndTheTensors) {
  const auto findings_with = [&](const std::string& from, const std::string& to) {
    EXPECT_NE(manifest_.find(from), std::string::npos);
    const std::string changed = absl::StrReplaceAll(manifest_, {{from, to}});
    EXPECT_TRUE(WriteFileAtomically(files_, "/out/w3/MANIFEST.json", changed).ok());
    return Findings("");
  };
  EXPECT_THAT(findings_with("\"method\": \"rtn\"", "\"method\": \"gptq\""),
              ElementsAre("manifest_report MANIFEST.json"));
  EXPECT_THAT(findings_with("q_proj.weight_shape", "q_proj.weight_shapes"),
              ElementsAre("manifest_tensor model.layers.0.self_attn.q_proj.weight_shapes",
                          "manifest_tensor model.layers.0.self_attn.q_proj.weight_shape"));
  EXPECT_THAT(findings_with("\"report/run.json\"", "\"LICENSE\""),
              Contains("manifest_invalid MANIFEST.json"));
}

TEST_F(CheckpointValidatorTest, GroupsThatDoNotDivideTheInputsAreFound) {
  Rewrite("/out/w3/config.json", [](const std::string& json) {
    return absl::StrReplaceAll(json, {{"\"group_size\": 8", "\"group_size\": 7"}});
  });
  EXPECT_THAT(Findings(""), Contains("group_size_indivisible model.layers.0.mlp.down_proj"));
}

TEST_F(CheckpointValidatorTest, WithASourceTheErrorOfEveryLinearIsTold) {
  const auto response = ValidateCheckpoint(files_, "/out/w3", "/model");
  ASSERT_TRUE(response.ok());
  ASSERT_EQ(response->weight_errors_size(), 7);
  EXPECT_EQ(response->weight_errors(0).linear(), "model.layers.0.self_attn.q_proj");
  EXPECT_EQ(response->weight_errors(0).scheme(), "W3A16 g8 asymmetric");
  EXPECT_GT(response->weight_errors(0).weight_error(), 0);
  EXPECT_EQ(ValidateCheckpoint(files_, "/out/w3", "")->weight_errors_size(), 0);
}

TEST_F(CheckpointValidatorTest, StagedDirectoriesAreHeldToTheirPlan) {
  const std::map<std::string, StatedWeight> none;
  const auto response = ValidateStaged(files_, "/out/w3", plan_, none);
  ASSERT_TRUE(response.ok()) << response.status();
  ASSERT_EQ(response->findings_size(), 7) << "one unreported linear each";
  EXPECT_EQ(response->findings(0).rule(), "report_missing");
  v1::Plan other = plan_;
  other.mutable_files(0)->mutable_header()->back() = '\t';
  EXPECT_EQ(ValidateStaged(files_, "/out/w3", other, none)->findings(0).rule(), "header_differs");
}

}  // namespace
}  // namespace heroq
