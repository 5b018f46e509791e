// bench_tenants DIR [TENANTS [ROUNDS]]: how many segments a second many small tenants get.
//
// TENANTS sources of a tenant each print a line in each of ROUNDS, and all of it is sealed when the round is over, as
// with a flush_after that has come for everybody. First without a store, then with one (a directory), uploaded at the
// same time. Spool and store are in DIR: what the disk's syncs cost is most of the answer, so DIR is on the disk that
// is asked about.
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "batch/batcher.h"
#include "ship/shipper.h"
#include "store/directory.h"

namespace boatswain {
namespace {

using namespace std::chrono_literals;
constexpr auto patience = 30min;

struct Bench {
    explicit Bench(const Path& directory)
        : spool(spool::Spool::open({.state_dir = directory / "state", .host = "bench"}, clock, log, metrics).value()),
          store(directory / "store") {}

    void open_feeds(int tenants) {
        auto recipient =
            crypto::Recipient::parse("age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p").value();
        for (int i = 0; i < tenants; ++i) {
            auto tenant = TenantId::parse("tenant-" + std::to_string(i)).value();
            Source source{
                .id = "source-" + std::to_string(i), .kind = "bench", .name = "bench", .whose = {.tenant = tenant}};
            feeds.push_back(batcher.open_feed(source, {recipient}, {}, false));
        }
    }
    // Segments that are sealed and in the spool, by the second.
    double seal(int rounds) {
        auto began = clock.steady();
        for (int round = 1; round <= rounds; ++round) {
            for (auto& feed : feeds) {
                feed->append(Line{.time = clock.now(), .bytes = "GET /index.html 200"});
                feed->mark(FilePosition{.device = 1, .out_offset = static_cast<std::uint64_t>(round)});
            }
            batcher.flush_all();
            if (!sealing.drain(clock.steady() + patience)) throw std::runtime_error("not sealed in time");
        }
        return rate(began, rounds);
    }
    // Segments that the store has, by the second, from the first line on.
    double seal_and_ship(int rounds) {
        ship::Shipper shipper{{}, *spool, store, clock, metrics, log};
        auto began = clock.steady();
        seal(rounds);
        if (!shipper.drain(clock.steady() + patience)) throw std::runtime_error("not stored in time");
        return rate(began, rounds);
    }
    double rate(std::chrono::steady_clock::time_point began, int rounds) const {
        std::chrono::duration<double> seconds = clock.steady() - began;
        return static_cast<double>(feeds.size()) * rounds / seconds.count();
    }

    SystemClock clock;
    Log log{clock, -1, LogFormat::text, LogLevel::error};
    Metrics metrics;
    std::unique_ptr<spool::Spool> spool;
    store::DirectoryStore store;
    batch::MemoryBudget budget{64U << 20};
    batch::Sealing sealing{1, 1, *spool, budget, clock, metrics, log, [] {}};
    batch::Batcher batcher{{.flush_after = 10min}, sealing, *spool, budget, clock, metrics};
    std::vector<std::unique_ptr<batch::Feed>> feeds;
};

int run(const Path& directory, int tenants, int rounds) {
    for (bool ships : {false, true}) {
        Bench bench{directory / (ships ? "shipped" : "sealed")};
        bench.open_feeds(tenants);
        auto rate = ships ? bench.seal_and_ship(rounds) : bench.seal(rounds);
        std::printf("%d tenants, %-19s %7.0f segments/s\n", tenants, ships ? "sealed and stored:" : "sealed:", rate);
        std::fflush(stdout);
        bench.feeds.clear();
    }
    return 0;
}

}  // namespace
}  // namespace boatswain

int main(int count, char** arguments) {
    if (count < 2 || count > 4) {
        std::fprintf(stderr, "usage: bench_tenants DIR [TENANTS [ROUNDS]]\n");
        return 2;
    }
    return boatswain::run(arguments[1], count > 2 ? std::atoi(arguments[2]) : 2000,
                          count > 3 ? std::atoi(arguments[3]) : 2);
}
