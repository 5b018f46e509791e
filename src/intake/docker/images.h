// Whose word a container's labels and variables are: what its image set is asked of the engine, once for each image.
//
// An image is built by somebody else than whoever starts it. Were its words taken for the starter's, a base image could
// move lines to another tenant, or hide a container.
//
//   the engine answers             what the image set is taken out; the rest is the starter's
//   it has no such image (any more), or its words are too many    none of the words counts
//   it cannot be reached           the container waits for the answer, with its log held open
//   it, or a guard, refuses        held, until it does not: it is asked again every half minute
//
// Belongs to the I/O thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/metrics.h"
#include "engine/client.h"
#include "engine/image.h"
#include "intake/source/assigner.h"
#include "net/event.h"
#include "net/task_group.h"

namespace boatswain::intake::docker {

class Images {
  public:
    // Remembered; past it the one that was looked up longest ago is asked for again. Those that containers wait for do
    // not count: there are no more of them than containers.
    static constexpr std::size_t images_max = 512;
    static constexpr std::size_t asked_at_once_max = 4;
    struct Pauses {
        std::chrono::milliseconds unreachable{1'000};
        std::chrono::milliseconds refused{30'000};
    };

    // `learned` gets the ids of containers for which starter() says something else now.
    Images(boost::asio::any_io_executor executor, engine::Client& client, WordFilter keep, Metrics& metrics, Log& log,
           std::function<void(const std::vector<std::string>&)> learned, Pauses pauses);
    Images(boost::asio::any_io_executor executor, engine::Client& client, WordFilter keep, Metrics& metrics, Log& log,
           std::function<void(const std::vector<std::string>&)> learned)
        : Images(std::move(executor), client, std::move(keep), metrics, log, std::move(learned), Pauses{}) {}
    Images(const Images&) = delete;

    Starter starter(const SourceFacts& container);
    // Other words are kept from now on: all images are asked for again as they are needed.
    void forget();
    // Why the engine gives no answer about images; empty: it does. The containers that wait for it are not read.
    const std::string& trouble() const { return last_error_; }

    boost::asio::awaitable<void> run();  // asks, until cancelled

  private:
    enum class State { asked, known, unknowable, refused };
    struct Image {
        State state = State::asked;
        engine::ImageFacts facts;       // known
        std::string why;                // unknowable, refused
        std::set<std::string> waiting;  // containers
        std::uint64_t used = 0;
    };

    boost::asio::awaitable<void> ask(std::string id);
    boost::asio::awaitable<void> ask_again(std::string id, std::chrono::milliseconds pause);
    void settle(Image& image, State state, std::string why);
    void make_room();

    engine::Client& client_;
    WordFilter keep_;
    Counter &answers_, &failures_;
    Log& log_;
    std::function<void(const std::vector<std::string>&)> learned_;
    const Pauses pauses_;
    net::TaskGroup tasks_;
    net::Event wanted_;
    std::map<std::string, Image> images_;  // by id
    std::deque<std::string> queue_;
    std::size_t asking_ = 0;
    std::uint64_t uses_ = 0;
    std::string last_error_;
};

}  // namespace boatswain::intake::docker
