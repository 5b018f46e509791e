// A filter over system calls (seccomp(2)): a list of what a daemon that reads, computes and sends never does. A denied
// call fails with EPERM, so that a library that only tries goes on.
//
// A list of what is allowed would be tighter, and would break with the next version of a library or with an allocator
// that somebody preloads; what matters (no program started, no process looked at, nothing mounted or loaded) needs no
// such list.
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "sandbox/sandbox.h"

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

constexpr auto denied_calls = std::to_array<long>({
    // other programs
    SYS_execve,
    SYS_execveat,
    // other processes
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_pidfd_getfd,
    SYS_pidfd_open,
    SYS_kcmp,
    SYS_process_madvise,
    SYS_perf_event_open,
    // what is seen of the file system
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_open_tree,
    SYS_move_mount,
    SYS_fsopen,
    SYS_fsconfig,
    SYS_fsmount,
    SYS_fspick,
    SYS_mount_setattr,
    SYS_open_by_handle_at,
    SYS_name_to_handle_at,
    SYS_mknodat,
    SYS_quotactl,
    SYS_fanotify_init,
    // namespaces, and calls that go around this filter
    SYS_unshare,
    SYS_setns,
    SYS_io_uring_setup,
    SYS_io_uring_enter,
    SYS_io_uring_register,
    SYS_userfaultfd,
    SYS_personality,
    SYS_seccomp,
    SYS_memfd_create,
    // the kernel and the machine
    SYS_bpf,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_kexec_load,
    SYS_kexec_file_load,
    SYS_reboot,
    SYS_swapon,
    SYS_swapoff,
    SYS_acct,
    SYS_syslog,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_clock_adjtime,
    SYS_adjtimex,
    SYS_sethostname,
    SYS_setdomainname,
    SYS_vhangup,
    SYS_lookup_dcookie,
    SYS_nfsservctl,
    // the kernel's keys
    SYS_add_key,
    SYS_request_key,
    SYS_keyctl,
    // who we are
    SYS_setuid,
    SYS_setgid,
    SYS_setreuid,
    SYS_setregid,
    SYS_setresuid,
    SYS_setresgid,
    SYS_setfsuid,
    SYS_setfsgid,
    SYS_setgroups,
    SYS_capset,
#if defined(__x86_64__)
    SYS_fork,
    SYS_vfork,
    SYS_mknod,
    SYS_iopl,
    SYS_ioperm,
    SYS_modify_ldt,
    SYS_uselib,
    SYS_create_module,
    SYS_kexec_file_load,
    SYS_ustat,
#endif
});

class Program {
  public:
    explicit Program(const Rules& rules) {
        load(offsetof(seccomp_data, arch));
        jump(BPF_JEQ, this_architecture, 1, 0);
        give(SECCOMP_RET_KILL_PROCESS);
        load(offsetof(seccomp_data, nr));
#if defined(__x86_64__)
        constexpr std::uint32_t x32 = 0x40000000;
        jump(BPF_JGE, x32, 0, 1);
        give(denied);
#endif
        for (auto call : denied_calls) deny(call);
        // Its flags lie in memory, which no filter can read: the C library then takes clone.
        jump(BPF_JEQ, SYS_clone3, 0, 1);
        give(unknown);
        // Threads, but no processes.
        about(SYS_clone, 0, [this] {
            jump(BPF_JSET, CLONE_THREAD, 1, 0);
            give(denied);
        });
        about(SYS_socket, 0, [this, &rules] {
            for (auto family : {AF_INET, AF_INET6, AF_NETLINK}) {
                jump(BPF_JEQ, static_cast<std::uint32_t>(family), 0, 1);
                give(SECCOMP_RET_ALLOW);
            }
            if (rules.unix_sockets) {
                jump(BPF_JEQ, AF_UNIX, 0, 1);
                give(SECCOMP_RET_ALLOW);
            }
            give(denied);
        });
        // libcurl wakes its threads by a pair of stream sockets. Either end of such a pair is connected, and stays so;
        // that of a datagram pair could be connected to any address.
        if (!rules.unix_sockets)
            about(SYS_socketpair, 1, [this] {
                constexpr std::uint32_t type_bits = 0xF;  // the rest are flags
                code_.push_back(BPF_STMT(BPF_ALU | BPF_AND | BPF_K, type_bits));
                jump(BPF_JEQ, SOCK_STREAM, 1, 0);
                give(denied);
            });
        // Memory that is both written and executed.
        for (auto call : {SYS_mmap, SYS_mprotect, SYS_pkey_mprotect})
            about(call, 2, [this] {
                constexpr std::uint32_t both = PROT_WRITE | PROT_EXEC;
                code_.push_back(BPF_STMT(BPF_ALU | BPF_AND | BPF_K, both));
                jump(BPF_JEQ, both, 0, 1);
                give(denied);
            });
        // Typing into somebody's terminal.
        about(SYS_ioctl, 1, [this] {
            jump(BPF_JEQ, TIOCSTI, 0, 1);
            give(denied);
        });
        give(SECCOMP_RET_ALLOW);
    }

    sock_fprog view() { return {.len = static_cast<unsigned short>(code_.size()), .filter = code_.data()}; }

  private:
    void load(std::size_t at) { code_.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(at))); }
    void give(std::uint32_t verdict) { code_.push_back(BPF_STMT(BPF_RET | BPF_K, verdict)); }
    void jump(std::uint16_t test, std::uint32_t value, std::uint8_t when, std::uint8_t otherwise) {
        code_.push_back(BPF_JUMP(static_cast<std::uint16_t>(BPF_JMP | test | BPF_K), value, when, otherwise));
    }
    void deny(long call) {
        jump(BPF_JEQ, static_cast<std::uint32_t>(call), 0, 1);
        give(denied);
    }
    // Looks at the lower half of an argument of one call; what `body` does not deny is allowed.
    template <class Body>
    void about(long call, int argument, Body&& body) {
        auto skip = code_.size();
        jump(BPF_JEQ, static_cast<std::uint32_t>(call), 0, 0);
        load(offsetof(seccomp_data, args) + static_cast<std::size_t>(argument) * sizeof(std::uint64_t));
        body();
        give(SECCOMP_RET_ALLOW);
        code_[skip].jf = static_cast<std::uint8_t>(code_.size() - skip - 1);
    }

    std::vector<sock_filter> code_;
};

}  // namespace

Result<bool> apply_seccomp(const Rules& rules) {
    Program program{rules};
    auto view = program.view();
    auto done = ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &view);
    if (done == 0) return true;
    // A thread that has a filter of its own.
    if (done > 0) return fail(Remedy::stop, "seccomp: thread " + std::to_string(done) + " cannot be confined");
    if (errno == ENOSYS || errno == EINVAL) return false;
    return fail_errno(Remedy::stop, "seccomp: confine this process");
}

}  // namespace boatswain::sandbox
