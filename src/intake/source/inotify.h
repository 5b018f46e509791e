// The kernel's news of files and directories (inotify(7)). Belongs to the I/O thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "base/file.h"
#include "base/result.h"

namespace boatswain::intake {

struct FileEvent {
    int watch = -1;          // as add() returned it
    std::uint32_t mask = 0;  // IN_CREATE, ...
    std::string_view name;   // inside the directory that is watched; valid during the call alone
};

class Inotify {
  public:
    // An instance of its own. Remedy::back_off: the user has too many (fs.inotify.max_user_instances).
    static Result<std::unique_ptr<Inotify>> open(boost::asio::any_io_executor executor);
    Inotify(const Inotify&) = delete;
    Inotify& operator=(const Inotify&) = delete;
    ~Inotify();

    // A directory's watch; the one it has, when it has one. Below 0, with errno: it is gone, no directory, or the user
    // has too many watches (fs.inotify.max_user_watches).
    int add(const Path& directory, std::uint32_t mask);
    void remove(int watch);

    boost::asio::awaitable<void> wait();  // until there is news
    // Calls `each` for all that is there. False: the kernel's queue overflowed, and news was lost.
    bool read(const std::function<void(const FileEvent&)>& each);

  private:
    struct State;
    explicit Inotify(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace boatswain::intake
