#include "common/tokenizer/pattern_field.h"

#include <string>
#include <utility>

#include "common/status/error_reason.h"
#include "common/status/status_macros.h"

namespace heroq {

absl::StatusOr<std::unique_ptr<Regex>> ParsePatternField(const JsonObject& object) {
  HEROQ_ASSIGN_OR_RETURN(const JsonObject pattern, object.Object("pattern"));
  HEROQ_RETURN_IF_ERROR(pattern.RefuseUnknown({"Regex", "String"}));
  const bool literal = !pattern.Get("String").is_null();
  if (literal == !pattern.Get("Regex").is_null())
    return pattern.Corrupt("exactly one of Regex and String must be given");
  HEROQ_ASSIGN_OR_RETURN(const std::string text, pattern.String(literal ? "String" : "Regex"));
  if (text.empty()) return pattern.Unsupported("an empty pattern");
  absl::StatusOr<std::unique_ptr<Regex>> regex = literal ? Regex::Literal(text) : Regex::Compile(text);
  if (!regex.ok()) return Annotate(regex.status(), pattern.place());
  return regex;
}

}  // namespace heroq
