#include "intake/cri/tasks_watch.h"

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <vector>

#include "base/open_below.h"
#include "base/text.h"

namespace boatswain::intake::cri {
namespace {

namespace asio = boost::asio;

constexpr std::uint32_t news_mask = IN_CREATE | IN_MOVED_TO | IN_DELETE;
// containerd makes a task's directory, then its config.json: within a millisecond, and seconds on a busy machine.
constexpr std::chrono::milliseconds read_pause{10};
constexpr unsigned tries_max = 500;
constexpr std::size_t id_bytes_max = 128;

bool is_id(std::string_view name) {
    auto fits = [](char c) { return is_letter_or_digit(c) || c == '-' || c == '_' || c == '.'; };
    return !name.empty() && name.size() <= id_bytes_max && name.front() != '.' && std::ranges::all_of(name, fits);
}

struct ConfigText {
    std::string text;
    Timestamp written{};
};

std::optional<ConfigText> read_config(const Path& tasks, const std::string& id) {
    auto file = open_below(tasks, tasks / id / "config.json", O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    struct stat found{};
    if (!file || ::fstat(file.get(), &found) != 0 || !S_ISREG(found.st_mode)) return std::nullopt;
    if (found.st_size <= 0 || static_cast<std::size_t>(found.st_size) > task_config_bytes_max) return std::nullopt;
    ConfigText config{.text = std::string(static_cast<std::size_t>(found.st_size), '\0'),
                      .written = Timestamp{std::chrono::seconds{found.st_mtim.tv_sec} +
                                           std::chrono::nanoseconds{found.st_mtim.tv_nsec}}};
    for (std::size_t at = 0; at < config.text.size();) {
        auto size = ::read(file.get(), config.text.data() + at, config.text.size() - at);
        if (size <= 0) return std::nullopt;
        at += static_cast<std::size_t>(size);
    }
    return config;
}

}  // namespace

TasksWatch::TasksWatch(asio::any_io_executor executor, Path tasks, WordFilter keep, const Clock& clock,
                       std::unique_ptr<Inotify> news, std::function<void(const ContainerOfPod&)> learned)
    : path_(std::move(tasks)),
      keep_(std::move(keep)),
      clock_(clock),
      news_(std::move(news)),
      learned_(std::move(learned)),
      unread_(std::move(executor)) {}

Result<std::unique_ptr<TasksWatch>> TasksWatch::open(asio::any_io_executor executor, Path tasks, WordFilter keep,
                                                     const Clock& clock,
                                                     std::function<void(const ContainerOfPod&)> learned) {
    TRY(auto news, Inotify::open(executor));
    if (news->add(tasks, news_mask) < 0) return fail_errno(Remedy::re_resolve, "watch " + tasks.string());
    return std::unique_ptr<TasksWatch>{new TasksWatch(std::move(executor), std::move(tasks), std::move(keep), clock,
                                                      std::move(news), std::move(learned))};
}

bool TasksWatch::look() {
    if (news_->add(path_, news_mask) < 0) return false;  // another directory may lie there since
    std::error_code problem;
    std::filesystem::directory_iterator entry{path_, problem}, none;
    if (problem) return false;
    std::set<std::string> there;
    for (; !problem && entry != none && there.size() < tasks_max; entry.increment(problem))
        if (auto name = entry->path().filename().string(); is_id(name)) there.insert(std::move(name));
    std::vector<std::string> others;
    for (const auto& [id, known] : tasks_)
        if (!there.contains(id)) others.push_back(id);
    for (const auto& id : others) went(id);
    for (const auto& id : there) appeared(id);
    return true;
}

asio::awaitable<void> TasksWatch::follow() {
    for (;;) {
        co_await news_->wait();
        std::vector<std::pair<std::string, bool>> news;
        bool complete = news_->read([&](const FileEvent& event) {
            if (is_id(event.name)) news.emplace_back(event.name, (event.mask & IN_DELETE) != 0);
        });
        for (const auto& [id, gone] : news) gone ? went(id) : appeared(id);
        if (!complete) look();
    }
}

asio::awaitable<void> TasksWatch::read_again() {
    for (;;) {
        std::vector<std::string> unread;
        for (const auto& [id, known] : tasks_)
            if (known.tries > 0 && known.tries < tries_max && !known.gone) unread.push_back(id);
        if (unread.empty()) {
            co_await unread_.wait();
            continue;
        }
        co_await net::sleep_for(read_pause);
        for (const auto& id : unread)
            if (auto found = tasks_.find(id); found != tasks_.end()) read(id, found->second);
    }
}

void TasksWatch::appeared(const std::string& id) {
    if (!tasks_.contains(id) && tasks_.size() >= tasks_max) return;
    auto& known = tasks_[id];
    known.tries = 0;
    known.gone.reset();
    if (!read(id, known)) unread_.notify();
}

bool TasksWatch::read(const std::string& id, Known& known) {
    ++known.tries;
    auto config = read_config(path_, id);
    if (!config) return false;
    auto task = parse_task_config(config->text, keep_);
    if (!task) return false;
    known.tries = 0;
    known.written = config->written;
    if (!*task) return true;
    ContainerOfPod container{std::move((*task)->pod), std::move((*task)->container)};
    if (!known.container) ids_.emplace(container, id);
    known.container = container;
    known.environment = std::move((*task)->environment);
    learned_(container);
    return true;
}

void TasksWatch::went(const std::string& id) {
    auto now = clock_.steady();
    if (auto found = tasks_.find(id); found != tasks_.end() && !found->second.gone) found->second.gone = now;
    std::vector<std::string> old;
    for (const auto& [other, known] : tasks_)
        if (known.gone && now - *known.gone >= gone_task_kept) old.push_back(other);
    for (const auto& other : old) forget(other);
}

void TasksWatch::forget(const std::string& id) {
    auto found = tasks_.find(id);
    if (found == tasks_.end()) return;
    if (found->second.container) {
        auto [begin, end] = ids_.equal_range(*found->second.container);
        for (auto at = begin; at != end; ++at)
            if (at->second == id) {
                ids_.erase(at);
                break;
            }
    }
    tasks_.erase(found);
}

const TasksWatch::Environment* TasksWatch::find(const ContainerOfPod& container, Timestamp log_made) const {
    const Environment* there = nullptr;
    const Known* gone = nullptr;
    auto [begin, end] = ids_.equal_range(container);
    for (auto at = begin; at != end; ++at) {
        const auto& known = tasks_.at(at->second);
        std::error_code problem;
        bool is_there = !known.gone && std::filesystem::exists(path_ / at->second, problem);
        if (is_there && there) return nullptr;  // two say that they are this container
        if (is_there) there = &known.environment;
        if (!is_there && known.written >= log_made && (!gone || known.written < gone->written)) gone = &known;
    }
    return there ? there : gone ? &gone->environment : nullptr;
}

}  // namespace boatswain::intake::cri
