// For tests: an engine that serves one container's log by GET /logs, as Docker 20.10 does: the last entries, followed
// or not, and at a rotation entries again. Everything is the test's to say; the reader's requests are recorded.
#pragma once

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "engine/client.h"
#include "net/event.h"

namespace boatswain::intake {

class ServedLog : public engine::Client {
  public:
    struct Entry {
        Stream stream = Stream::out;
        Timestamp time{};
        std::string bytes;    // with the newline, if there is one
        bool broken = false;  // a record that the engine cannot serve
        bool operator==(const Entry&) const = default;
    };

    explicit ServedLog(boost::asio::io_context& io) : io_(io) {}

    void print(Entry entry) {
        entries.push_back(entry);
        for (auto& stream : following_) stream->append(frame(entry));
    }
    void print(std::string line, Timestamp time, Stream stream = Stream::out) {
        print({.stream = stream, .time = time, .bytes = std::move(line) + "\n"});
    }
    // Rotation: the oldest entries go, and followers are served the last `again` ones once more.
    void rotate(std::size_t forgotten, std::size_t again) {
        entries.erase(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(forgotten));
        for (std::size_t i = entries.size() - again; i < entries.size(); ++i)
            for (auto& stream : following_) stream->append(frame(entries[i]));
    }
    // Ends all streams: as the container's end does, or as an engine that is killed.
    void end_streams(bool broken) {
        for (auto& stream : following_) stream->end(broken);
        following_.clear();
    }
    // A follower has been given all there is, and asks for more.
    bool idle() const {
        return !following_.empty() && std::ranges::all_of(following_, [](const auto& stream) { return stream->idle; });
    }

    engine::Task<std::unique_ptr<engine::ByteStream>> logs(std::string, engine::LogsQuery query) override {
        requests.push_back(query);
        if (dead)
            co_return std::unexpected(Error{.remedy = Remedy::back_off,
                                            .what = "nobody listens",
                                            .cause = std::make_error_code(std::errc::connection_refused)});
        if (refusal) co_return std::unexpected(*refusal);
        auto source = std::make_shared<Source>(io_);
        if (dies_of && dies_of(query)) {
            dead = true;
            source->end(true);
            end_streams(true);
            if (on_death) on_death();
            co_return std::make_unique<Answer>(source, *this);
        }
        auto first = query.tail && *query.tail < entries.size() ? entries.size() - *query.tail : 0;
        bool ended = serve(first, *source);
        if (ended && reports_trouble) source->append(frame_of("Error grabbing logs"));
        if (query.follow && !ended)
            following_.push_back(source);
        else
            source->end(false);
        co_return std::make_unique<Answer>(source, *this);
    }
    engine::Task<engine::EngineInfo> negotiate() override { co_return engine::EngineInfo{}; }
    engine::Task<engine::ContainerList> list() override { co_return engine::ContainerList{}; }
    engine::Task<engine::ContainerFacts> inspect(std::string, WordFilter) override {
        co_return fail(Remedy::re_resolve, "inspect: nobody asks here");
    }
    engine::Task<engine::ImageFacts> image(std::string, WordFilter) override {
        co_return fail(Remedy::re_resolve, "image: nobody asks here");
    }
    engine::Task<std::unique_ptr<engine::EventStream>> events(std::optional<Timestamp>) override {
        co_return fail(Remedy::back_off, "events: nobody asks here");
    }
    engine::Task<std::vector<engine::Event>> past_events(Timestamp) override {
        co_return fail(Remedy::back_off, "events: nobody asks here");
    }
    engine::Task<std::unique_ptr<engine::ByteStream>> attach(std::string) override {
        co_return fail(Remedy::back_off, "attach: nobody asks here");
    }

    // Of which questions the engine dies; what is done then. It is `dead` until the test says otherwise.
    std::function<bool(const engine::LogsQuery&)> dies_of;
    std::function<void()> on_death;
    bool dead = false;
    std::optional<Error> refusal;
    // At a broken record the answer ends as if that were all (28.5, and 20.10 near the end of a log), or so many entries
    // are left out behind it and the rest is served (20.10).
    std::size_t left_out = 0;
    bool reports_trouble = false;  // where an answer ends at a broken record (26.1)
    std::vector<Entry> entries;
    std::vector<engine::LogsQuery> requests;
    std::size_t bytes_served = 0;

  private:
    struct Source {
        explicit Source(boost::asio::io_context& io) : more(io.get_executor()) {}
        void append(const std::string& bytes) {
            pending.push_back(bytes);
            idle = false;
            more.notify();
        }
        void end(bool with_break) {
            ended = true;
            broken = with_break;
            more.notify();
        }
        std::list<std::string> pending;
        bool ended = false, broken = false, idle = false;
        net::Event more;
    };
    struct Answer final : engine::ByteStream {
        Answer(std::shared_ptr<Source> s, ServedLog& o) : source(std::move(s)), owner(o) {}
        ~Answer() override { std::erase(owner.following_, source); }
        engine::Task<std::string_view> next() override {
            while (source->pending.empty() && !source->ended) {
                source->idle = true;
                co_await source->more.wait();
            }
            given.clear();
            while (!source->pending.empty() && given.size() < 4096) {
                given += source->pending.front();
                source->pending.pop_front();
            }
            owner.bytes_served += given.size();
            if (given.empty() && source->broken) co_return fail(Remedy::back_off, "the engine is gone");
            co_return std::string_view{given};
        }
        std::shared_ptr<Source> source;  // also owned by the log, which goes on to fill it
        ServedLog& owner;
        std::string given;
    };

    // Whether the answer ends before the log does.
    bool serve(std::size_t first, Source& source) {
        for (auto i = first; i < entries.size(); ++i) {
            if (!entries[i].broken) {
                source.append(frame(entries[i]));
            } else {
                i += left_out;
                if (left_out == 0 || i + 1 >= entries.size()) return true;
            }
        }
        return false;
    }
    static std::string frame(const Entry& entry) {
        return frame_of(to_text(entry.time) + " " + entry.bytes, entry.stream);
    }
    static std::string frame_of(const std::string& payload, Stream stream = Stream::err) {
        std::string head{stream == Stream::out ? '\1' : '\2', '\0', '\0', '\0'};
        for (int shift = 24; shift >= 0; shift -= 8) head += static_cast<char>(payload.size() >> shift);
        return head + payload;
    }

    boost::asio::io_context& io_;
    std::vector<std::shared_ptr<Source>> following_;
};

}  // namespace boatswain::intake
