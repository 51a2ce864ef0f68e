#include "coordinator/client/spec_difference.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "coordinator/client/field_names.h"
#include "coordinator/client/location_argument.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "google/protobuf/text_format.h"

namespace heroq {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

std::string ElementText(const Message& message, const FieldDescriptor& field, int index) {
  if (field.message_type() == v1::Location::descriptor()) {
    const google::protobuf::Reflection& reflection = *message.GetReflection();
    const Message& location = field.is_repeated() ? reflection.GetRepeatedMessage(message, &field, index)
                                                  : reflection.GetMessage(message, &field);
    return LocationText(static_cast<const v1::Location&>(location));
  }
  google::protobuf::TextFormat::Printer printer;
  printer.SetSingleLineMode(true);
  std::string text;
  printer.PrintFieldValueToString(message, &field, index, &text);
  return text;
}

std::string FieldText(const Message& message, const FieldDescriptor& field) {
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  if (!field.is_repeated()) {
    // Zero asks for the default, like a field that was never set.
    if (!reflection.HasField(message, &field)) return "";
    return ElementText(message, field, -1);
  }
  std::vector<std::string> elements;
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i)
    elements.push_back(ElementText(message, field, i));
  return elements.empty() ? "" : absl::StrCat("[", absl::StrJoin(elements, ", "), "]");
}

void Compare(const Message& before, const Message& after, const std::string& prefix,
             std::vector<SpecDifference>& differences) {
  const google::protobuf::Descriptor& type = *before.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    const std::string path = prefix + field.name();
    const bool changes_nothing =
        field.name() == "labels" || field.name() == "priority" || field.name() == "worker_memory_bytes";
    if (prefix.empty() && changes_nothing) continue;
    const bool nested = field.message_type() != nullptr && !field.is_repeated() &&
                        field.message_type() != v1::Location::descriptor();
    if (nested) {
      // An unset message is its default one, except in a oneof, where being set is the choice.
      const google::protobuf::Reflection& reflection = *before.GetReflection();
      const bool was = reflection.HasField(before, &field), is = reflection.HasField(after, &field);
      if (field.real_containing_oneof() != nullptr && was != is) {
        differences.push_back({path, was ? "set" : "", is ? "set" : ""});
      }
      Compare(reflection.GetMessage(before, &field), reflection.GetMessage(after, &field), path + ".",
              differences);
      continue;
    }
    std::string old_text = FieldText(before, field), new_text = FieldText(after, field);
    if (old_text != new_text) differences.push_back({path, std::move(old_text), std::move(new_text)});
  }
}

}  // namespace

std::vector<SpecDifference> CompareSpecs(const v1::JobSpec& before, const v1::JobSpec& after) {
  std::vector<SpecDifference> differences;
  Compare(before, after, "", differences);
  return differences;
}

std::string FormatDifferences(const std::vector<SpecDifference>& differences) {
  std::string text;
  for (const SpecDifference& difference : differences) {
    const auto shown = [](const std::string& value) { return value.empty() ? "not given" : value; };
    absl::StrAppend(&text, "  ", NameForUsers(difference.field), ": ", shown(difference.before), " -> ",
                    shown(difference.after), "\n");
  }
  return text;
}

}  // namespace heroq
