#include "coordinator/client/job_spec_file.h"

#include <yaml-cpp/yaml.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"
#include "common/status/status_macros.h"
#include "coordinator/client/suggestion.h"
#include "coordinator/client/yaml_limits.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/util/json_util.h"

namespace heroq {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using Json = nlohmann::ordered_json;

bool IsOfType(const FieldDescriptor& field, const std::string& text) {
  int32_t small = 0;
  int64_t large = 0;
  uint64_t natural = 0;
  double real = 0;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return absl::SimpleAtoi(text, &small);
    case FieldDescriptor::CPPTYPE_INT64:
      return absl::SimpleAtoi(text, &large);
    case FieldDescriptor::CPPTYPE_UINT64:
      return absl::SimpleAtoi(text, &natural);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return absl::SimpleAtod(text, &real);
    default:
      return true;
  }
}

// Turns YAML into proto JSON along the message's descriptor, so that every complaint has a line.
class SpecReader {
 public:
  SpecReader(absl::string_view file, const LocationReader& locations) : file_(file), locations_(locations) {}

  absl::StatusOr<Json> ReadMessage(const YAML::Node& node, const Descriptor& type, const std::string& path) {
    if (&type == v1::Location::descriptor() && node.IsScalar()) return ReadPath(node, path);
    if (!node.IsMap()) return Error(node, absl::StrCat(path, " has fields; expected a mapping"));
    Json object = Json::object();
    std::set<std::string> seen;
    for (const auto& entry : node) {
      const std::string key = entry.first.Scalar();
      const FieldDescriptor* field = Find(type, key);
      const std::string member_path = path.empty() ? key : absl::StrCat(path, ".", key);
      if (field == nullptr) return UnknownField(entry.first, type, key, path);
      if (!seen.insert(field->name()).second)
        return Error(entry.first, absl::StrCat(member_path, " is given twice"));
      HEROQ_ASSIGN_OR_RETURN(object[field->name()], ReadField(entry.second, *field, member_path));
    }
    return object;
  }

 private:
  absl::Status Error(const YAML::Node& node, absl::string_view problem) const {
    const YAML::Mark mark = node.Mark();
    return MakeError(Reason::kInvalidSpec, absl::StrCat(file_, ":", mark.line + 1, ": ", problem));
  }

  static const FieldDescriptor* Find(const Descriptor& type, const std::string& key) {
    const FieldDescriptor* field = type.FindFieldByName(key);
    return field != nullptr ? field : type.FindFieldByCamelcaseName(key);
  }

  absl::Status UnknownField(const YAML::Node& node, const Descriptor& type, const std::string& key,
                            const std::string& path) const {
    std::vector<std::string> known;
    for (int i = 0; i < type.field_count(); ++i) known.push_back(type.field(i)->name());
    return Error(node, absl::StrCat(path.empty() ? "the job" : path, " has no field '", key, "'.",
                                    DidYouMean(key, known)));
  }

  absl::StatusOr<Json> ReadField(const YAML::Node& node, const FieldDescriptor& field,
                                 const std::string& path) {
    if (field.is_map()) {
      if (!node.IsMap()) return Error(node, absl::StrCat(path, " expects a mapping"));
      Json object = Json::object();
      for (const auto& entry : node) {
        if (!entry.first.IsScalar() || !entry.second.IsScalar())
          return Error(entry.first, absl::StrCat(path, " expects one value for each name"));
        const std::string& key = entry.first.Scalar();
        if (object.contains(key)) return Error(entry.first, absl::StrCat(path, ".", key, " is given twice"));
        object[key] = entry.second.Scalar();
      }
      return object;
    }
    if (!field.is_repeated()) return ReadValue(node, field, path);
    if (!node.IsSequence()) return Error(node, absl::StrCat(path, " expects a list"));
    Json array = Json::array();
    for (std::size_t i = 0; i < node.size(); ++i) {
      HEROQ_ASSIGN_OR_RETURN(Json value, ReadValue(node[i], field, absl::StrCat(path, "[", i, "]")));
      array.push_back(std::move(value));
    }
    return array;
  }

  absl::StatusOr<Json> ReadValue(const YAML::Node& node, const FieldDescriptor& field,
                                 const std::string& path) {
    if (field.message_type() != nullptr) return ReadMessage(node, *field.message_type(), path);
    if (!node.IsScalar()) return Error(node, absl::StrCat(path, " expects one value"));
    const std::string& text = node.Scalar();
    if (field.type() == FieldDescriptor::TYPE_BOOL) {
      if (text != "true" && text != "false")
        return Error(node, absl::StrCat(path, " is '", text, "'; expected true or false"));
      return Json(text == "true");
    }
    if (field.enum_type() != nullptr && field.enum_type()->FindValueByName(text) == nullptr) {
      std::vector<std::string> known;
      for (int i = 1; i < field.enum_type()->value_count(); ++i)
        known.push_back(field.enum_type()->value(i)->name());
      return Error(node, absl::StrCat(path, " is '", text, "'.", DidYouMean(text, known)));
    }
    if (!IsOfType(field, text)) return Error(node, absl::StrCat(path, " is '", text, "'; expected a number"));
    // Proto JSON takes numbers as strings too.
    return Json(text);
  }

  absl::StatusOr<Json> ReadPath(const YAML::Node& node, const std::string& path) {
    absl::StatusOr<v1::Location> location = locations_.Read(path, node.Scalar());
    if (!location.ok()) return Error(node, location.status().message());
    return Json{{"root", location->root()}, {"path", location->path()}};
  }

  const std::string file_;
  const LocationReader& locations_;
};

}  // namespace

absl::StatusOr<v1::JobSpec> ParseJobSpecFile(absl::string_view text, absl::string_view file_name,
                                             const LocationReader& locations) {
  HEROQ_RETURN_IF_ERROR(CheckYamlLimits(text, file_name));
  v1::JobSpec spec;
  const YAML::Node root = YAML::Load(std::string(text));
  if (root.IsNull()) return spec;
  HEROQ_ASSIGN_OR_RETURN(const Json json,
                         SpecReader(file_name, locations).ReadMessage(root, *v1::JobSpec::descriptor(), ""));
  const auto status = google::protobuf::util::JsonStringToMessage(json.dump(), &spec);
  if (!status.ok()) return MakeError(Reason::kInvalidSpec, absl::StrCat(file_name, ": ", status.ToString()));
  return spec;
}

}  // namespace heroq
