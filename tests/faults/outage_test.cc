// An hour without a store: memory and spool stay inside their bounds, and afterwards every line rests in the store,
// once. The hour passes by a clock that is told to jump; everything else is what the daemon has.
#include <gtest/gtest.h>

#include <algorithm>

#include <atomic>
#include <random>

#include "base/directory_for_test.h"
#include "batch/batcher.h"
#include "open/sealing_for_test.h"
#include "ship/shipper.h"
#include "store/directory.h"
#include "store/faulty.h"

namespace boatswain {
namespace {

using namespace std::chrono_literals;

// The system's clock, moved ahead. Thread-safe, unlike SimulatedClock; who waits for a time waits no longer than usual.
class JumpingClock final : public Clock {
  public:
    Timestamp now() const override { return system_.now() + Nanoseconds{ahead_}; }
    std::chrono::steady_clock::time_point steady() const override { return system_.steady() + Nanoseconds{ahead_}; }
    void jump(Nanoseconds by) { ahead_ += by.count(); }

  private:
    SystemClock system_;
    std::atomic<std::int64_t> ahead_ = 0;
};

// A container whose log grows by so many lines in ten seconds, and is read as long as there is room.
struct Printing {
    std::string tenant;
    std::uint64_t lines_per_step;
    std::uint64_t printed = 0;
    std::uint64_t read = 0;
    std::unique_ptr<batch::Feed> feed{};
};

class Outage : public ::testing::Test {
  protected:
    static constexpr std::size_t memory_max = 2U << 20;
    static constexpr std::uint64_t spool_bytes_max = 2U << 20;

    Outage() {
        for (int i = 0; i < 3; ++i) start("quiet-" + std::to_string(i), 5);
        start("noisy", 100);
    }
    ~Outage() override { sources.clear(); }

    void start(const std::string& tenant, std::uint64_t lines_per_step) {
        Source source{.id = "container-of-" + tenant,
                      .kind = "docker",
                      .name = tenant,
                      .image = "image",
                      .reader = "json-file",
                      .whose = {.tenant = TenantId::parse(tenant).value(), .app = "app", .tenant_rule = "const"}};
        auto feed = batcher.open_feed(source, {identity.recipient()}, {}, false);
        sources.push_back({.tenant = tenant, .lines_per_step = lines_per_step, .feed = std::move(feed)});
    }

    // Line n of a tenant: 200 characters that hardly compress, and are the same each time.
    static std::string line(const Printing& source, std::uint64_t n) {
        std::mt19937_64 random{std::hash<std::string>{}(source.tenant) + n};
        std::string text = std::to_string(n) + " ";
        while (text.size() < 200) text += static_cast<char>('!' + random() % 94);
        return text;
    }

    // Prints what is due, reads what there is room for, and lets ten seconds go by: enough for sealing to keep up.
    void step() {
        for (auto& source : sources) {
            source.printed += printing ? source.lines_per_step : 0;
            while (source.read < source.printed && source.feed->ask_room() > 0) {
                source.feed->append(Line{.time = clock.now(), .bytes = line(source, source.read)});
                ++source.read;
                source.feed->mark(FilePosition{
                    .device = 1, .inode = 2, .fingerprint = 3, .out_offset = source.read, .err_offset = source.read});
            }
        }
        batcher.tick();
        clock.jump(10s);
        EXPECT_TRUE(sealing.drain(clock.steady() + 60s));
        spool_peak = std::max(spool_peak, spool->bytes());
    }
    bool all_is_read() const {
        return std::ranges::all_of(sources, [](const auto& source) { return source.read == source.printed; });
    }

    // No feed writes any more; what was printed is what the store is to hold.
    void end_sources() {
        for (auto& source : sources) {
            source.feed.reset();
            for (std::uint64_t n = 0; n < source.printed; ++n) wanted[source.tenant].push_back(line(source, n));
        }
    }

    // What the store holds of each tenant, in the order of its chain.
    std::map<std::string, std::vector<std::string>> stored() {
        std::map<std::string, std::map<std::uint64_t, std::string>> objects;
        std::optional<std::string> next;
        do {
            auto page = rest.list("", false, next).value();
            for (const auto& object : page.objects) {
                auto key = segment::parse_object_key(object.key).value();
                objects[key.tenant.str()][key.sequence] = object.key;
            }
            next = page.next;
        } while (next);
        std::map<std::string, std::vector<std::string>> lines;
        for (const auto& [tenant, chain] : objects) {
            EXPECT_EQ(chain.rbegin()->first, chain.size()) << "numbers without holes, from 1";
            for (const auto& [sequence, key] : chain)
                for (const auto& line :
                     open::read_segment(rest.read(key).value(), identity).lines["container-of-" + tenant])
                    lines[tenant].push_back(line.bytes);
        }
        return lines;
    }

    testing::TestDirectory directory;
    // The shippers sleep in real time between their attempts: for them, and so for the spool, a clock that does not
    // jump.
    SystemClock real;
    JumpingClock clock;
    Log log{clock, -1, LogFormat::text, LogLevel::error};
    Metrics metrics;
    open::Identity identity = open::Identity::generate();
    store::DirectoryStore rest{directory / "store"};
    store::FaultyStore store{rest};
    std::unique_ptr<spool::Spool> spool =
        spool::Spool::open({.state_dir = directory / "state", .host = "node-7", .bytes_max = spool_bytes_max}, real,
                           log, metrics)
            .value();
    batch::MemoryBudget budget{memory_max};
    batch::Sealing sealing{1, 2, *spool, budget, clock, metrics, log, [] {}};
    batch::Batcher batcher{{.flush_after = 10min}, sealing, *spool, budget, clock, metrics};
    ship::Shipper shipper{{.wait_min = 10ms, .wait_max = 200ms}, *spool, store, real, metrics, log};
    std::vector<Printing> sources;
    std::map<std::string, std::vector<std::string>> wanted;
    bool printing = true;
    std::uint64_t spool_peak = 0;
};

TEST_F(Outage, AnHourWithoutAStoreStaysInsideTheBoundsAndLosesNothing) {
    store.on_every_call(store::Operation::put, {.error = Error{.remedy = Remedy::back_off, .what = "503 SlowDown"}});
    for (auto end = clock.steady() + 1h; clock.steady() < end;) step();
    EXPECT_TRUE(std::ranges::any_of(sources, [&](const auto& source) { return !spool->has_room(source.tenant); }))
        << "the hour is long enough to fill the spool";
    EXPECT_FALSE(all_is_read()) << "reading pauses, and the containers' own logs keep the lines";
    EXPECT_TRUE(shipper.trouble());
    EXPECT_TRUE(stored().empty());
    std::uint64_t printed = 0;
    for (const auto& source : sources) printed += source.printed;

    store.heal();
    printing = false;
    auto give_up = std::chrono::steady_clock::now() + 120s;
    while (!all_is_read() && std::chrono::steady_clock::now() < give_up) {
        step();
        if (std::ranges::any_of(sources, [&](const auto& source) { return !spool->has_room(source.tenant); }))
            std::this_thread::sleep_for(1ms);
    }
    ASSERT_TRUE(all_is_read());
    end_sources();
    batcher.flush_all();
    ASSERT_TRUE(sealing.drain(clock.steady() + 60s));
    ASSERT_TRUE(shipper.drain(real.steady() + 120s));

    // Bounds: what is in memory when the spool is full still goes there. Memory that goes from a frame to what is kept
    // for reuse counts twice for a moment.
    std::printf("%llu lines in an hour; memory at most %zu KiB of %zu, spool at most %llu KiB of %llu\n",
                static_cast<unsigned long long>(printed), budget.peak() >> 10, memory_max >> 10,
                static_cast<unsigned long long>(spool_peak >> 10),
                static_cast<unsigned long long>(spool_bytes_max >> 10));
    EXPECT_LE(budget.peak(), memory_max + memory_max / batch::TextMemory::budget_part);
    EXPECT_LE(spool_peak, spool_bytes_max + memory_max);

    auto found = stored();
    EXPECT_EQ(found.size(), wanted.size());
    for (auto& [tenant, lines] : wanted)
        EXPECT_TRUE(found[tenant] == lines)
            << tenant << ": " << found[tenant].size() << " lines stored of " << lines.size();
}

}  // namespace
}  // namespace boatswain
