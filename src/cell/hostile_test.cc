#include <fcntl.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <map>
#include <string>
#include <thread>

#include "api/questions.h"
#include "cell/answer_writer.h"
#include "cell/far_store.h"
#include "cell/hostile_for_test.h"
#include "cell/relay.h"
#include "cell/setup.h"
#include "sandbox/isolation.h"

namespace boatswain::cell::testing {
namespace {

std::string tried(std::string_view what, long result) {
    return std::string{what} + ": " + (result >= 0 ? "ok" : ::strerrorname_np(errno)) + "\n";
}

// What reaches out of a process, each by the system call itself.
std::string try_to_leave(const Fd& identities) {
    std::string told;
    auto attempt = [&told](std::string_view what, auto... call) { told += tried(what, ::syscall(call...)); };
    auto parent = ::getppid();  // not allowed either: -1 or 1 then
    attempt("openat", SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY, 0);
    attempt("openat own memory", SYS_openat, AT_FDCWD, "/proc/self/mem", O_RDWR, 0);
    attempt("create", SYS_openat, AT_FDCWD, "/tmp/of-a-cell", O_CREAT | O_WRONLY, 0600);
    attempt("unlinkat", SYS_unlinkat, AT_FDCWD, "/tmp/of-a-cell", 0);
    attempt("newfstatat", SYS_newfstatat, AT_FDCWD, "/etc/passwd", nullptr, 0);
    attempt("fchmod of its key", SYS_fchmod, identities.get(), 0666);
    attempt("write to its key", SYS_write, identities.get(), "x", 1);
    attempt("socket inet", SYS_socket, AF_INET, SOCK_STREAM, 0);
    attempt("socket unix", SYS_socket, AF_UNIX, SOCK_STREAM, 0);
    attempt("socketpair", SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, nullptr);
    attempt("connect", SYS_connect, control_descriptor, nullptr, 0);
    attempt("sendmsg", SYS_sendmsg, control_descriptor, nullptr, 0);
    attempt("execve", SYS_execve, "/bin/true", nullptr, nullptr);
    attempt("fork", SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr);
    attempt("kill", SYS_kill, parent, SIGKILL);
    attempt("tgkill", SYS_tgkill, 1, 1, 0);
    attempt("ptrace", SYS_ptrace, PTRACE_ATTACH, parent, nullptr, nullptr);
    attempt("process_vm_readv", SYS_process_vm_readv, parent, nullptr, 0, nullptr, 0, 0);
    attempt("pidfd_open", SYS_pidfd_open, 1, 0);
    attempt("executable memory", SYS_mmap, nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    attempt("prlimit64", SYS_prlimit64, 0, RLIMIT_NOFILE, nullptr, nullptr);
    attempt("io_uring", SYS_io_uring_setup, 1, nullptr);
    attempt("shmget", SYS_shmget, 0, 4096, 0600);
    attempt("memfd", SYS_memfd_create, "x", 0);
    attempt("fcntl lock", SYS_fcntl, identities.get(), F_SETLK, nullptr);
    return told;
}

std::string try_to_read(FarStore& store, std::string_view key) {
    std::string told;
    auto read = store.read(key, {.first = 0, .length = 100});
    told += "read: " + (read ? "ok" : std::string{to_string(read.error().remedy)}) + "\n";
    auto under = key.substr(0, key.find('/', key.find('/') + 1) + 1);
    for (auto prefix : {under, std::string_view{"v1/"}, std::string_view{""}}) {
        auto page = store.list(prefix, false, {});
        told +=
            "list " + std::string{prefix} + ": " + (page ? "ok" : std::string{to_string(page.error().remedy)}) + "\n";
    }
    return told;
}

void misbehave(Channel& channel, int socket, std::string_view what) {
    AnswerHead head{.status = 200, .content_type = "application/json", .disposition = {}};
    if (what == "html") head.content_type = "text/html";
    if (what == "endless") head.is_streamed = true;
    if (what == "more") head.body_bytes = 3;
    if (what == "die") head.body_bytes = 1000;
    if (what == "sip") {
        // More than is looked up at a time, and a little of it now and then.
        for (std::uint32_t id = 1; id <= 3 * calls_max; ++id) {
            ReadCall call{.id = id, .key = "v1/tenant=acme/large", .range = {.first = 0, .length = read_bytes_max}};
            (void)channel.send(pack(call));
        }
        std::string sip(64U << 10, '\0');
        while (::recv(socket, sip.data(), sip.size(), 0) > 0) std::this_thread::sleep_for(std::chrono::seconds{1});
    }
    if (what == "trickle") {
        // The head of a message, and a byte of it now and then.
        (void)channel.send(std::string_view{"\x00\x10\x00\x00\x13", 5});
        while (channel.send("x")) std::this_thread::sleep_for(std::chrono::milliseconds{50});
    }
    if (what == "silent") std::this_thread::sleep_for(std::chrono::hours{1});
    if (what == "large") (void)channel.send(pack_piece(std::string(from_cell_bytes_max + 1, 'x')));
    if (what == "headless") (void)channel.send(pack_piece("x"));
    if (what == "question") (void)channel.send(pack(CallRefused{}));
    (void)channel.send(pack(head));
    if (what == "twice") (void)channel.send(pack(head));
    if (what == "more") (void)channel.send(pack_piece("abcd"));
    if (what == "die") ::raise(SIGKILL);
    (void)channel.send(pack(AnswerEnd{}));
}

void answer(const CellSetup& setup, Handed handed) {
    const int socket = handed.channel.get();
    Channel channel{std::move(handed.channel), to_cell_bytes_max};
    auto asked = channel.receive(std::chrono::milliseconds{-1});
    if (!asked || !*asked) return;
    auto question = parse_question((*asked)->bytes, setup.tenant);
    if (!question) return;
    auto what = std::string{question->given.value("query")};
    FarStore store{channel};
    if (what != "leave" && !what.starts_with("v1/")) return misbehave(channel, socket, what);
    std::jthread hears{[&] {
        for (;;) {
            auto message = channel.receive(std::chrono::milliseconds{-1});
            if (!message || !*message || !store.hear(**message)) break;
        }
        store.end();
    }};
    auto told = what == "leave" ? try_to_leave(handed.identities) : try_to_read(store, what);
    (void)ChannelWriter{channel, http::Coding::none}.end({.answer = {.body = std::move(told)}});
    channel.shut_down(true);
}

}  // namespace

int run_hostile_cell() {
    Fd control{control_descriptor};
    if (!sandbox::isolate()) return 1;
    auto packet = receive_packet(control);
    auto setup = packet ? parse_setup(*packet) : std::unexpected(packet.error());
    if (!setup || !send_packet(control, pack(CellReady{.is_confined = true}))) return 1;
    for (;;) {
        auto handed = receive_handed(control);
        if (!handed) return 0;
        std::thread{[&setup, one = std::make_shared<Handed>(std::move(*handed))] {
            answer(*setup, std::move(*one));
        }}.detach();
    }
}

}  // namespace boatswain::cell::testing
