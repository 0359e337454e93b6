#include "ingot/bus_guard.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>

#include "base/error.h"
#include "io/mapping_registry.h"

namespace ingot {
namespace {

// A signal handler has no other place for its state.
std::atomic<bool> g_active{false};  // a guard lives
bool g_set = false;                 // the handler is in the chain; written while no guard lives
std::atomic<std::uint64_t> g_faults{0};
std::uintptr_t g_page_bytes = 4096;
struct sigaction g_previous = {};

static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

void pass_on(int signal, siginfo_t* info, void* context) {
  if ((g_previous.sa_flags & SA_SIGINFO) != 0)
    return g_previous.sa_sigaction(signal, info, context);
  if (g_previous.sa_handler == SIG_DFL || g_previous.sa_handler == SIG_IGN) {
    // The instruction runs again, and the default handler ends the process where it should. A
    // signal that somebody sent does not come again by itself.
    sigaction(SIGBUS, &g_previous, nullptr);
    if (info->si_code <= 0) raise(signal);
    return;
  }
  g_previous.sa_handler(signal);
}

// Async-signal-safe: atomics and system calls only.
void on_bus_error(int signal, siginfo_t* info, void* context) {
  const int saved_errno = errno;
  // Memory that failed (BUS_MCEERR_*) is nobody's zeros.
  if (info->si_code == BUS_ADRERR && g_active.load(std::memory_order_relaxed) &&
      io::is_registered_mapping(info->si_addr)) {
    auto* address = static_cast<std::byte*>(info->si_addr);
    std::byte* page = address - reinterpret_cast<std::uintptr_t>(address) % g_page_bytes;
    // Writable, because copy-on-write views are written to.
    void* zeros = mmap(page, g_page_bytes, PROT_READ | PROT_WRITE,
                       MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (zeros != MAP_FAILED) {
      g_faults.fetch_add(1, std::memory_order_relaxed);
      errno = saved_errno;
      return;
    }
  }
  pass_on(signal, info, context);
  errno = saved_errno;
}

// errno, or 0.
int set_handler() {
  g_page_bytes = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  struct sigaction action = {};
  action.sa_sigaction = on_bus_error;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  // The previous one is known before the handler can run.
  const bool set =
      sigaction(SIGBUS, nullptr, &g_previous) == 0 && sigaction(SIGBUS, &action, nullptr) == 0;
  return set ? 0 : errno;
}

}  // namespace

Result<BusGuard> BusGuard::install() {
  if (g_active.exchange(true)) {
    return make_error(Code::kAlreadyExists, "a BusGuard is installed already");
  }
  g_faults.store(0, std::memory_order_relaxed);
  const int error = g_set ? 0 : set_handler();
  if (error != 0) {
    g_active.store(false);
    return make_error(Code::kIoError, "the SIGBUS handler could not be set").os_error(error);
  }
  g_set = true;
  return BusGuard();
}

BusGuard::BusGuard(BusGuard&& other) noexcept : active_(other.active_) { other.active_ = false; }

BusGuard::~BusGuard() {
  if (!active_) return;
  struct sigaction current = {};
  sigaction(SIGBUS, nullptr, &current);
  // A handler that was set after this one may still call it: it stays, and only passes faults on.
  if ((current.sa_flags & SA_SIGINFO) != 0 && current.sa_sigaction == on_bus_error) {
    sigaction(SIGBUS, &g_previous, nullptr);
    g_set = false;
  }
  g_active.store(false);
}

bool BusGuard::installed() noexcept { return g_active.load(); }

std::uint64_t BusGuard::faults() noexcept { return g_faults.load(std::memory_order_relaxed); }

}  // namespace ingot
