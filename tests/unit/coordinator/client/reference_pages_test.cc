// docs/reference/cli.md and job-spec.md say what the program does.
#include <gtest/gtest.h>

#include <sstream>

#include "absl/strings/str_cat.h"
#include "common/file/file_system.h"
#include "coordinator/client/command_line.h"
#include "coordinator/client/help_text.h"
#include "coordinator/client/job_spec_file.h"
#include "google/protobuf/descriptor.h"

namespace heroq {
namespace {

std::string Page(const std::string& name) {
  const auto text = ReadFile(FileSystem::Posix(), absl::StrCat(HEROQ_SOURCE_DIR, "/docs/reference/", name));
  EXPECT_TRUE(text.ok()) << text.status();
  return text.value_or("");
}

// Fields whose message is described at another place of the page.
bool IsLeaf(const google::protobuf::FieldDescriptor& field, const std::string& path) {
  return field.message_type() == nullptr || field.is_map() ||
         field.message_type() == v1::Location::descriptor() || path == "scheme.overrides.scheme";
}

void CollectFields(const google::protobuf::Descriptor& type, const std::string& prefix,
                   std::vector<std::string>& paths) {
  for (int i = 0; i < type.field_count(); ++i) {
    const google::protobuf::FieldDescriptor& field = *type.field(i);
    const std::string path = absl::StrCat(prefix, field.name());
    if (IsLeaf(field, path)) {
      paths.push_back(path);
    } else {
      CollectFields(*field.message_type(), path + ".", paths);
    }
  }
}

TEST(ReferencePagesTest, EveryFieldOfAJobIsListed) {
  const std::string page = Page("job-spec.md");
  std::vector<std::string> paths;
  CollectFields(*v1::JobSpec::descriptor(), "", paths);
  EXPECT_GT(paths.size(), 30u);
  for (const std::string& path : paths) {
    EXPECT_NE(page.find(absl::StrCat("| `", path, "` |")), std::string::npos) << path;
  }
}

TEST(ReferencePagesTest, EveryListedFieldExists) {
  std::vector<std::string> paths;
  CollectFields(*v1::JobSpec::descriptor(), "", paths);
  std::string known;
  for (const std::string& path : paths) absl::StrAppend(&known, path, ".\n");
  std::istringstream page(Page("job-spec.md"));
  const std::string fields_heading = "## Fields";
  bool in_fields = false;
  for (std::string line; std::getline(page, line);) {
    in_fields = in_fields || line == fields_heading;
    if (!in_fields || line.rfind("| `", 0) != 0) continue;
    const std::string path = line.substr(3, line.find('`', 3) - 3);
    EXPECT_NE(("\n" + known).find(absl::StrCat("\n", path, ".")), std::string::npos) << path;
  }
}

TEST(ReferencePagesTest, ExampleOfAJobIsAJob) {
  const std::string page = Page("job-spec.md");
  const std::string fence = "```yaml\n";
  const std::size_t begin = page.find(fence) + fence.size();
  const auto spec = ParseJobSpecFile(page.substr(begin, page.find("```", begin) - begin), "job-spec.md",
                                     LocationReader::Local("/home/u"));
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->scheme().overrides_size(), 2);
}

TEST(ReferencePagesTest, HelpOfEveryCommandIsOnThePage) {
  const std::string page = Page("cli.md");
  CommandLine line;
  EXPECT_NE(page.find(absl::StrCat("```\n", HelpOf(line.root()), "```\n")), std::string::npos)
      << "expected on the page:\n"
      << HelpOf(line.root());
  for (const CLI::App* command : line.root().get_subcommands({})) {
    const std::string help = HelpOfCommand(*command);
    EXPECT_NE(page.find(absl::StrCat("## ", command->get_name(), "\n")), std::string::npos)
        << command->get_name();
    EXPECT_NE(page.find(absl::StrCat("```\n", help, "```\n")), std::string::npos) << "expected on the page:\n"
                                                                                  << help;
  }
}

TEST(ReferencePagesTest, ThePageHasNoOtherCommands) {
  CommandLine line;
  const std::vector<std::string> names = line.CommandNames();
  std::istringstream page(Page("cli.md"));
  for (std::string text; std::getline(page, text);) {
    // Commands are headings in lower case.
    if (text.rfind("## ", 0) != 0 || !std::islower(static_cast<unsigned char>(text[3]))) continue;
    EXPECT_EQ(std::count(names.begin(), names.end(), text.substr(3)), 1) << text;
  }
}

}  // namespace
}  // namespace heroq
