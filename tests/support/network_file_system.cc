// Preloaded into a program, makes one directory look as if it were on NFS: that of the environment variable
// HEROQ_TEST_NFS and all below it. Tests cannot mount one.
#include <dlfcn.h>
#include <sys/vfs.h>

#include <cstdlib>
#include <cstring>

extern "C" int statfs(const char* path, struct statfs* info) {
  using Function = int (*)(const char*, struct statfs*);
  static const auto next = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "statfs"));
  const int result = next(path, info);
  const char* directory = std::getenv("HEROQ_TEST_NFS");
  constexpr int kNfs = 0x6969;
  if (result == 0 && directory != nullptr && std::strncmp(path, directory, std::strlen(directory)) == 0) {
    info->f_type = kNfs;
  }
  return result;
}
