#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/status.h"

namespace heroq {

// What a tokenizer.json may ask for: above every known one, and low enough that a hostile one costs no more
// memory than a small multiple of the text.
inline constexpr std::size_t kMaxTextBytes = std::size_t{1} << 30;  // of one document
inline constexpr std::size_t kMaxPatternBytes = 4096;
inline constexpr std::size_t kMaxAddedTokenBytes = 1024;
inline constexpr std::size_t kMaxAddedTokenBytesTogether = std::size_t{1} << 20;
inline constexpr std::size_t kMaxTemplateParts = 64;
inline constexpr std::size_t kMaxTemplateTokenIds = 64;

// TOKENIZER_UNSUPPORTED when `part` (a normalizer, pre-tokenizer or post-processor at `place`) has more than
// 64 steps in all its sequences.
absl::Status CheckStepCount(const nlohmann::json& part, const std::string& place);

// TOKENIZER_UNSUPPORTED when a text of `before` bytes has become one of `after`, more than 16 times as long.
absl::Status CheckGrowth(std::size_t before, std::size_t after);

}  // namespace heroq
