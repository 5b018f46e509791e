#include "sandbox/isolation.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <vector>

#include "base/sanitized.h"

namespace boatswain::sandbox {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t this_architecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t this_architecture = AUDIT_ARCH_AARCH64;
#else
#error "seccomp: name this architecture"
#endif

constexpr std::uint32_t denied = SECCOMP_RET_ERRNO | (EPERM & SECCOMP_RET_DATA);
constexpr std::uint32_t unknown = SECCOMP_RET_ERRNO | (ENOSYS & SECCOMP_RET_DATA);

constexpr auto allowed_calls = std::to_array<long>({
    // descriptors that are there. (No sendmsg: it could send one of them. No fchmod: a key's file is among them.)
    SYS_read,
    SYS_write,
    SYS_readv,
    SYS_writev,
    SYS_pread64,
    SYS_recvfrom,
    SYS_recvmsg,
    SYS_sendto,
    SYS_shutdown,
    SYS_close,
    SYS_ppoll,
    SYS_lseek,
    SYS_fstat,
    // memory
    SYS_brk,
    SYS_munmap,
    SYS_mremap,
    SYS_madvise,
    SYS_mlock,
    SYS_munlock,
    SYS_membarrier,
    // threads and their end
    SYS_futex,
    SYS_set_robust_list,
    SYS_rseq,
    SYS_set_tid_address,
    SYS_sched_yield,
    SYS_sched_getaffinity,
    SYS_getpid,
    SYS_gettid,
    SYS_exit,
    SYS_exit_group,
    SYS_restart_syscall,
    // signals to itself
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_sigaltstack,
    // time, chance, what was used
    SYS_clock_gettime,
    SYS_clock_nanosleep,
    SYS_nanosleep,
    SYS_gettimeofday,
    SYS_getrandom,
    SYS_getrusage,
    SYS_sysinfo,
#if defined(__x86_64__)
    SYS_poll,
    SYS_time,
#endif
});

constexpr auto sanitizers_calls = std::to_array<long>({
    SYS_pipe2,
#if defined(__x86_64__)
    SYS_pipe,
#endif
});

class AllowList {
  public:
    AllowList() {
        load(offsetof(seccomp_data, arch));
        jump(BPF_JEQ, this_architecture, 1, 0);
        give(SECCOMP_RET_KILL_PROCESS);
        load(offsetof(seccomp_data, nr));
#if defined(__x86_64__)
        constexpr std::uint32_t x32 = 0x40000000;
        jump(BPF_JGE, x32, 0, 1);
        give(denied);
#endif
        for (auto call : allowed_calls) {
            jump(BPF_JEQ, static_cast<std::uint32_t>(call), 0, 1);
            give(SECCOMP_RET_ALLOW);
        }
        // By which they find out whether memory can be read.
        if (is_sanitized)
            for (auto call : sanitizers_calls) {
                jump(BPF_JEQ, static_cast<std::uint32_t>(call), 0, 1);
                give(SECCOMP_RET_ALLOW);
            }
        // Its flags lie in memory, which no filter can read: the C library then takes clone.
        jump(BPF_JEQ, SYS_clone3, 0, 1);
        give(unknown);
        // Threads, but no processes.
        about(SYS_clone, 0, [this] {
            jump(BPF_JSET, CLONE_THREAD, 0, 1);
            give(SECCOMP_RET_ALLOW);
        });
        for (auto call : {SYS_mmap, SYS_mprotect})
            about(call, 2, [this] {
                jump(BPF_JSET, PROT_EXEC, 1, 0);
                give(SECCOMP_RET_ALLOW);
            });
        about(SYS_prctl, 0, [this] { allow_if({PR_SET_NAME, PR_SET_VMA}); });
        about(SYS_fcntl, 1, [this] { allow_if({F_GETFD, F_SETFD, F_GETFL, F_SETFL}); });
        // abort() and raise().
        about(SYS_tgkill, 0, [this] { allow_if({::getpid()}); });
        give(denied);
    }

    sock_fprog view() { return {.len = static_cast<unsigned short>(code_.size()), .filter = code_.data()}; }

  private:
    void load(std::size_t at) { code_.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(at))); }
    void give(std::uint32_t verdict) { code_.push_back(BPF_STMT(BPF_RET | BPF_K, verdict)); }
    void jump(std::uint16_t test, std::uint32_t value, std::uint8_t when, std::uint8_t otherwise) {
        code_.push_back(BPF_JUMP(static_cast<std::uint16_t>(BPF_JMP | test | BPF_K), value, when, otherwise));
    }
    void allow_if(std::initializer_list<int> values) {
        for (auto value : values) {
            jump(BPF_JEQ, static_cast<std::uint32_t>(value), 0, 1);
            give(SECCOMP_RET_ALLOW);
        }
    }
    // Looks at the lower half of an argument of one call; what `body` does not allow is denied.
    template <class Body>
    void about(long call, int argument, Body&& body) {
        auto skip = code_.size();
        jump(BPF_JEQ, static_cast<std::uint32_t>(call), 0, 0);
        load(offsetof(seccomp_data, args) + static_cast<std::size_t>(argument) * sizeof(std::uint64_t));
        body();
        give(denied);
        code_[skip].jf = static_cast<std::uint8_t>(code_.size() - skip - 1);
    }

    std::vector<sock_filter> code_;
};

}  // namespace

Result<Confinement> isolate() {
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return fail_errno(Remedy::stop, "set no_new_privs");
    Confinement done;
    TRY(done.landlock, apply_landlock({.connect_tcp = false}));
    if (done.landlock == 0) done.missing = "this kernel has no Landlock (5.13 or later, and enabled at boot)";
    AllowList list;
    auto view = list.view();
    if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &view) != 0)
        return fail_errno(Remedy::stop, "seccomp: isolate this process");
    done.seccomp = true;
    return done;
}

}  // namespace boatswain::sandbox
