// The agent's own parts from a json-file log to a store, without an engine and without a clock's pauses: what reading,
// sealing and storing cost by themselves. For `./dev bench` and for profilers.
//
//   bench_pipeline --json-file FILE --store URL --state-dir DIR --recipient age1...
//   bench_pipeline --cri-file FILE ...                         the same of a log that a CRI runtime wrote
// Run again with the same state directory it goes on where it was ended (tests/faults).
//   bench_pipeline --seal-only FILE --recipient age1...        plain lines, sealed as fast as they can be; nothing is
//   stored
#include <CLI/CLI.hpp>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <thread>

#include "batch/batcher.h"
#include "intake/cri_file/cri_line.h"
#include "intake/json_file/json_line.h"
#include "intake/log_file/log_file_reader.h"
#include "ship/shipper.h"
#include "store/store.h"

namespace boatswain {
namespace {

struct Arguments {
    std::string json_file, cri_file, store, state_dir, recipient, seal_only;
    std::uint64_t flush_bytes = 8U << 20;
    std::size_t frame_bytes = 256U << 10;
};

Source bench_source() {
    return {.id = std::string(64, 'b'),
            .kind = "docker",
            .name = "bench",
            .image = "bench",
            .reader = "json-file",
            .whose = {.tenant = *TenantId::parse("bench"),
                      .app = "bench",
                      .component = {},
                      .instance = {},
                      .tenant_rule = "const:bench"},
            .labels = {}};
}

// Wakes the reader when the sealing threads have given memory back.
class Progress {
  public:
    void tell() {
        {
            std::scoped_lock lock{guard_};
            told_ = true;
        }
        changed_.notify_one();
    }
    void wait() {
        std::unique_lock lock{guard_};
        changed_.wait_for(lock, std::chrono::milliseconds{100}, [&] { return std::exchange(told_, false); });
    }

  private:
    std::mutex guard_;
    std::condition_variable changed_;
    bool told_ = false;
};

Result<void> run_pipeline(const Arguments& arguments, const crypto::Recipient& recipient) {
    SystemClock clock;
    Metrics metrics;
    Log log{clock, STDERR_FILENO, LogFormat::text, LogLevel::warning};
    TRY(auto store, store::open_store(arguments.store, clock));
    TRY(auto spool, spool::Spool::open({.state_dir = arguments.state_dir, .host = "bench"}, clock, log, metrics));
    batch::MemoryBudget budget{64U << 20};
    Progress progress;
    batch::Sealing sealing{1, 1, *spool, budget, clock, metrics, log, [&] { progress.tell(); }};
    batch::Batcher batcher{{.flush_bytes = arguments.flush_bytes, .frame_bytes = arguments.frame_bytes},
                           sealing,
                           *spool,
                           budget,
                           clock,
                           metrics};
    ship::Shipper shipper{{}, *spool, *store, clock, metrics, log};
    intake::FileReaderCounters counters{metrics};
    auto source = bench_source();
    auto start = spool->checkpoint(source.id).value_or(Checkpoint{});
    const auto* position = std::get_if<FilePosition>(&start.position);
    bool is_cri = !arguments.cri_file.empty();
    const intake::RecordForm& form =
        is_cri ? static_cast<const intake::RecordForm&>(intake::cri_form) : intake::json_form;
    intake::LogFileReader reader{form,
                                 is_cri ? arguments.cri_file : arguments.json_file,
                                 position ? std::optional{*position} : std::nullopt,
                                 {},
                                 clock,
                                 counters,
                                 log};
    intake::ReadBuffer buffer;
    auto feed = batcher.open_feed(source, {recipient}, start, false);
    for (;;) {
        auto bytes_max = feed->ask_room();
        for (; bytes_max == 0; bytes_max = feed->ask_room()) {
            batcher.tick();
            progress.wait();
        }
        TRY(auto step, reader.read_some(*feed, buffer, bytes_max));
        if (step != intake::LogFileReader::Step::more) break;
    }
    reader.settle(*feed);
    feed.reset();
    batcher.flush_all();
    auto deadline = clock.steady() + std::chrono::minutes{10};
    if (!sealing.drain(deadline) || !shipper.drain(deadline)) return fail(Remedy::stop, "the pipeline did not drain");
    std::printf("{\"memory_peak_bytes\": %zu}\n", budget.peak());
    return {};
}

Result<void> run_sealing(const Arguments& arguments, const crypto::Recipient& recipient) {
    TRY(auto file, MappedFile::open(arguments.seal_only));
    SystemClock clock;
    segment::Compressor compressor{1};
    auto source = bench_source();
    std::vector<crypto::Recipient> recipients{recipient};
    auto rest = file.bytes();
    std::uint64_t sequence = 0, sealed_bytes = 0;
    auto time = clock.now();
    while (!rest.empty()) {
        segment::SegmentParts parts;
        parts.key = {.tenant = source.whose.tenant,
                     .hour = std::chrono::floor<std::chrono::hours>(time),
                     .host = "bench",
                     .epoch = "bench",
                     .sequence = ++sequence};
        parts.sealed_at = time;
        parts.sources = {source};
        for (std::uint64_t bytes = 0; bytes < arguments.flush_bytes && !rest.empty();) {
            segment::FrameText text{source};
            while (!rest.empty() && text.text().size() < (256U << 10)) {
                auto end = std::min(rest.find('\n'), rest.size());
                time += std::chrono::microseconds{137};
                text.append({.time = time, .bytes = rest.substr(0, end)});
                rest.remove_prefix(std::min(end + 1, rest.size()));
            }
            segment::Frame frame{.compressed = compressor.compress(text.text()),
                                 .text_bytes = text.text().size(),
                                 .counts = text.counts()};
            bytes += frame.compressed.size();
            parts.frames.push_back(std::move(frame));
        }
        TRY(auto sealed, segment::seal(std::move(parts), recipients));
        sealed_bytes += sealed.bytes.size();
    }
    std::printf("{\"sealed_bytes\": %llu}\n", static_cast<unsigned long long>(sealed_bytes));
    return {};
}

}  // namespace
}  // namespace boatswain

int main(int argc, char** argv) {
    using namespace boatswain;
    Arguments arguments;
    CLI::App app{"Boatswain's parts without an engine, for measuring"};
    app.add_option("--json-file", arguments.json_file, "a json-file log");
    app.add_option("--cri-file", arguments.cri_file, "a log that a CRI runtime wrote");
    app.add_option("--store", arguments.store, "store URL");
    app.add_option("--state-dir", arguments.state_dir, "state directory");
    app.add_option("--recipient", arguments.recipient, "age recipient")->required();
    app.add_option("--seal-only", arguments.seal_only, "a file of lines");
    app.add_option("--frame-bytes", arguments.frame_bytes, "text bytes of a frame");
    app.add_option("--flush-bytes", arguments.flush_bytes, "sealed bytes of a segment");
    CLI11_PARSE(app, argc, argv);
    auto recipient = crypto::Recipient::parse(arguments.recipient);
    auto ran = !recipient                    ? Result<void>{std::unexpected(recipient.error())}
               : arguments.seal_only.empty() ? run_pipeline(arguments, *recipient)
                                             : run_sealing(arguments, *recipient);
    if (!ran) std::fprintf(stderr, "bench_pipeline: %s\n", ran.error().what.c_str());
    return ran ? 0 : 1;
}
