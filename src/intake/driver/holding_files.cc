// What lies in the directory of holds: how much memory it takes, and what others removed or left there.
#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <set>
#include <vector>

#include "intake/driver/held.h"
#include "net/event.h"

namespace boatswain::intake::driver {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

constexpr milliseconds stale_after{50};  // how old what we know of the directory may be where room is short
constexpr int look_share = 20;           // of the time, one part at most is spent looking at files
constexpr milliseconds look_pause{1000};
constexpr std::uint64_t block_bytes = 512;

}  // namespace

// True when it was looked at just now, so that what was found full may have room.
bool Holding::look_if_stale() {
    if (clock_.steady() < next_look_) return false;
    look();
    return true;
}

void Holding::look() {
    auto begun = clock_.steady();
    look_at_files();
    auto ended = clock_.steady();
    next_look_ = ended + std::max<std::chrono::nanoseconds>(stale_after, (ended - begun) * look_share);
    publish();
}

void Holding::look_at_files() {
    std::map<HoldName, std::uint64_t> seen;
    std::set<HoldName> there, gone;
    std::unique_ptr<DIR, decltype([](DIR* one) { ::closedir(one); })> directory{::opendir(options_.hold_dir.c_str())};
    if (!directory) {
        // Somebody removed it. What the agent has open it reads to its end; for what comes there are new holds.
        auto taken = take_directory_again();
        if (taken && table_)
            for (auto& [path, held] : held_)
                held->slot = table_->add({.name = held->name, .fifo = path, .gap = held->gap});
        if (taken || !std::exchange(directory_lost_, true))
            log_.error("directory of holds was removed",
                       {{"directory", options_.hold_dir.string()}, {"now", taken ? "made again" : taken.error().what}});
        if (!taken) return;
        directory_lost_ = false;
    }
    while (directory) {
        auto* entry = ::readdir(directory.get());
        if (!entry) break;
        Path file{entry->d_name};
        auto extension = file.extension();
        auto name = HoldName::parse(file.stem().string());
        if (!name) continue;
        if (extension == ".gone") gone.insert(*name);
        if (extension != ".hold" && extension != ".json") continue;
        struct stat found{};
        if (::fstatat(::dirfd(directory.get()), entry->d_name, &found, AT_SYMLINK_NOFOLLOW) != 0) continue;
        seen[*name] += static_cast<std::uint64_t>(found.st_blocks) * block_bytes;
        if (extension == ".hold") there.insert(*name);
    }
    for (const auto& [name, bytes] : seen)
        if (room_.knows(name))
            room_.set(name, bytes);
        else
            room_.set(name, share_of(name), bytes);
    std::vector<HoldName> removed;
    room_.for_each([&](const HoldName& name) {
        if (!seen.contains(name)) removed.push_back(name);
    });
    for (const auto& name : removed) room_.forget(name);
    for (const auto& name : gone)
        if (!there.contains(name)) (void)remove_file(gone_mark_of(options_.hold_dir, name));
    for (auto& [path, held] : held_) {
        learn_share(*held);
        if (held->hold && !there.contains(held->name)) {
            log_.error("hold was removed while its container runs; another one is begun", {{"hold", held->name.str()}});
            end_hold(*held);
        }
        if (!held->gone && held->hold && gone.contains(held->name)) {
            held->gone = true;
            held->wake();
        }
    }
}

void Holding::publish() {
    if (!table_) return;
    Figures figures{.fifos = held_.size(), .memory = room_.total(), .unnamed_lines = unnamed_lines_};
    for (const auto& [path, held] : held_) {
        figures.narrow += held->fifo && !held->wide;
        figures.waiting += held->full_since.has_value();
        figures.unheld += !held->hold && !held->resting;
    }
    table_->publish(figures);
}

asio::awaitable<void> Holding::look_now_and_then() {
    for (;;) {
        co_await net::sleep_for(look_pause);
        if (clock_.steady() >= next_look_) look();
    }
}

}  // namespace boatswain::intake::driver
