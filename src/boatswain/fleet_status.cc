// fleet status: how the fleet stands, as a table, as JSON, once or again and again.
#include <fmt/format.h>

#include <thread>

#include "base/bytes.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "boatswain/commands.h"
#include "boatswain/fleet_place.h"
#include "boatswain/patience.h"
#include "fleet/status.h"
#include "fleet/status_json.h"
#include "store/store.h"

namespace boatswain::tool {
namespace {

constexpr std::uint64_t hosts_file_bytes_max = 16ULL << 20;

std::string age(const std::optional<Nanoseconds>& since) {
    if (!since) return "";
    if (*since < Nanoseconds{0}) return "0s";
    return to_text(std::chrono::floor<std::chrono::seconds>(*since));
}

std::string size_cell(const std::optional<std::uint64_t>& bytes) { return bytes ? human_size(*bytes) : ""; }

void add_row(Table& table, const fleet::HostStatus& host, Timestamp now) {
    std::vector<std::string> cells{host.host, host.agent, host.instance, host.health};
    if (host.heartbeat) {
        const auto& beat = host.heartbeat->heartbeat;
        auto last = beat.last_segment ? std::optional{fleet::age_of(*beat.last_segment, now)} : std::nullopt;
        auto hourly = fleet::objects_per_hour(beat);
        cells.insert(cells.end(),
                     {beat.version, size_cell(beat.lag_bytes), size_cell(beat.spool_bytes), age(last),
                      hourly ? std::to_string(*hourly) : "", size_cell(beat.stored_bytes), age(host.heard)});
    } else {
        cells.insert(cells.end(), {"", "", "", "", "", "", ""});
    }
    cells.push_back(host.ok ? (host.required ? "ok" : "-") : "PROBLEM");
    cells.push_back(host.why);
    table.add(std::move(cells));
}

void print_table(const fleet::FleetHealth& standing, Console& console, Timestamp now) {
    Table table{{"HOST", "AGENT", "INSTANCE", "HEALTH", "VERSION", ">BEHIND", ">SPOOL", ">SEGMENT", ">OBJECTS/H",
                 ">STORED", ">HEARD", "", "WHY"}};
    for (const auto& host : standing.hosts) add_row(table, host, now);
    if (!standing.hosts.empty()) table.print(console.out);
    auto text = fmt::format("{} of {} {} agent", standing.well, counted(standing.required, "host"),
                            standing.required == 1 ? "has its" : "have their");
    console.out.write(console.out.paint(standing.ok ? "32" : "31", text) + "\n");
    for (const auto& note : standing.notes) console.out.write("note: " + terminal_safe(note) + "\n");
}

std::string as_json(const fleet::FleetHealth& standing, const std::vector<std::string>& troubles, Timestamp now) {
    auto json = json_object();
    fleet::write_status(json, standing, troubles, now);
    return json.take_line();
}

Result<std::vector<std::string>> expected_hosts(const std::string& expect) {
    if (!expect.contains('/')) return fleet::parse_hosts(expect);
    TRY(auto text, read_file(expect, hosts_file_bytes_max));
    return fleet::parse_hosts(text);
}

class StatusRun {
  public:
    StatusRun(const FleetStatus& request, Console& console) : request_(request), console_(console) {}

    Result<int> run() {
        TRY(expected_, expected_hosts(request_.expect));
        if (request_.key_file) {
            TRY(key_, heartbeat::read_key(*request_.key_file));
        }
        if (!request_.store.empty()) {
            TRY(store_, open_store(request_.store, console_));
        }
        if (!request_.place.marathon.empty()) {
            TRY(auto connections, connections_of(request_.place, nullptr));
            syncer_ = std::make_unique<fleet::Syncer>(std::move(connections), request_.place.app, fleet::Options{},
                                                      console_.clock);
        }
        for (;;) {
            int code = show();
            console_.out.flush();
            if (!request_.watch || console_.out.ended()) return code;
            std::this_thread::sleep_for(request_.every);
        }
    }

  private:
    int show() {
        std::vector<std::string> troubles;
        std::optional<fleet::Look> look;
        std::optional<heartbeat::Fleet> heartbeats;
        if (syncer_) {
            auto looked = syncer_->look();
            looked ? void(look = std::move(*looked)) : troubles.push_back(looked.error().what);
        }
        if (store_) {
            auto read = heartbeat::read_fleet(*store_, key_);
            read ? void(heartbeats = std::move(*read)) : troubles.push_back(read.error().what);
        }
        auto now = console_.clock.now();
        auto standing = fleet::make_status({.cluster = look ? look->cluster.get() : nullptr,
                                            .plan = look ? &look->plan : nullptr,
                                            .heartbeats = heartbeats ? &*heartbeats : nullptr,
                                            .expected = expected_},
                                           now);
        if (request_.json) {
            console_.out.write(as_json(standing, troubles, now));
        } else {
            if (request_.watch && console_.out.is_terminal()) console_.out.write("\x1b[H\x1b[2J");
            if (request_.watch) console_.out.write(short_time(now) + "\n");
            print_table(standing, console_, now);
        }
        for (const auto& trouble : troubles) console_.complain(trouble);
        if (!troubles.empty()) return exit_fleet_unknown;
        return standing.ok ? exit_fleet_ok : exit_fleet_amiss;
    }

    const FleetStatus& request_;
    Console& console_;
    std::vector<std::string> expected_;
    std::optional<heartbeat::Key> key_;
    std::unique_ptr<store::Store> store_;
    std::unique_ptr<fleet::Syncer> syncer_;
};

}  // namespace

int run(const FleetStatus& request, Console& console) {
    auto code = StatusRun{request, console}.run();
    if (code) return *code;
    console.complain(code.error().what);
    return exit_fleet_unknown;
}

}  // namespace boatswain::tool
