#include "coordinator/planning/output_check.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/status/error_reason.h"

namespace heroq {
namespace {

std::string WhatIsThere(FileSystem& files, const std::string& output, const FileInfo& info) {
  if (!info.is_directory) return "a file";
  const auto names = files.List(output);
  return names.ok() && names->empty() ? "an empty directory" : "a directory that is not empty";
}

}  // namespace

absl::Status CheckOutput(FileSystem& files, const std::string& output, const std::string& model) {
  if (!model.empty() && (output == model || absl::StartsWith(output, absl::StrCat(model, "/")))) {
    return MakeError(Reason::kInvalidSpec,
                     absl::StrCat("output ", output, " lies inside the model directory ", model),
                     {{"field:output.location", "lies inside the model directory"}});
  }
  if (const absl::StatusOr<FileInfo> info = files.Stat(output); info.ok()) {
    return MakeError(Reason::kOutputExists,
                     absl::StrCat("output ", output, " is ", WhatIsThere(files, output, *info),
                                  ", expected a name that does not exist"),
                     {{"path", output}});
  }
  std::string parent = DirectoryOf(output);
  absl::StatusOr<FileInfo> info = files.Stat(parent);
  while (absl::IsNotFound(info.status()) && parent != "/") {
    parent = DirectoryOf(parent);
    info = files.Stat(parent);
  }
  absl::Status problem = info.status();
  if (problem.ok()) problem = files.CheckWritable(parent);
  if (problem.ok()) return absl::OkStatus();
  return Annotate(problem, absl::StrCat("output ", output, " cannot be created"));
}

}  // namespace heroq
