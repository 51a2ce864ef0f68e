#include "coordinator/planning/planner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/safetensors_reader.h"
#include "common/status/error_reason.h"
#include "coordinator/planning/model_inspection.h"
#include "tests/support/memory_blob_store.h"
#include "tests/support/memory_file_system.h"
#include "tests/support/tiny_model.h"

namespace heroq {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

class PlannerTest : public testing::Test {
 protected:
  PlannerTest() {
    WriteTinyModel(files_, "/models/tiny");
    WriteTokens(files_, "/texts/tokens.safetensors", 16, 32, 100);
  }

  static v1::JobSpec Spec(const std::string& model = "/models/tiny") {
    v1::JobSpec spec;
    *spec.mutable_model()->mutable_location() = LocalPath(model);
    *spec.mutable_output()->mutable_location() = LocalPath("/out/tiny-w4");
    spec.mutable_method()->mutable_gptq();
    spec.mutable_calibration()->set_samples(16);
    spec.mutable_calibration()->set_sequence_length(32);
    *spec.mutable_calibration()->mutable_source()->mutable_tokens_file() =
        LocalPath("/texts/tokens.safetensors");
    return spec;
  }

  MemoryFileSystem files_;
  MemoryBlobStore blobs_;
  Planner planner_{files_, blobs_, {{"local", "/"}}};
};

TEST_F(PlannerTest, PlansUnitsFilesTokensAndDigest) {
  const absl::StatusOr<v1::Plan> plan = planner_.MakePlan(Spec());
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->family(), "llama");
  ASSERT_EQ(plan->units_size(), 4);
  EXPECT_EQ(plan->units(3).unit(), "mlp");
  EXPECT_EQ(plan->units(3).linears(2).name(), "model.layers.1.mlp.down_proj");
  EXPECT_EQ(plan->units(3).linears(2).scheme().group_size(), 32) << "96 = 3 * 32";
  EXPECT_THAT(plan->copied_files(), ElementsAre("LICENSE", "generation_config.json"));
  EXPECT_TRUE(
      *blobs_.Contains({plan->calibration_tokens().sha256(), plan->calibration_tokens().size_bytes()}));
  EXPECT_EQ(plan->spec_digest().size(), 64u);
  // 8 shards and 2 units a block.
  EXPECT_EQ(plan->cost().task_count(), 2 * (8 + 2));
  EXPECT_GT(plan->cost().worker_peak_memory_bytes(), 0);
}

TEST_F(PlannerTest, HeadersDescribeFilesThatTheReaderAccepts) {
  v1::JobSpec spec = Spec();
  spec.mutable_output()->set_max_shard_bytes(20000);
  const absl::StatusOr<v1::Plan> plan = planner_.MakePlan(spec);
  ASSERT_TRUE(plan.ok()) << plan.status();
  ASSERT_GT(plan->files_size(), 2);
  int64_t tensors = 0;
  ASSERT_TRUE(files_.CreateDirectories("/check").ok());
  for (const v1::PlannedFile& file : plan->files()) {
    const int64_t data = file.tensors(file.tensors_size() - 1).end();
    ASSERT_TRUE(
        WriteFileAtomically(files_, "/check/" + file.name(), file.header() + std::string(data, '\0')).ok());
    const auto reader = SafetensorsReader::Open(files_, "/check/" + file.name());
    ASSERT_TRUE(reader.ok()) << reader.status();
    EXPECT_EQ((*reader)->tensors().size(), static_cast<size_t>(file.tensors_size()));
    tensors += file.tensors_size();
  }
  // Embedding, final norm, and per block two norms and seven linears of packed codes, scales, zero points,
  // shape.
  EXPECT_EQ(tensors, 2 + 2 * (2 + 7 * 4));
}

std::vector<std::string> RewrittenNames(const v1::PlannedUnit& unit) {
  std::vector<std::string> names;
  for (const v1::RewrittenTensor& tensor : unit.tensors()) names.push_back(tensor.name());
  return names;
}

TEST_F(PlannerTest, ARotatedStreamRewritesEverythingThatTouchesIt) {
  WriteTinyModel(files_, "/models/biased", {.biases = true});
  v1::JobSpec spec = Spec("/models/biased");
  spec.mutable_method()->mutable_hero_q();
  v1::SchemeOverride& kept = *spec.mutable_scheme()->add_overrides();
  kept.set_pattern("layers.1.mlp");
  kept.set_keep(true);
  const absl::StatusOr<v1::Plan> plan = planner_.MakePlan(spec);
  ASSERT_TRUE(plan.ok()) << plan.status();
  ASSERT_EQ(plan->units_size(), 6);
  const std::string first = "model.layers.0.", second = "model.layers.1.";
  EXPECT_THAT(RewrittenNames(plan->units(0)),
              ElementsAre(first + "self_attn.v_proj.bias", first + "self_attn.o_proj.bias",
                          first + "input_layernorm.weight"));
  // Not quantized, but it reads and writes the stream.
  EXPECT_EQ(plan->units(3).linears_size(), 0);
  EXPECT_THAT(RewrittenNames(plan->units(3)),
              ElementsAre(second + "mlp.gate_proj.weight", second + "mlp.up_proj.weight",
                          second + "mlp.up_proj.bias", second + "mlp.down_proj.weight",
                          second + "mlp.down_proj.bias", second + "post_attention_layernorm.weight"));
  EXPECT_EQ(plan->units(4).block(), -1);
  EXPECT_THAT(RewrittenNames(plan->units(4)), ElementsAre("model.embed_tokens.weight"));
  EXPECT_THAT(RewrittenNames(plan->units(5)), ElementsAre("model.norm.weight", "lm_head.weight"));
  EXPECT_TRUE(plan->untied_head());
  std::vector<std::string> copied;
  for (const v1::PlannedTensor& tensor : plan->files(0).tensors()) {
    if (tensor.copied()) copied.push_back(tensor.name());
  }
  EXPECT_THAT(copied, UnorderedElementsAre(first + "self_attn.q_proj.bias", first + "self_attn.k_proj.bias",
                                           first + "mlp.gate_proj.bias", second + "self_attn.q_proj.bias",
                                           second + "self_attn.k_proj.bias", second + "mlp.gate_proj.bias"));
}

TEST_F(PlannerTest, TransformsInsideUnitsLeaveTheStreamAlone) {
  v1::JobSpec spec = Spec();
  spec.mutable_method()->mutable_hero_q()->set_transform(v1::TRANSFORM_NONE);
  v1::SchemeOverride& kept = *spec.mutable_scheme()->add_overrides();
  kept.set_pattern("layers.1.mlp|0.self_attn.(q|k|v)_proj");
  kept.set_keep(true);
  const absl::StatusOr<v1::Plan> plan = planner_.MakePlan(spec);
  ASSERT_TRUE(plan.ok()) << plan.status();
  ASSERT_EQ(plan->units_size(), 3) << "a unit without quantized linears is none";
  const std::string attention = "model.layers.0.self_attn.";
  EXPECT_THAT(RewrittenNames(plan->units(0)),
              ElementsAre(attention + "q_proj.weight", attention + "k_proj.weight",
                          attention + "v_proj.weight", "model.layers.0.input_layernorm.weight"));
  EXPECT_FALSE(plan->untied_head());
}

TEST_F(PlannerTest, RotationsThatLoadersApplyAreTensorsAndGroupsOfTheirOwn) {
  v1::JobSpec spec = Spec();
  spec.mutable_method()->mutable_hero_q()->set_transform(v1::TRANSFORM_ONLINE);
  const absl::StatusOr<v1::Plan> plan = planner_.MakePlan(spec);
  ASSERT_TRUE(plan.ok()) << plan.status();
  std::map<std::string, std::vector<int64_t>> rotations;
  for (const v1::PlannedTensor& tensor : plan->files(0).tensors()) {
    if (tensor.dtype() == "F32") rotations[tensor.name()] = {tensor.shape().begin(), tensor.shape().end()};
  }
  // 64 channels of the stream, 96 = 3 * 32 of the MLP; two blocks of four inputs.
  EXPECT_EQ(rotations.size(), 8u);
  const std::string attention = "model.layers.1.self_attn.q_proj.rotation_1_attention_in_input.weight";
  const std::string mlp = "model.layers.1.mlp.down_proj.rotation_1_mlp_out_input.weight";
  EXPECT_THAT(rotations, Contains(Pair(attention, ElementsAre(64, 64))));
  EXPECT_THAT(rotations, Contains(Pair(mlp, ElementsAre(32, 32))));
  const auto config = nlohmann::json::parse(plan->quantization_config_json())["transform_config"];
  EXPECT_EQ(config["config_groups"].size(), 8u);
  // Written out from the format's description.
  EXPECT_EQ(config["config_groups"]["rotation_1_mlp_in"], nlohmann::json::parse(R"({
    "type": "random-hadamard", "randomize": false, "requires_grad": false, "head_dim": 64,
    "precision": "torch.float32", "apply": [{"location": "input", "inverse": false, "ignore": [],
    "targets": ["model.layers.1.mlp.gate_proj", "model.layers.1.mlp.up_proj"]}]})"));
  EXPECT_THAT(plan->warnings(), Contains(HasSubstr("transformers ignores transform_config")));
  spec.mutable_method()->mutable_hero_q()->set_rotation(v1::ROTATION_NONE);
  const absl::StatusOr<v1::Plan> without = planner_.MakePlan(spec);
  ASSERT_TRUE(without.ok()) << without.status();
  EXPECT_EQ(nlohmann::json::parse(without->quantization_config_json())["transform_config"],
            nlohmann::json::object());
}

TEST_F(PlannerTest, WarnsOfSymmetricTwoBits) {
  const auto warned = Contains(HasSubstr("a symmetric grid of 2 bits"));
  v1::JobSpec spec = Spec();
  spec.mutable_scheme()->set_weight_bits(2);
  spec.mutable_scheme()->set_symmetry(v1::SYMMETRY_SYMMETRIC);
  EXPECT_THAT(planner_.MakePlan(spec)->warnings(), warned);
  spec.mutable_scheme()->set_symmetry(v1::SYMMETRY_ASYMMETRIC);
  EXPECT_THAT(planner_.MakePlan(spec)->warnings(), Not(warned));
  spec.mutable_scheme()->set_weight_bits(3);
  spec.mutable_scheme()->set_symmetry(v1::SYMMETRY_SYMMETRIC);
  EXPECT_THAT(planner_.MakePlan(spec)->warnings(), Not(warned));
}

TEST_F(PlannerTest, DenseWeightsTakeThePlaceOfCodes) {
  v1::JobSpec spec = Spec();
  spec.mutable_output()->set_format("dense");
  const absl::StatusOr<v1::Plan> plan = planner_.MakePlan(spec);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->quantization_config_json(), "");
  std::map<std::string, bool> copied;
  for (const v1::PlannedTensor& tensor : plan->files(0).tensors()) copied[tensor.name()] = tensor.copied();
  EXPECT_THAT(copied, Contains(Pair("model.layers.1.mlp.down_proj.weight", false)));
  EXPECT_THAT(copied, Contains(Pair("model.norm.weight", true)));
  EXPECT_FALSE(copied.contains("model.layers.1.mlp.down_proj.weight_packed"));
  EXPECT_THAT(plan->warnings(), Contains(HasSubstr("the published weights are dense")));
}

TEST_F(PlannerTest, DenseRotationsAreLearnedForFewInputsOnly) {
  WriteTinyModel(files_, "/models/wide", TinyModel{.intermediate = 544});
  v1::JobSpec spec = Spec("/models/wide");
  spec.mutable_method()->mutable_hero_q()->set_transform(v1::TRANSFORM_EVALUATION);
  spec.mutable_method()->mutable_hero_q()->set_exact(true);
  EXPECT_THAT(
      std::string(planner_.MakePlan(spec).status().message()),
      HasSubstr("model.layers.0.mlp.down_proj has 544 inputs; a dense rotation is learned for at most 512"));
}

TEST_F(PlannerTest, RotationsThatNoLoaderCouldApplyAreRefused) {
  v1::JobSpec spec = Spec();
  spec.mutable_method()->mutable_hero_q()->set_transform(v1::TRANSFORM_ONLINE);
  spec.set_target_tensor_parallel(2);
  EXPECT_THAT(std::string(planner_.MakePlan(spec).status().message()),
              HasSubstr("target_tensor_parallel is 2, but no loader splits the rotations"));
  spec.clear_target_tensor_parallel();
  spec.mutable_method()->mutable_hero_q()->mutable_awq();
  EXPECT_THAT(std::string(planner_.MakePlan(spec).status().message()), HasSubstr("method.hero_q.awq is set"));
  WriteTinyModel(files_, "/models/biased", TinyModel{.biases = true});
  spec = Spec("/models/biased");
  spec.mutable_method()->mutable_hero_q()->set_transform(v1::TRANSFORM_ONLINE);
  EXPECT_THAT(std::string(planner_.MakePlan(spec).status().message()),
              HasSubstr("method.hero_q.transform is online, but model.layers.0.self_attn.q_proj has a bias"));
}

TEST_F(PlannerTest, DigestLeavesOutPathsAndWorkerSettings) {
  WriteTinyModel(files_, "/elsewhere/copy");
  const std::string digest = planner_.MakePlan(Spec())->spec_digest();
  v1::JobSpec other = Spec("/elsewhere/copy");
  other.mutable_output()->mutable_location()->set_path("/out/other");
  other.set_priority(7);
  other.set_numeric_class("some class");
  (*other.mutable_labels())["team"] = "blue";
  EXPECT_EQ(planner_.MakePlan(other)->spec_digest(), digest);
}

TEST_F(PlannerTest, DigestChangesWithWhatDecidesTheBytes) {
  const std::string digest = planner_.MakePlan(Spec())->spec_digest();
  std::vector<v1::JobSpec> others(6, Spec());
  others[0].mutable_scheme()->set_weight_bits(3);
  others[1].mutable_calibration()->set_samples(8);
  others[2].mutable_calibration()->set_threads_per_task(2);
  others[3].mutable_method()->mutable_gptq()->set_damping(0.02);
  others[4].mutable_output()->set_max_shard_bytes(20000);
  others[5].mutable_calibration()->set_seed(1);
  for (const v1::JobSpec& other : others)
    EXPECT_NE(planner_.MakePlan(other)->spec_digest(), digest) << other.DebugString();
}

TEST_F(PlannerTest, ABudgetBelowTheEstimateIsRefusedNamingTheLeastThatWorks) {
  const absl::StatusOr<InspectedJob> free = planner_.Inspect(Spec());
  ASSERT_TRUE(free.ok()) << free.status();
  const int64_t needed = free->plan.cost().worker_peak_memory_bytes();
  constexpr int64_t kMiB = int64_t{1} << 20;
  const int64_t least = (needed + kMiB - 1) / kMiB;
  v1::JobSpec spec = Spec();
  spec.set_worker_memory_bytes(least * kMiB);
  EXPECT_TRUE(planner_.Inspect(spec).ok());
  spec.set_worker_memory_bytes(needed - 1);
  const absl::Status status = planner_.Inspect(spec).status();
  EXPECT_TRUE(HasReason(status, Reason::kInvalidSpec)) << status;
  EXPECT_THAT(status.message(), AllOf(HasSubstr("worker_memory_bytes is "),
                                      HasSubstr(absl::StrCat("the least that works is ", least, "MiB"))));
  spec.set_worker_memory_bytes(-1);
  EXPECT_THAT(planner_.Inspect(spec).status().message(), HasSubstr("worker_memory_bytes is -1"));
}

TEST_F(PlannerTest, MissingTextsAreViolationsOfTheirField) {
  v1::JobSpec spec = Spec();
  spec.mutable_calibration()->mutable_source()->mutable_tokens_file()->set_path("/texts/none");
  spec.mutable_calibration()->set_sequence_length(65);
  const absl::Status status = planner_.Inspect(spec).status();
  EXPECT_TRUE(HasReason(status, Reason::kInvalidSpec));
  EXPECT_THAT(ErrorMetadata(status), AllOf(Contains(Key("field:calibration.source.tokens_file")),
                                           Contains(Key("field:calibration.sequence_length"))));
}

TEST_F(PlannerTest, ExistingOutputsAndOutputsInsideTheModelAreRefused) {
  v1::JobSpec spec = Spec();
  spec.mutable_output()->mutable_location()->set_path("/texts");
  EXPECT_TRUE(HasReason(planner_.Inspect(spec).status(), Reason::kOutputExists));
  spec.mutable_output()->mutable_location()->set_path("/models/tiny/w4/");
  EXPECT_TRUE(HasReason(planner_.Inspect(spec).status(), Reason::kInvalidSpec));
}

TEST_F(PlannerTest, OutputsThatCannotBeMadeAreRefusedBeforeAnythingIs) {
  v1::JobSpec spec = Spec();
  spec.mutable_output()->mutable_location()->set_path("/texts/tokens.safetensors/below/w4");
  absl::Status status = planner_.Inspect(spec).status();
  EXPECT_TRUE(HasReason(status, Reason::kIo));
  EXPECT_THAT(status.message(), HasSubstr("/texts/tokens.safetensors: Not a directory"));
  spec.mutable_output()->mutable_location()->set_path("/texts/new/w4");
  files_.SetFault([](absl::string_view operation, const std::string& path) {
    return operation == "access" ? MakeError(Reason::kIo, path + " is read-only") : absl::OkStatus();
  });
  status = planner_.Inspect(spec).status();
  EXPECT_TRUE(HasReason(status, Reason::kIo));
  EXPECT_EQ(status.message(), "output /texts/new/w4 cannot be created: /texts is read-only");
  EXPECT_FALSE(files_.Exists("/texts/new"));
}

TEST_F(PlannerTest, EverythingThatIsWrongIsListedAtOnce) {
  ASSERT_TRUE(files_.RemoveFile("/models/tiny/model.safetensors").ok());
  v1::JobSpec spec = Spec();
  spec.mutable_output()->mutable_location()->set_path("/texts");
  spec.mutable_output()->set_max_shard_bytes(1);
  spec.mutable_calibration()->set_samples(17);
  spec.mutable_scheme()->set_group_size(48);
  spec.mutable_scheme()->add_overrides()->set_pattern("experts");
  spec.mutable_scheme()->mutable_overrides(0)->set_keep(true);
  *spec.mutable_evaluation()->mutable_source()->mutable_tokens_file() = LocalPath("/texts/none");
  const absl::Status status = planner_.MakePlan(spec).status();
  EXPECT_TRUE(HasReason(status, Reason::kInvalidSpec));
  EXPECT_THAT(ErrorMetadata(status),
              ElementsAre(Pair("field:calibration.source", HasSubstr("16 sequences of 32 tokens, but 17")),
                          Pair("field:evaluation.source.tokens_file", HasSubstr("is not a file")),
                          Pair("field:model.location", HasSubstr("model.safetensors")),
                          Pair("field:output.location", HasSubstr("/texts is a directory that is not empty")),
                          Pair("field:output.max_shard_bytes", HasSubstr("is 1")),
                          Pair("field:scheme.group_size", HasSubstr("group size 48 does not divide")),
                          Pair("field:scheme.overrides[0].pattern", HasSubstr("matches no linear"))));
}

TEST_F(PlannerTest, MoreTasksThanAJobMayHaveAreRefusedNamingTheFields) {
  WriteTinyModel(files_, "/models/deep",
                 {.blocks = 123, .hidden = 32, .intermediate = 32, .heads = 1, .kv_heads = 1});
  v1::JobSpec spec = Spec("/models/deep");
  spec.mutable_calibration()->set_samples(4096);
  spec.mutable_calibration()->set_shards(4096);
  spec.mutable_calibration()->set_propagation(v1::PROPAGATION_QUANTIZED);
  const absl::Status status = planner_.Inspect(spec).status();
  EXPECT_TRUE(HasReason(status, Reason::kInvalidSpec)) << status;
  // 2 * 123 * 4096 captures and advances, 2 * 123 units; (1000000 - 246) / (2 * 123) = 4064.04.
  EXPECT_THAT(status.message(),
              AllOf(HasSubstr("calibration.shards"), HasSubstr("calibration.propagation quantized"),
                    HasSubstr("1007862 tasks"), HasSubstr("at most 4064")));
  spec.mutable_calibration()->set_shards(4064);
  EXPECT_TRUE(planner_.Inspect(spec).ok());
}

TEST_F(PlannerTest, UnknownRootsAreRefused) {
  v1::JobSpec spec = Spec();
  spec.mutable_model()->mutable_location()->set_root("nowhere");
  const absl::Status status = planner_.Inspect(spec).status();
  EXPECT_TRUE(HasReason(status, Reason::kPathNotAllowed));
  EXPECT_THAT(status.message(), HasSubstr("roots: local"));
}

TEST_F(PlannerTest, QuantizedModelsAreRefused) {
  std::string config = *ReadFile(files_, "/models/tiny/config.json");
  config.insert(config.find('{') + 1, "\"quantization_config\": {\"quant_method\": \"gptq\"},");
  ASSERT_TRUE(WriteFileAtomically(files_, "/models/tiny/config.json", config).ok());
  EXPECT_TRUE(HasReason(planner_.Inspect(Spec()).status(), Reason::kAlreadyQuantized));
}

TEST_F(PlannerTest, MissingModelsAreNamed) {
  const absl::Status status = planner_.Inspect(Spec("/models/none")).status();
  EXPECT_TRUE(HasReason(status, Reason::kModelNotFound));
  EXPECT_THAT(status.message(), HasSubstr("/models/none"));
}

TEST_F(PlannerTest, ChangedSourcesAreNoticed) {
  const v1::Plan plan = *planner_.MakePlan(Spec());
  EXPECT_TRUE(CheckPinnedFiles(files_, "/models/tiny", plan.sources()).ok());
  ASSERT_TRUE(WriteFileAtomically(files_, "/models/tiny/LICENSE", "All yours.....\n").ok());
  const absl::Status status = CheckPinnedFiles(files_, "/models/tiny", plan.sources());
  EXPECT_TRUE(HasReason(status, Reason::kSourceChanged));
  EXPECT_THAT(status.message(), HasSubstr("LICENSE"));
}

TEST_F(PlannerTest, EvaluationOnlyJobsPlanNoFiles) {
  v1::JobSpec spec;
  *spec.mutable_model()->mutable_location() = LocalPath("/models/tiny");
  *spec.mutable_evaluate_checkpoint() = LocalPath("/models/tiny");
  *spec.mutable_evaluation()->mutable_source()->mutable_tokens_file() =
      LocalPath("/texts/tokens.safetensors");
  spec.mutable_evaluation()->set_sequences(4);
  spec.mutable_evaluation()->set_sequence_length(32);
  const absl::StatusOr<v1::Plan> plan = planner_.MakePlan(spec);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->units_size(), 0);
  EXPECT_EQ(plan->files_size(), 0);
  EXPECT_TRUE(plan->output_directory().empty());
  EXPECT_EQ(plan->cost().task_count(), 4);
}

}  // namespace
}  // namespace heroq
