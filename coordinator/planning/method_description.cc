#include "coordinator/planning/method_description.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include "absl/strings/str_replace.h"

namespace heroq {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

const google::protobuf::OneofDescriptor& Methods() { return *v1::MethodSpec::descriptor()->oneof_decl(0); }

std::string NameOf(const FieldDescriptor& method) { return absl::StrReplaceAll(method.name(), {{"_", "-"}}); }

MethodParameter ParameterOf(const Message& parameters, const FieldDescriptor& field) {
  const Reflection& reflection = *parameters.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return {field.name(), reflection.GetBool(parameters, &field)};
    case FieldDescriptor::CPPTYPE_INT32:
      return {field.name(), int64_t{reflection.GetInt32(parameters, &field)}};
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return {field.name(), reflection.GetDouble(parameters, &field)};
    case FieldDescriptor::CPPTYPE_ENUM:
      return {field.name(), reflection.GetEnum(parameters, &field)->name()};
    default:
      // A test keeps parameters to the kinds above.
      return {field.name(), std::string()};
  }
}

}  // namespace

MethodDescription DescribeMethod(const v1::MethodSpec& method) {
  const Reflection& reflection = *method.GetReflection();
  const FieldDescriptor* chosen = reflection.GetOneofFieldDescriptor(method, &Methods());
  if (chosen == nullptr) return {};
  MethodDescription description{NameOf(*chosen), {}};
  const Message& parameters = reflection.GetMessage(method, chosen);
  std::vector<const FieldDescriptor*> fields;
  parameters.GetReflection()->ListFields(parameters, &fields);
  for (const FieldDescriptor* field : fields)
    description.parameters.push_back(ParameterOf(parameters, *field));
  return description;
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
