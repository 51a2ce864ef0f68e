#include "common/model/model_layout.h"

#include <array>
#include <utility>

namespace heroq {
namespace {

constexpr std::array<std::pair<LinearInput, absl::string_view>, 4> kInputs = {{
    {LinearInput::kAttentionIn, "attention_in"},
    {LinearInput::kAttentionOut, "attention_out"},
    {LinearInput::kMlpIn, "mlp_in"},
    {LinearInput::kMlpOut, "mlp_out"},
}};

constexpr std::array<std::pair<UnitKind, absl::string_view>, 2> kUnits = {{
    {UnitKind::kAttention, "attention"},
    {UnitKind::kMlp, "mlp"},
}};

constexpr std::array<std::pair<LinearRole, absl::string_view>, 7> kRoles = {{
    {LinearRole::kQuery, "query"},
    {LinearRole::kKey, "key"},
    {LinearRole::kValue, "value"},
    {LinearRole::kOutput, "output"},
    {LinearRole::kGate, "gate"},
    {LinearRole::kUp, "up"},
    {LinearRole::kDown, "down"},
}};

template <typename Table, typename Value>
absl::string_view NameIn(const Table& table, Value value) {
  for (const auto& [entry, name] : table) {
    if (entry == value) return name;
  }
  return "";
}

template <typename Value, typename Table>
std::optional<Value> ParseIn(const Table& table, absl::string_view text) {
  for (const auto& [entry, name] : table) {
    if (name == text) return entry;
  }
  return std::nullopt;
}

}  // namespace

absl::string_view ToString(LinearInput input) { return NameIn(kInputs, input); }

std::optional<LinearInput> ParseLinearInput(absl::string_view text) {
  return ParseIn<LinearInput>(kInputs, text);
}

absl::string_view ToString(UnitKind kind) { return NameIn(kUnits, kind); }

std::optional<UnitKind> ParseUnitKind(absl::string_view text) { return ParseIn<UnitKind>(kUnits, text); }

absl::string_view ToString(LinearRole role) { return NameIn(kRoles, role); }

std::optional<LinearRole> ParseLinearRole(absl::string_view text) {
  return ParseIn<LinearRole>(kRoles, text);
}

std::vector<TensorLayout> ModelLayout::Tensors() const {
  std::vector<TensorLayout> tensors = {{embedding_name, {vocab_size, hidden_size}}};
  for (const BlockLayout& block : blocks) {
    for (const LinearLayout& linear : block.linears) {
      tensors.push_back({linear.name + ".weight", {linear.out_features, linear.in_features}});
      if (linear.has_bias) tensors.push_back({linear.name + ".bias", {linear.out_features}});
    }
    tensors.insert(tensors.end(), block.norms.begin(), block.norms.end());
  }
  tensors.push_back({final_norm_name, {hidden_size}});
  if (!tied_head) tensors.push_back({head_name, {vocab_size, hidden_size}});
  return tensors;
}

ModelLayout ModelLayout::Untied() const {
  ModelLayout untied = *this;
  untied.tied_head = false;
  untied.head_name = own_head_name;
  return untied;
}

}  // namespace heroq
