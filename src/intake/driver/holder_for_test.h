// For tests: a holder with the engine's side played by the test: requests over the socket, frames into FIFOs.
#pragma once

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <stdexcept>
#include <thread>

#include "base/directory_for_test.h"
#include "intake/driver/hold.h"
#include "intake/driver/holder.h"
#include "intake/driver/log_entry.h"
#include "intake/driver/plugin_server.h"
#include "net/task_group.h"

namespace boatswain::intake::driver {

inline std::string frame(int number, std::size_t padding = 0) {
    return to_frame({.source = "stdout",
                     .time_nano = 1'000 + number,
                     .line = "line " + std::to_string(number) + std::string(padding, '.')});
}

// A directory in memory: holds lie nowhere else.
class Memory {
  public:
    Memory() {
        std::string pattern = "/dev/shm/boatswain-test.XXXXXX";
        if (::mkdtemp(pattern.data()) == nullptr) std::abort();
        path = pattern;
    }
    ~Memory() { std::filesystem::remove_all(path); }
    Path path;
};

// Throws when it is asked, as only a fault of ours would.
class BreakableClock final : public Clock {
  public:
    Timestamp now() const override { return system_.now(); }
    std::chrono::steady_clock::time_point steady() const override {
        if (breaks) throw std::logic_error{"a clock that breaks"};
        return system_.steady();
    }
    std::atomic<bool> breaks = false;

  private:
    SystemClock system_;
};

class HolderTest : public ::testing::Test {
  protected:
    void start(HolderOptions options = {}) {
        options.socket = directory / "plugin.sock";
        options.hold_dir = memory.path;
        io = std::make_unique<boost::asio::io_context>(1);
        auto lock = HoldLock::take(options.hold_dir);
        ASSERT_TRUE(lock) << lock.error().what;
        auto bound = PluginServer::bind(io->get_executor(), options.socket, *lock);
        ASSERT_TRUE(bound) << bound.error().what;
        auto opened = Holder::open(
            io->get_executor(), options,
            {.kept = {.environment = [](std::string_view key) { return key == "BOATSWAIN_TENANT"; },
                      .label = {},
                      .more_labels = {},
                      .mount = {}},
             .key_for =
                 [](const SourceFacts& facts) {
                     bool has = facts.environment.contains("BOATSWAIN_TENANT");
                     return KeyAnswer{.is = has ? KeyAnswer::Is::yes : KeyAnswer::Is::no, .reason = "no key"};
                 },
             .share_for = [](const SourceFacts& facts) -> std::optional<std::string> {
                 auto tenant = facts.environment.find("BOATSWAIN_TENANT");
                 return tenant == facts.environment.end() ? std::string{} : tenant->second;
             }},
            clock, log, std::move(*lock), std::move(*bound));
        ASSERT_TRUE(opened) << opened.error().what;
        holder = std::move(*opened);
        tasks = std::make_unique<net::TaskGroup>(io->get_executor(), log);
        tasks->spawn("holder", holder->run());
        thread = std::thread{[this] { io->run(); }};
    }
    void stop() {
        if (!thread.joinable()) return;
        boost::asio::post(*io, [this] { tasks->cancel(); });
        thread.join();
        tasks.reset();
        holder.reset();
        io.reset();
    }
    ~HolderTest() override { stop(); }

    // A request, and what is left to be read of its answer.
    Fd call(const std::string& path, const std::string& body) {
        Fd socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
        sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
        auto name = (directory / "plugin.sock").string();
        name.copy(address.sun_path, sizeof address.sun_path - 1);
        auto request = "POST " + path +
                       " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) +
                       "\r\n\r\n" + body;
        if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
            ::write(socket.get(), request.data(), request.size()) != static_cast<ssize_t>(request.size()))
            return {};
        return socket;
    }
    // The answer with its head.
    std::string ask(const std::string& path, const std::string& body) {
        auto socket = call(path, body);
        if (!socket) return "not asked";
        std::string answer;
        char buffer[4096];
        for (ssize_t n = 0; (n = ::read(socket.get(), buffer, sizeof buffer)) > 0;)
            answer.append(buffer, static_cast<std::size_t>(n));
        return answer;
    }
    std::string start_logging(const Path& fifo, const std::string& config = "{}", const std::string& env = "[]",
                              std::string container = {}) {
        if (container.empty()) container = id;
        return ask("/LogDriver.StartLogging", "{\"File\":\"" + fifo.string() + "\",\"Info\":{\"ContainerID\":\"" +
                                                  container + "\",\"ContainerName\":\"/web\",\"Config\":" + config +
                                                  ",\"ContainerEnv\":" + env + "}}");
    }
    // The engine's end of a new FIFO.
    Fd make_fifo(const Path& path) {
        if (::mkfifo(path.c_str(), 0700) != 0) std::abort();
        return Fd{::open(path.c_str(), O_RDWR | O_CLOEXEC)};
    }
    static void print(const Fd& fifo, const std::string& bytes) {
        ASSERT_EQ(::write(fifo.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
    }
    Path file_of(unsigned number, const std::string& extension, std::string container = {}) {
        if (container.empty()) container = id;
        return memory.path / (HoldName{.container = container, .number = number}.str() + extension);
    }
    std::string held(unsigned number, const std::string& container = {}) {
        auto hold = Hold::open(file_of(number, ".hold", container));
        if (!hold) return "none";
        std::string bytes(hold->bytes(), '\0');
        auto n = hold->read(hold->start(), bytes);
        return n ? bytes.substr(0, *n) : "unreadable";
    }
    bool ended(unsigned number) {
        auto hold = Hold::open(file_of(number, ".hold"));
        return hold && hold->ended();
    }
    static bool within(std::chrono::milliseconds time, const std::function<bool()>& condition) {
        for (auto end = std::chrono::steady_clock::now() + time; std::chrono::steady_clock::now() < end;) {
            if (condition()) return true;
            std::this_thread::sleep_for(std::chrono::milliseconds{5});
        }
        return condition();
    }

    const std::string id = std::string(64, 'd');
    boatswain::testing::TestDirectory directory;
    Memory memory;
    BreakableClock clock;
    Fd log_file{::open((directory / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)};
    SystemClock clock_of_log;
    Log log{clock_of_log, log_file.get(), LogFormat::text, LogLevel::debug};
    std::unique_ptr<boost::asio::io_context> io;
    std::unique_ptr<Holder> holder;
    std::unique_ptr<net::TaskGroup> tasks;
    std::thread thread;
};

}  // namespace boatswain::intake::driver
