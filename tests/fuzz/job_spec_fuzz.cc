// The text of `--spec`, YAML or JSON.
#include "coordinator/client/job_spec_file.h"
#include "tests/fuzz/fuzz_input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace heroq;
  const LocationReader locations = LocationReader::Local("/home/u");
  const auto spec = ParseJobSpecFile(FuzzInput(data, size).TakeRest(), "job.yaml", locations);
  if (!spec.ok()) return 0;
  std::string bytes;
  Require(spec->SerializeToString(&bytes), "a specification can be sent");
  return 0;
}
