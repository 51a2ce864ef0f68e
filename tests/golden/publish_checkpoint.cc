// Publishes a checkpoint whose units are rounded to nearest, through the real planner, driver and validator,
// and writes the dequantized weights it should hold beside it:
//
//   publish_checkpoint MODEL OUTPUT EXPECTED BITS GROUP_SIZE asymmetric|symmetric[,FORMAT]
//   MAX_SHARD_BYTES [PATTERN=BITS|keep]...
//
// BITS are those of a weight, "a" and those of an activation may follow: 8a8.
#include <cstdlib>
#include <iostream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/checkpoint/safetensors_writer.h"
#include "tests/support/driver_harness.h"
#include "tests/support/tiny_model.h"

namespace heroq {
namespace {

int Number(const std::string& text) {
  int value = 0;
  if (!absl::SimpleAtoi(text, &value)) exit(2);
  return value;
}

void SetBits(const std::string& text, v1::SchemeSpec& scheme) {
  const std::vector<std::string> parts = absl::StrSplit(text, 'a');
  scheme.set_weight_bits(Number(parts.front()));
  if (parts.size() > 1) scheme.set_activation_bits(Number(parts.back()));
}

v1::JobSpec Spec(const std::vector<std::string>& arguments) {
  v1::JobSpec spec;
  *spec.mutable_model()->mutable_location() = LocalPath(arguments[0]);
  *spec.mutable_output()->mutable_location() = LocalPath(arguments[1]);
  spec.mutable_output()->set_max_shard_bytes(Number(arguments[6]));
  spec.mutable_method()->mutable_rtn();
  v1::SchemeSpec& scheme = *spec.mutable_scheme();
  SetBits(arguments[3], scheme);
  scheme.set_group_size(Number(arguments[4]));
  const std::pair<std::string, std::string> grid = absl::StrSplit(arguments[5], ',');
  scheme.set_symmetry(grid.first == "symmetric" ? v1::SYMMETRY_SYMMETRIC : v1::SYMMETRY_ASYMMETRIC);
  spec.mutable_output()->set_format(grid.second);
  for (size_t i = 7; i < arguments.size(); ++i) {
    const std::pair<std::string, std::string> parts = absl::StrSplit(arguments[i], '=');
    v1::SchemeOverride& entry = *scheme.add_overrides();
    entry.set_pattern(parts.first);
    if (parts.second == "keep") {
      entry.set_keep(true);
    } else {
      SetBits(parts.second, *entry.mutable_scheme());
    }
  }
  return spec;
}

int Main(const std::vector<std::string>& arguments) {
  if (arguments.size() < 7) return 2;
  FileSystem& files = FileSystem::Posix();
  DriverHarness harness(files, absl::StrCat(arguments[1], ".state"));
  harness.CreateJob("golden", Spec(arguments));
  harness.RunToEnd("golden");
  const std::shared_ptr<const JobRecord> job = harness.Job("golden");
  if (job->state != v1::QuantizationJob::STATE_SUCCEEDED) {
    std::cerr << job->failure.DebugString();
    return 1;
  }
  std::vector<NamedBytes> tensors;
  for (const v1::PlannedUnit& unit : job->plan->units()) {
    for (const v1::PlannedLinear& linear : unit.linears()) {
      const std::vector<float>& weight = harness.worker().rounded.at(linear.name());
      tensors.push_back({{linear.name(), DType::kF32, {linear.out_features(), linear.in_features()}},
                         {reinterpret_cast<const char*>(weight.data()), weight.size() * 4}});
    }
  }
  const absl::StatusOr<std::string> bytes = SerializeSafetensors(tensors);
  if (!bytes.ok() || !WriteFileAtomically(files, arguments[2], *bytes).ok()) return 1;
  return 0;
}

}  // namespace
}  // namespace heroq

int main(int argc, char** argv) { return heroq::Main({argv + 1, argv + argc}); }
