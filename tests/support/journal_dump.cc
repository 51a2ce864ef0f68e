// Prints the updates of a coordinator's journal as JSON lines: journal_dump STATE_DIRECTORY. The directory
// must not be in use: tests give it a copy.
#include <google/protobuf/util/json_util.h>

#include <cstdio>
#include <string>

#include "common/file/file_system.h"
#include "coordinator/state/sqlite_journal.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: journal_dump STATE_DIRECTORY\n", stderr);
    return 2;
  }
  auto journal = heroq::SqliteJournal::Open(heroq::FileSystem::Posix(), argv[1]);
  absl::Status status = journal.status();
  if (journal.ok()) {
    status = (*journal)->Replay([](const heroq::v1::Update& update) {
      std::string line;
      if (!google::protobuf::util::MessageToJsonString(update, &line).ok())
        return absl::InternalError("no JSON");
      std::printf("%s\n", line.c_str());
      return absl::OkStatus();
    });
  }
  if (!status.ok()) std::fprintf(stderr, "journal_dump: %s\n", std::string(status.message()).c_str());
  return status.ok() ? 0 : 1;
}
