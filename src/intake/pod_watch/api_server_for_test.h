// For tests: an API server's watch on a real socket, which answers what a test says.
#pragma once

#include <deque>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "http/serving_for_test.h"
#include "net/event.h"

namespace boatswain::intake::cri::testing {

struct Said {
    int status = 200;
    std::string body;
    bool stays = false;  // open, as a watch does while nothing happens
    http::Fields fields{};
};

// Answers one request after the other as told; then with watches that say nothing.
class ApiServer {
  public:
    explicit ApiServer(std::deque<Said> script) : script_(std::move(script)) {}

    std::string url() const { return "http://127.0.0.1:" + std::to_string(serving_.port); }
    // Of the watch that is open, or is opened next and stays.
    void say(const std::string& line) {
        std::scoped_lock lock{mutex_};
        news_ += line + "\n";
    }
    // From now on all requests are refused so; 0: none is.
    void refuse(int status, std::string body = {}) {
        std::scoped_lock lock{mutex_};
        refusal_ = {.status = status, .body = std::move(body)};
    }
    std::vector<http::Request> requests() {
        std::scoped_lock lock{mutex_};
        return requests_;
    }

  private:
    net::Task<void> answer(http::Request request, http::AnswerWriter& writer) {
        Said said{.stays = true};
        std::size_t number = 0;
        {
            std::scoped_lock lock{mutex_};
            requests_.push_back(std::move(request));
            number = requests_.size();
            if (refusal_.status != 0) {
                said = refusal_;
            } else if (!script_.empty()) {
                said = std::move(script_.front());
                script_.pop_front();
            }
        }
        http::Answer head{.status = said.status, .content_type = "application/json", .fields = said.fields};
        if (said.status != 200) {
            head.body = said.body;
            co_return co_await writer.send(std::move(head));
        }
        CO_CHECK(co_await writer.begin(std::move(head)));
        if (!said.body.empty()) CO_CHECK(co_await writer.write(said.body));
        while (said.stays) {
            co_await net::sleep_for(std::chrono::milliseconds{5});
            if (auto news = take_news(number); !news.empty()) CO_CHECK(co_await writer.write(news));
        }
        co_return Result<void>{};
    }

    // Of the newest one: the client of an older one may have gone.
    std::string take_news(std::size_t number) {
        std::scoped_lock lock{mutex_};
        if (number != requests_.size()) return {};
        return std::exchange(news_, {});
    }

    std::mutex mutex_;
    std::string news_;
    Said refusal_{.status = 0};
    std::deque<Said> script_;
    std::vector<http::Request> requests_;
    http::testing::Serving serving_{http::Handler{[this](http::Request request, http::AnswerWriter& writer) {
                                        return answer(std::move(request), writer);
                                    }},
                                    {.stop_grace = std::chrono::milliseconds{1}},
                                    http::testing::Serving::On::tcp};
};

// An event as an API server of 1.30 writes it, asked for the metadata alone. `more`: ,"labels":{...}
inline std::string event(const std::string& type, const std::string& space, const std::string& name,
                         const std::string& uid, const std::string& more = "", const std::string& version = "812") {
    return R"({"type":")" + type + R"(","object":{"kind":"PartialObjectMetadata","metadata":{"name":")" + name +
           R"(","namespace":")" + space + R"(","uid":")" + uid + R"(","resourceVersion":")" + version + "\"" + more +
           "}}}";
}

}  // namespace boatswain::intake::cri::testing
