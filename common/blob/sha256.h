#pragma once

#include <memory>
#include <string>

#include "absl/strings/string_view.h"

namespace heroq {

// Incremental SHA-256 over OpenSSL EVP. Thread-compatible.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void Update(absl::string_view data);
  // Lower-case hex; call once.
  std::string Finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

std::string Sha256Hex(absl::string_view data);

}  // namespace heroq
