// Runs a function in a child process: for limits and filters that cannot be taken back.
#pragma once

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace ingot::io {

// What `function` returned, 0 to 255, or -1 when the child died of a signal or cannot be made.
template <typename Function>
int in_child(Function function) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(function());
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}

constexpr unsigned refusal(int error) {
  return SECCOMP_RET_ERRNO | (static_cast<unsigned>(error) & SECCOMP_RET_DATA);
}

// For this process, for ever. False when there are no such filters.
template <std::size_t kCount>
bool install(std::array<sock_filter, kCount>& filter) {
  const sock_fprog program{kCount, filter.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

// Makes the system call with this number fail with `error` in this process, for ever: what a
// kernel, a file system or a container that lacks it would do. False when there are no such
// filters.
inline bool refuse_call(int number, int error) {
  std::array filter = {
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(number), 0, 1),
      sock_filter BPF_STMT(BPF_RET | BPF_K, refusal(error)),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  return install(filter);
}

// The same for opening a file with all of these flags: what a file system that lacks one does.
inline bool refuse_open_flags(int flags, int error) {
  const auto mask = static_cast<unsigned>(flags);
  // openat(folder, name, flags, mode); the low half of the third argument.
  constexpr auto kFlags = offsetof(seccomp_data, args) + 2 * sizeof(std::uint64_t);
  std::array filter = {
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 4),
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kFlags),
      sock_filter BPF_STMT(BPF_ALU | BPF_AND | BPF_K, mask),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, mask, 0, 1),
      sock_filter BPF_STMT(BPF_RET | BPF_K, refusal(error)),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  return install(filter);
}

// The same for a call whose argument `argument`, a size, is below `least`.
inline bool refuse_small(int number, unsigned argument, unsigned least, int error) {
  const auto size = static_cast<unsigned>(offsetof(seccomp_data, args)) + argument * 8;
  std::array filter = {
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(number), 0, 3),
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, size),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, least, 1, 0),
      sock_filter BPF_STMT(BPF_RET | BPF_K, refusal(error)),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  return install(filter);
}

// What `function` returned in a child whose `number`th system call fails; kNoFilters when it cannot
// be made to.
inline constexpr int kNoFilters = 77;
template <typename Function>
int in_child_without(int number, int error, Function function) {
  return in_child([&] { return refuse_call(number, error) ? function() : kNoFilters; });
}

}  // namespace ingot::io
