// Token ids of documents, for comparison with another implementation.
//
//   print_token_ids TOKENIZER_JSON DOCUMENTS 0|1
//
// DOCUMENTS holds documents one after another, each as its size in bytes (uint32, little-endian) and its
// UTF-8 text. The last argument says whether special tokens are added. Standard output gets, for each
// document, the number of ids (uint32) and the ids (int32).

#include <cstdint>
#include <cstring>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "common/file/file_system.h"
#include "common/status/status_macros.h"
#include "common/tokenizer/tokenizer.h"

namespace heroq {
namespace {

void Write(const void* data, std::size_t size) {
  std::cout.write(static_cast<const char*>(data), static_cast<std::streamsize>(size));
}

absl::Status PrintTokenIds(const std::string& tokenizer_path, const std::string& documents_path,
                           bool add_special) {
  HEROQ_ASSIGN_OR_RETURN(const std::string json, ReadFile(FileSystem::Posix(), tokenizer_path));
  HEROQ_ASSIGN_OR_RETURN(const std::unique_ptr<Tokenizer> tokenizer, Tokenizer::Load(json, tokenizer_path));
  HEROQ_ASSIGN_OR_RETURN(const std::string documents, ReadFile(FileSystem::Posix(), documents_path));
  std::size_t position = 0;
  while (position < documents.size()) {
    uint32_t size = 0;
    std::memcpy(&size, documents.data() + position, sizeof(size));
    const absl::string_view text = absl::string_view(documents).substr(position + sizeof(size), size);
    position += sizeof(size) + size;
    HEROQ_ASSIGN_OR_RETURN(const std::vector<int32_t> ids, tokenizer->Encode(text, add_special));
    const auto count = static_cast<uint32_t>(ids.size());
    Write(&count, sizeof(count));
    Write(ids.data(), ids.size() * sizeof(int32_t));
  }
  std::cout.flush();
  return absl::OkStatus();
}

}  // namespace
}  // namespace heroq

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: print_token_ids TOKENIZER_JSON DOCUMENTS 0|1\n";
    return 2;
  }
  const absl::Status status = heroq::PrintTokenIds(argv[1], argv[2], std::string(argv[3]) == "1");
  if (!status.ok()) std::cerr << status << "\n";
  return status.ok() ? 0 : 1;
}
