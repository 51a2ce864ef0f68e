#include "coordinator/planning/method_description.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/reflection.h>

#include <array>
#include <charconv>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"

namespace heroq {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

const google::protobuf::OneofDescriptor& Methods() { return *v1::MethodSpec::descriptor()->oneof_decl(0); }

std::string NameOf(const FieldDescriptor& method) { return absl::StrReplaceAll(method.name(), {{"_", "-"}}); }

// "TRANSFORM_FUSED" -> "fused": without the prefix of its enum, which the first value shows.
std::string ValueName(const google::protobuf::EnumValueDescriptor& value) {
  const absl::string_view prefix = absl::StripSuffix(value.type()->value(0)->name(), "UNSPECIFIED");
  return absl::AsciiStrToLower(absl::StripPrefix(value.name(), prefix));
}

// The shortest text that reads back as the same number.
std::string ShortestText(double value) {
  std::array<char, 32> text;
  const std::to_chars_result result = std::to_chars(text.data(), text.data() + text.size(), value);
  return std::string(text.data(), result.ptr);
}

void AddParameters(const Message& parameters, const std::string& prefix, std::vector<MethodParameter>& out);

void AddParameter(const Message& parameters, const FieldDescriptor& field, const std::string& prefix,
                  std::vector<MethodParameter>& out) {
  const Reflection& reflection = *parameters.GetReflection();
  const std::string name = absl::StrCat(prefix, field.name());
  if (field.is_repeated()) {
    // A test keeps parameters to the kinds here.
    std::vector<std::string> values;
    for (const double value : reflection.GetRepeatedFieldRef<double>(parameters, &field)) {
      values.push_back(ShortestText(value));
    }
    out.push_back({name, absl::StrJoin(values, ", ")});
    return;
  }
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      out.push_back({name, reflection.GetBool(parameters, &field)});
      return;
    case FieldDescriptor::CPPTYPE_INT32:
      out.push_back({name, int64_t{reflection.GetInt32(parameters, &field)}});
      return;
    case FieldDescriptor::CPPTYPE_DOUBLE:
      out.push_back({name, reflection.GetDouble(parameters, &field)});
      return;
    case FieldDescriptor::CPPTYPE_ENUM:
      out.push_back({name, ValueName(*reflection.GetEnum(parameters, &field))});
      return;
    case FieldDescriptor::CPPTYPE_MESSAGE:
      // Another method inside: its name tells it apart.
      AddParameters(reflection.GetMessage(parameters, &field), absl::StrCat(name, "."), out);
      return;
    default:
      return;
  }
}

void AddParameters(const Message& parameters, const std::string& prefix, std::vector<MethodParameter>& out) {
  std::vector<const FieldDescriptor*> fields;
  parameters.GetReflection()->ListFields(parameters, &fields);
  for (const FieldDescriptor* field : fields) AddParameter(parameters, *field, prefix, out);
}

}  // namespace

MethodDescription DescribeMethod(const v1::MethodSpec& method) {
  const Reflection& reflection = *method.GetReflection();
  const FieldDescriptor* chosen = reflection.GetOneofFieldDescriptor(method, &Methods());
  if (chosen == nullptr) return {};
  MethodDescription description{NameOf(*chosen), {}};
  AddParameters(reflection.GetMessage(method, chosen), "", description.parameters);
  return description;
}

std::string TransformName(v1::Transform transform) {
  const auto* value = v1::Transform_descriptor()->FindValueByNumber(transform);
  return value == nullptr ? "" : ValueName(*value);
}

bool SelectMethod(const std::string& name, v1::MethodSpec& method) {
  const Reflection& reflection = *method.GetReflection();
  for (int i = 0; i < Methods().field_count(); ++i) {
    if (NameOf(*Methods().field(i)) != name) continue;
    reflection.MutableMessage(&method, Methods().field(i));
    return true;
  }
  return false;
}

std::vector<std::string> KnownMethods() {
  std::vector<std::string> names;
  for (int i = 0; i < Methods().field_count(); ++i) names.push_back(NameOf(*Methods().field(i)));
  return names;
}

}  // namespace heroq
