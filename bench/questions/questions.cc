// bench_questions HOSTS DAYS SEGMENTS_AN_HOUR: what questions over many days cost in requests and time, of a store in
// memory in which each request takes as long as in S3. One tenant prints on all hosts.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>
#include <thread>

#include "query/backward.h"
#include "query/crew.h"
#include "query/filter_text.h"
#include "query/known_footers.h"
#include "query/merge.h"
#include "query/roll_up.h"
#include "query/store_for_test.h"

namespace {

using namespace boatswain;
using namespace boatswain::query;
using namespace boatswain::query::testing;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds list_takes{50}, get_takes{30};
const std::string needle = "3f29-77ab-c0ffee-4711";

class DistantStore final : public store::Store {
  public:
    DistantStore() { inside.page_entries = 1000; }
    Result<store::PutOutcome> put(std::string_view key, std::string_view bytes, std::string_view hash) override {
        return inside.put(key, bytes, hash);
    }
    Result<void> replace(std::string_view key, std::string_view bytes, std::string_view hash) override {
        return inside.replace(key, bytes, hash);
    }
    Result<store::RangeBytes> read(std::string_view key, store::Range range) override {
        count(gets, get_takes);
        auto found = inside.read(key, range);
        if (found) bytes_read += found->bytes.size();
        return found;
    }
    Result<std::string> read(std::string_view key) override {
        count(gets, get_takes);
        return inside.read(key);
    }
    Result<store::ListPage> list(std::string_view prefix, bool delimited,
                                 const std::optional<std::string>& next) override {
        count(lists, list_takes);
        return inside.list(prefix, delimited, next);
    }
    Result<void> probe() override { return {}; }
    std::string describe() const override { return "distant"; }

    MemoryStore inside;
    std::atomic<std::uint64_t> lists = 0, gets = 0, bytes_read = 0;
    bool is_distant = false;

  private:
    void count(std::atomic<std::uint64_t>& of, milliseconds takes) {
        ++of;
        if (is_distant) std::this_thread::sleep_for(takes);
    }
};

struct Deaf final : Observer {
    void damaged(const Error& error) override { std::fprintf(stderr, "%s\n", error.what.c_str()); }
};

class Questions {
  public:
    Questions(int hosts, int days, int segments_an_hour)
        : hosts_(hosts), days_(days), segments_an_hour_(segments_an_hour) {}

    void fill() {
        std::mt19937_64 random{9};
        const auto total =
            static_cast<std::uint64_t>(hosts_) * static_cast<std::uint64_t>(days_ * 24 * segments_an_hour_);
        for (std::uint64_t i = 0; i < total; ++i) {
            auto host = "node-" + std::to_string(i % static_cast<std::uint64_t>(hosts_));
            auto place = i / static_cast<std::uint64_t>(hosts_);
            auto time = first_ + std::chrono::minutes{60 / segments_an_hour_} * static_cast<int>(place);
            TestFrame frame{.source = source("acme", "shop", "web", "web-" + host), .entries = {}};
            for (int line = 0; line < 3; ++line)
                frame.entries.push_back(
                    {time + std::chrono::seconds{line}, "request " + std::to_string(random()) + " done"});
            if (i == total / 2) frame.entries[0].bytes = "request " + needle + " done";
            add(store_.inside, key("acme", time, place + 1, host), {frame}, identities_[0]);
        }
        std::printf("{\"hosts\": %d, \"days\": %d, \"segments\": %llu", hosts_, days_,
                    static_cast<unsigned long long>(total));
    }

    void roll_up() {
        for (int day = 0; day < days_; ++day) {
            Budget budget{1U << 30};
            auto done = roll_up_day(store_, identities_, tenant("acme"), first_ + hours{24 * day}, {},
                                    {.budget = budget}, observer_);
            if (!done) std::fprintf(stderr, "%s\n", done.error().what.c_str());
        }
        std::uint64_t bytes = 0;
        for (const auto& [name, object] : store_.inside.objects)
            if (name.find("rollup=") != std::string::npos) bytes += object.size();
        std::printf(", \"rollup_bytes\": %llu", static_cast<unsigned long long>(bytes));
    }

    void ask_all(const char* with, int days) {
        auto until = first_ + hours{24 * days_};
        Selection all{.tenant = tenant("acme"), .range = {until - hours{24 * days}, until}, .filter = {}};
        auto searched = all;
        searched.filter = line_has(needle);
        auto name = [&](const char* what) {
            return std::string{what} + ", " + std::to_string(days) + " days, " + with;
        };
        ask(name("labels"), [&](const Limits& limits) {
            return read_footers(store_, identities_, all, limits, observer_,
                                [](const SegmentInfo&, const open::Footer&) { return true; });
        });
        KnownFooters known{256U << 20};
        for (const char* time : {"", " again"})
            ask(name("labels, footers kept") + time, [&](Limits limits) {
                limits.known = &known;
                return read_footers(store_, identities_, all, limits, observer_,
                                    [](const SegmentInfo&, const open::Footer&) { return true; });
            });
        ask(name("a text of one line"), [&](const Limits& limits) {
            return read_lines(store_, identities_, searched, limits, observer_, [](const Entry&) { return true; });
        });
        ask(name("the last 100 lines"), [&](const Limits& limits) {
            return read_lines_backward(
                store_, identities_, all, limits, observer_, 100, [](const Entry&) { return true; },
                [](const Entry&) { return true; });
        });
    }

  private:
    void ask(const std::string& name, const std::function<Result<Tally>(const Limits&)>& question) {
        store_.lists = store_.gets = store_.bytes_read = 0;
        store_.is_distant = true;
        Budget budget{1U << 30};
        Crew crew{hands_max};
        auto began = steady_clock::now();
        auto read = question({.budget = budget, .crew = &crew});
        auto took = std::chrono::duration<double>(steady_clock::now() - began).count();
        store_.is_distant = false;
        if (!read) std::fprintf(stderr, "%s: %s\n", name.c_str(), read.error().what.c_str());
        std::printf(", \"%s\": {\"lists\": %llu, \"gets\": %llu, \"bytes\": %llu, \"seconds\": %.2f}", name.c_str(),
                    static_cast<unsigned long long>(store_.lists), static_cast<unsigned long long>(store_.gets),
                    static_cast<unsigned long long>(store_.bytes_read), took);
        std::fflush(stdout);
    }

    const int hosts_, days_, segments_an_hour_;
    const Timestamp first_ = at("2026-11-01T00:00:00Z");
    std::vector<open::Identity> identities_{open::Identity::generate()};
    DistantStore store_;
    Deaf observer_;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) return std::fprintf(stderr, "bench_questions HOSTS DAYS SEGMENTS_AN_HOUR\n"), 2;
    int days = std::atoi(argv[2]);
    Questions questions{std::atoi(argv[1]), days, std::atoi(argv[3])};
    questions.fill();
    questions.ask_all("without roll-ups", 1);
    questions.roll_up();
    questions.ask_all("with roll-ups", 1);
    questions.ask_all("with roll-ups", days);
    std::printf("}\n");
}
