#include "apps/common/child_process.h"

#include <spawn.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "engine/require.h"

extern char** environ;

namespace plumb {

std::string own_program() {
  std::error_code error;
  const std::filesystem::path path = std::filesystem::read_symlink("/proc/self/exe", error);
  require<IoError>(!error, "this program does not know its own path (/proc/self/exe: {})", error.message());
  return path.string();
}

int run_child(const std::string& program, const Arguments& words) {
  std::vector<char*> arguments = {const_cast<char*>(program.c_str())};
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  pid_t child = 0;
  const int failed = ::posix_spawn(&child, program.c_str(), nullptr, nullptr, arguments.data(), environ);
  require<IoError>(failed == 0, "{} cannot be started ({})", program, std::strerror(failed));
  constexpr int kOfSignals = 128;
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    require<IoError>(errno == EINTR, "{}: its end was missed ({})", program, std::strerror(errno));
  return WIFSIGNALED(status) ? kOfSignals + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace plumb
