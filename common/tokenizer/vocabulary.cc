#include "common/tokenizer/vocabulary.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/tokenizer/json_object.h"

namespace heroq {

JsonStream Vocabulary::Stream() {
  return {nlohmann::json::json_pointer("/model/vocab"),
          [this](absl::string_view token) { return AddToken(token); },
          [this](const nlohmann::json& id) { AddId(id); }};
}

bool Vocabulary::AddToken(absl::string_view token) {
  bool is_new = false;
  last_ = ids_.lazy_emplace(token, [&](const auto& construct) {
    auto* text = static_cast<char*>(texts_->allocate(token.size(), 1));
    std::copy(token.begin(), token.end(), text);
    construct(absl::string_view(text, token.size()), -1);
    is_new = true;
  });
  return is_new;
}

void Vocabulary::AddId(const nlohmann::json& json) {
  const std::optional<int32_t> id = IdOf(json);
  if (id.has_value()) {
    last_->second = *id;
    largest_id_ = std::max(largest_id_, *id);
  } else if (status_.ok()) {
    status_ = ParseId(json, absl::StrCat("model.vocab \"", last_->first, "\"")).status();
  }
}

std::optional<int32_t> Vocabulary::Find(absl::string_view token) const {
  const auto found = ids_.find(token);
  if (found == ids_.end()) return std::nullopt;
  return found->second;
}

}  // namespace heroq
