// MANIFEST.json. What is accepted is written back as it was read.
#include "coordinator/validation/manifest.h"
#include "tests/fuzz/fuzz_input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace heroq;
  const auto manifest = ParseManifest(std::string(FuzzInput(data, size).TakeRest()), "MANIFEST.json");
  if (!manifest.ok()) return 0;
  for (const ManifestFile& file : manifest->files) {
    Require(file.size_bytes >= 0 && file.name.find("..") != 0, "files lie in the directory");
  }
  const std::string written = SerializeManifest(*manifest);
  const auto again = ParseManifest(written, "MANIFEST.json");
  Require(again.ok() && SerializeManifest(*again) == written, "a manifest reads back as it was written");
  return 0;
}
