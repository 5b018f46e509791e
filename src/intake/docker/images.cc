#include "intake/docker/images.h"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <utility>

#include "base/bytes.h"
#include "net/error.h"

namespace boatswain::intake::docker {

namespace asio = boost::asio;

Images::Images(asio::any_io_executor executor, engine::Client& client, WordFilter keep, Metrics& metrics, Log& log,
               std::function<void(const std::vector<std::string>&)> learned, Pauses pauses)
    : client_(client),
      keep_(std::move(keep)),
      answers_(metrics.counter("boatswain_images_asked_total",
                               "Images that the engine was asked for, by what came of it", {{"answer", "yes"}})),
      failures_(metrics.counter("boatswain_images_asked_total",
                                "Images that the engine was asked for, by what came of it", {{"answer", "no"}})),
      log_(log),
      learned_(std::move(learned)),
      pauses_(pauses),
      tasks_(executor, log),
      wanted_(executor) {}

Starter Images::starter(const SourceFacts& container) {
    auto none = [&](const std::string& why) {
        return Starter{.is = Starter::Is::known, .facts = engine::without_words(container), .why = why};
    };
    if (!container.image_id_kept) return {.is = Starter::Is::known, .facts = container, .why = {}};
    if (!engine::is_image_id(container.image_id)) return none("its image has no id that the engine could be asked for");
    auto found = images_.find(container.image_id);
    if (found == images_.end()) {
        make_room();
        found = images_.try_emplace(container.image_id).first;
        queue_.push_back(container.image_id);
        wanted_.notify();
    }
    auto& image = found->second;
    image.used = ++uses_;
    switch (image.state) {
        case State::known:
            return {.is = Starter::Is::known, .facts = engine::without_words_of(image.facts, container), .why = {}};
        case State::unknowable: return none(image.why);
        case State::asked:
            image.waiting.insert(container.id);
            return {.is = Starter::Is::asked, .facts = {}, .why = "the engine is being asked what its image says"};
        case State::refused: break;
    }
    image.waiting.insert(container.id);
    return {.is = Starter::Is::held, .facts = {}, .why = image.why};
}

void Images::make_room() {
    if (images_.size() < images_max) return;
    auto oldest = images_.end();
    for (auto one = images_.begin(); one != images_.end(); ++one)
        if (one->second.waiting.empty() && one->second.state != State::asked &&
            (oldest == images_.end() || one->second.used < oldest->second.used))
            oldest = one;
    if (oldest != images_.end()) images_.erase(oldest);
}

void Images::forget() {
    std::erase_if(images_, [](const auto& one) { return one.second.state != State::asked; });
}

asio::awaitable<void> Images::run() {
    try {
        for (;;) {
            co_await wanted_.wait();
            while (asking_ < asked_at_once_max && !queue_.empty()) {
                auto id = std::move(queue_.front());
                queue_.pop_front();
                ++asking_;
                tasks_.spawn("ask for an image", ask(std::move(id)));
            }
        }
    } catch (...) {
        // Cancelled. What was started is asked to end, and waited for.
    }
    co_await asio::this_coro::reset_cancellation_state();
    tasks_.cancel();
    co_await tasks_.join();
}

asio::awaitable<void> Images::ask(std::string id) {
    auto answer = co_await client_.image(id, keep_);
    --asking_;
    wanted_.notify();
    if (!answer && net::is_cancelled(answer.error())) co_return;
    auto found = images_.find(id);
    if (found == images_.end()) co_return;
    auto& image = found->second;
    (answer ? answers_ : failures_).add();
    if (answer) {
        last_error_.clear();
        image.facts = std::move(*answer);
        settle(image, State::known, {});
        co_return;
    }
    const auto& error = answer.error();
    bool told = error.remedy != Remedy::stop && error.remedy != Remedy::back_off && error.remedy != Remedy::retry;
    if (told) {
        log_.warning(
            "image not known; none of its containers' labels and variables counts for tenant, recipient and exclusion",
            {{"image", id}, {"error", error}});
        settle(image, State::unknowable,
               "what its image says is not known (" + printable(error.what, 200) +
                   "), so none of its labels and variables counts");
        co_return;
    }
    if (last_error_ != error.what)
        log_.warning("image not asked for; its containers are held", {{"image", id}, {"error", error}});
    last_error_ = error.what;
    bool refused = error.remedy == Remedy::stop;
    if (refused && image.state != State::refused)
        settle(image, State::refused,
               "the engine refuses to say what its image set (" + printable(error.what, 200) +
                   "): nothing is read until it does, or tenancy.trust_image is true");
    tasks_.spawn("ask for an image again", ask_again(id, refused ? pauses_.refused : pauses_.unreachable));
}

asio::awaitable<void> Images::ask_again(std::string id, std::chrono::milliseconds pause) {
    co_await net::sleep_for(pause);
    queue_.push_back(std::move(id));
    wanted_.notify();
}

void Images::settle(Image& image, State state, std::string why) {
    image.state = state;
    image.why = std::move(why);
    auto waiting = std::exchange(image.waiting, {});
    // It looks things up here again.
    learned_({waiting.begin(), waiting.end()});
}

}  // namespace boatswain::intake::docker
