// The `heroq` command: what it sees of the operating system, then RunHeroq.
#include <fcntl.h>
#include <unistd.h>

#include <climits>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "common/file/failpoint.h"
#include "common/file/file_system.h"
#include "common/time/clock.h"
#include "coordinator/client/heroq_cli.h"
#include "coordinator/client/terminal.h"

namespace {

std::optional<std::string> Environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

std::string ExecutableDirectory() {
  char path[PATH_MAX];
  const ssize_t size = ::readlink("/proc/self/exe", path, sizeof(path));
  return size > 0 ? heroq::DirectoryOf(std::string(path, static_cast<std::size_t>(size))) : ".";
}

std::string WorkingDirectory() {
  char path[PATH_MAX];
  return ::getcwd(path, sizeof(path)) != nullptr ? path : "/";
}

// A stream the caller closed would be the next file that is opened, such as the lock that children inherit.
// Reading gives nothing then, and writing fails.
void OpenStandardStreams() {
  int descriptor = 0;
  while (descriptor >= 0 && descriptor <= STDERR_FILENO) descriptor = ::open("/dev/null", O_RDONLY);
  ::close(descriptor);
}

// Becomes the program, so that signals and the exit code are its own. Returns only when that fails.
int Become(const std::string& program, const std::vector<std::string>& arguments) {
  std::vector<char*> argv = {const_cast<char*>(program.c_str())};
  for (std::size_t i = 1; i < arguments.size(); ++i) argv.push_back(const_cast<char*>(arguments[i].c_str()));
  argv.push_back(nullptr);
  ::execv(program.c_str(), argv.data());
  std::cerr << "heroq: error: cannot start " << program << ": " << std::strerror(errno) << "\n";
  return static_cast<int>(heroq::ExitCode::kError);
}

}  // namespace

int main(int argc, char** argv) {
  OpenStandardStreams();
  if (const absl::Status armed = heroq::SetUpFailpoints(); !armed.ok()) {
    std::cerr << "heroq: error: " << armed.message() << "\n";
    return static_cast<int>(heroq::ExitCode::kUsage);
  }
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const std::string executable_directory = ExecutableDirectory();
  if (!arguments.empty()) {
    const std::string program = heroq::ProgramOfCommand(arguments.front());
    if (!program.empty()) return Become(heroq::JoinPath(executable_directory, program), arguments);
  }
  // A reader that went away, as in `heroq list | head`, is seen as a failed write.
  std::signal(SIGPIPE, SIG_IGN);
  heroq::CliContext context;
  context.out = &std::cout;
  context.error = &std::cerr;
  context.files = &heroq::FileSystem::Posix();
  context.clock = &heroq::Clock::System();
  context.environment = Environment;
  context.terminal = heroq::DescribeTerminal(heroq::StandardErrorIsTerminal(), Environment);
  context.terminal_size = heroq::CurrentTerminalSize;
  context.working_directory = WorkingDirectory();
  context.executable_directory = executable_directory;
  context.version = HEROQ_VERSION;
  context.hardware_threads = static_cast<int>(std::thread::hardware_concurrency());
  return static_cast<int>(heroq::RunHeroq(arguments, context));
}
