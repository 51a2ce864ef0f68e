#include "coordinator/planning/base_method.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/reflection.h>

#include "absl/strings/str_cat.h"

namespace heroq {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::OneofDescriptor;

// The message of the selected field of `choice`, which belongs to `message`; null when none is.
Message* Selected(Message& message, const OneofDescriptor& choice, std::string* field) {
  const FieldDescriptor* selected = message.GetReflection()->GetOneofFieldDescriptor(message, &choice);
  if (selected == nullptr) return nullptr;
  absl::StrAppend(field, ".", selected->name());
  return message.GetReflection()->MutableMessage(&message, selected);
}

const OneofDescriptor* BasesOf(const Message& parameters) {
  return parameters.GetDescriptor()->FindOneofByName("base");
}

void SelectDefaultBase(Message& parameters, const OneofDescriptor& bases) {
  const google::protobuf::Reflection& reflection = *parameters.GetReflection();
  if (reflection.HasOneof(parameters, &bases)) return;
  reflection.MutableMessage(&parameters, parameters.GetDescriptor()->FindFieldByName("gptq"));
}

template <typename Parameters>
MethodPart<Parameters> Find(v1::MethodSpec& method) {
  MethodPart<Parameters> part;
  std::string field = "method";
  Message* found = Selected(method, *v1::MethodSpec::descriptor()->oneof_decl(0), &field);
  if (found == nullptr) return part;
  if (const OneofDescriptor* bases = BasesOf(*found); bases != nullptr) {
    SelectDefaultBase(*found, *bases);
    found = Selected(*found, *bases, &field);
  }
  if (found->GetDescriptor() != Parameters::descriptor()) return part;
  part.parameters = static_cast<Parameters*>(found);
  part.field = field;
  return part;
}

}  // namespace

MethodPart<v1::GptqParameters> FindGptq(v1::MethodSpec& method) { return Find<v1::GptqParameters>(method); }
MethodPart<v1::RtnParameters> FindRtn(v1::MethodSpec& method) { return Find<v1::RtnParameters>(method); }
MethodPart<v1::AwqParameters> FindAwq(v1::MethodSpec& method) { return Find<v1::AwqParameters>(method); }

bool SelectBase(const std::string& name, v1::MethodSpec& method) {
  std::string ignored;
  Message* parameters = Selected(method, *v1::MethodSpec::descriptor()->oneof_decl(0), &ignored);
  if (parameters == nullptr) return false;
  const FieldDescriptor* field = parameters->GetDescriptor()->FindFieldByName(name);
  if (field == nullptr || BasesOf(*parameters) == nullptr ||
      field->containing_oneof() != BasesOf(*parameters)) {
    return false;
  }
  parameters->GetReflection()->MutableMessage(parameters, field);
  return true;
}

}  // namespace heroq
