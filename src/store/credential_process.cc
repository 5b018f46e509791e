#include "store/credential_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "base/bytes.h"
#include "base/file.h"
#include "store/credential_json.h"

namespace boatswain::store {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds look_again_after{10};

// How the child is set up: what it reads, where it prints, a process group of its own, signals as they are by default.
class SpawnSetup {
  public:
    explicit SpawnSetup(int output) {
        ::posix_spawn_file_actions_init(&files_);
        ::posix_spawn_file_actions_addopen(&files_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        ::posix_spawn_file_actions_adddup2(&files_, output, STDOUT_FILENO);
        ::posix_spawn_file_actions_addopen(&files_, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
        ::posix_spawnattr_init(&attributes_);
        sigset_t none, all;
        ::sigemptyset(&none);
        ::sigfillset(&all);
        ::posix_spawnattr_setsigmask(&attributes_, &none);
        ::posix_spawnattr_setsigdefault(&attributes_, &all);
        ::posix_spawnattr_setpgroup(&attributes_, 0);
        ::posix_spawnattr_setflags(&attributes_,
                                   POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    }
    SpawnSetup(const SpawnSetup&) = delete;
    SpawnSetup& operator=(const SpawnSetup&) = delete;
    ~SpawnSetup() {
        ::posix_spawn_file_actions_destroy(&files_);
        ::posix_spawnattr_destroy(&attributes_);
    }

    // The error number.
    int spawn(pid_t& child, std::vector<std::string>& words) {
        std::vector<char*> arguments;
        for (auto& word : words) arguments.push_back(word.data());
        arguments.push_back(nullptr);
        return ::posix_spawnp(&child, arguments.front(), &files_, &attributes_, arguments.data(), environ);
    }

  private:
    posix_spawn_file_actions_t files_;
    posix_spawnattr_t attributes_;
};

// A child that was started, with its group; ended and waited for at the latest when this goes.
class Child {
  public:
    explicit Child(pid_t pid) : pid_(pid) {}
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() {
        if (pid_ <= 0) return;
        ::kill(-pid_, SIGKILL);
        while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
        }
    }

    // How it ended; nothing when it has not by then.
    std::optional<int> wait_until(steady_clock::time_point deadline) {
        for (;;) {
            int status = 0;
            if (::waitpid(pid_, &status, WNOHANG) == pid_) {
                ::kill(-pid_, SIGKILL);  // what it left behind
                pid_ = -1;
                return status;
            }
            if (steady_clock::now() >= deadline) return std::nullopt;
            std::this_thread::sleep_for(look_again_after);
        }
    }

  private:
    pid_t pid_;
};

// All that is printed until the end; an error when it is too much or does not end in time.
Result<std::string> read_all(int fd, steady_clock::time_point deadline) {
    // As long as it may become, so that no copy stays behind where it grew.
    std::string text(process_output_bytes_max + 1, '\0');
    std::size_t have = 0;
    auto give_up = [&](const std::string& why) {
        WipeAtEnd wiped{text};
        return fail(Remedy::back_off, why);
    };
    while (have < text.size()) {
        auto left = std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now());
        pollfd waiting{.fd = fd, .events = POLLIN, .revents = 0};
        if (left.count() <= 0) return give_up("it does not end in time");
        if (::poll(&waiting, 1, static_cast<int>(left.count()) + 1) <= 0) continue;
        auto n = ::read(fd, text.data() + have, text.size() - have);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            text.resize(have);
            return text;
        }
        have += static_cast<std::size_t>(n);
    }
    return give_up("it prints more than " + std::to_string(process_output_bytes_max) + " bytes");
}

Result<std::string> output_of(std::vector<std::string> words, milliseconds time_max) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno(Remedy::back_off, "pipe");
    Fd reading{ends[0]}, writing{ends[1]};
    pid_t pid = -1;
    if (int error = SpawnSetup{writing.get()}.spawn(pid, words); error != 0)
        return fail_errno(Remedy::stop, "start \"" + printable(words.front()) + "\"", error);
    Child child{pid};
    writing = Fd{};
    auto deadline = steady_clock::now() + time_max;
    TRY(auto text, read_all(reading.get(), deadline));
    auto status = child.wait_until(deadline);
    bool well = status && WIFEXITED(*status) && WEXITSTATUS(*status) == 0;
    if (well) return text;
    WipeAtEnd wiped{text};
    if (!status) return fail(Remedy::back_off, "it does not end in time");
    auto how = WIFEXITED(*status) ? "it ended with status " + std::to_string(WEXITSTATUS(*status))
                                  : "it was ended by signal " + std::to_string(WTERMSIG(*status));
    return fail(Remedy::back_off, how + "; run it by hand to see what it says");
}

}  // namespace

Result<std::vector<std::string>> split_words(std::string_view command) {
    std::vector<std::string> words;
    bool inside = false;  // of a word, which may be an empty one in quotes
    char quote = 0;
    for (std::size_t at = 0; at < command.size(); ++at) {
        char c = command[at];
        bool is_blank = c == ' ' || (c >= '\t' && c <= '\r');
        if (quote == 0 && is_blank) {
            inside = false;
            continue;
        }
        if (!inside) words.emplace_back();
        inside = true;
        bool escapes = c == '\\' && quote != '\'';
        if (escapes && at + 1 == command.size()) return fail(Remedy::stop, "a backslash stands at its end");
        // Inside of double quotes a backslash is one of these two, or itself.
        if (escapes && (quote == 0 || command[at + 1] == '"' || command[at + 1] == '\\'))
            words.back() += command[++at];
        else if (quote == 0 && (c == '"' || c == '\''))
            quote = c;
        else if (c == quote)
            quote = 0;
        else
            words.back() += c;
    }
    if (quote != 0) return fail(Remedy::stop, std::string{"a quote "} + quote + " is not closed");
    return words;
}

MaybeCredentials from_process(std::string_view command, const std::string& doing, std::string_view not_allowed_because,
                              milliseconds time_max) {
    auto where = doing + ": credential_process";
    if (!not_allowed_because.empty()) return fail(Remedy::stop, where + ": " + std::string{not_allowed_because});
    auto words = split_words(command);
    if (!words) return std::unexpected(std::move(words).error().within(where));
    if (words->empty() || words->front().empty()) return fail(Remedy::stop, where + ": it names no program");
    auto text = output_of(std::move(*words), time_max);
    if (!text) return std::unexpected(std::move(text).error().within(where));
    WipeAtEnd wiped{*text};
    auto found = parse_credentials(*text, {.token = "SessionToken", .says_version_1 = true});
    if (!found) return std::unexpected(std::move(found).error().within(where));
    found->source = where;
    found->renewable = true;
    return std::move(*found);
}

}  // namespace boatswain::store
