// verify: whether everything that was sealed is there and as it was sealed, and what the tenants' logs name as lost.
#include <fmt/format.h>

#include <utility>

#include "base/bytes.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "boatswain/commands.h"
#include "boatswain/reading.h"
#include "boatswain/verify_rollups.h"
#include "query/selection.h"
#include "query/verify.h"

namespace boatswain::tool {

namespace {

constexpr std::chrono::milliseconds progress_every{200};
constexpr std::size_t shown_max = 100;  // problems, gaps: on a terminal and in a file; --json has more

// "segment 12 of 345", on standard error where that is a terminal.
class VerifyProgress {
  public:
    explicit VerifyProgress(Console& console) : console_(console), last_(console.clock.steady()) {}
    ~VerifyProgress() { clear(); }
    VerifyProgress(const VerifyProgress&) = delete;
    VerifyProgress& operator=(const VerifyProgress&) = delete;

    void tell(std::uint64_t done, std::uint64_t total) {
        auto now = console_.clock.steady();
        if (!console_.err.is_terminal() || now - last_ < progress_every) return;
        last_ = now;
        shown_ = true;
        console_.err.write(fmt::format("\r\x1b[K{} of {} ", done, counted(total, "segment")));
        console_.err.flush();
    }
    void clear() {
        if (!std::exchange(shown_, false)) return;
        console_.err.write("\r\x1b[K");
        console_.err.flush();
    }

  private:
    Console& console_;
    std::chrono::steady_clock::time_point last_;
    bool shown_ = false;
};

std::string sequences(const query::ChainReport& chain) { return fmt::format("{}-{}", chain.first, chain.last); }

std::string result(const query::ChainReport& chain) {
    if (chain.problems > 0) return counted(chain.problems, "problem");
    if (chain.for_others == 0) return "whole";
    return chain.unlinked > 0 ? "numbered" : "linked";
}

void print_chains(const query::Verification& verification, bool keyed, Console& console) {
    Table table = keyed ? Table{{"TENANT", "HOST", "EPOCH", ">SEQUENCE", ">SEGMENTS", ">OPENED", ">LINES", ">SOURCES",
                                 ">ENDED", ">GAPS", "RESULT"}}
                        : Table{{"TENANT", "HOST", "EPOCH", ">SEQUENCE", ">SEGMENTS", ">SIZE", "RESULT"}};
    for (const auto& chain : verification.chains) {
        std::vector<std::string> cells{chain.id.tenant.str(), chain.id.host, chain.id.epoch, sequences(chain),
                                       std::to_string(chain.segments)};
        if (keyed)
            cells.insert(cells.end(),
                         {std::to_string(chain.opened), std::to_string(chain.lines), std::to_string(chain.sources),
                          std::to_string(chain.ended), std::to_string(chain.gaps)});
        else
            cells.push_back(human_size(chain.bytes));
        cells.push_back(result(chain));
        table.add(std::move(cells));
    }
    table.print(console.out);
}

void print_problems(const query::Findings& findings, Console& console) {
    if (findings.problems.empty()) return;
    console.out.write("\n" + console.out.paint("1;31", counted(findings.problem_count(), "problem")) + ":\n");
    for (std::size_t i = 0; i < std::min(findings.problems.size(), shown_max); ++i)
        console.out.write(fmt::format("  {}: {}\n", query::to_string(findings.problems[i].fault),
                                      printable(findings.problems[i].what, 2000)));
    if (findings.problem_count() > shown_max)
        console.out.write(fmt::format("  and {} more\n", findings.problem_count() - shown_max));
}

void print_gaps(const query::Findings& findings, Console& console) {
    if (findings.gap_count == 0) return;
    console.out.write(fmt::format("\n{} named in the tenants' own logs:\n", counted(findings.gap_count, "gap")));
    Table table{{"TENANT", "APP", "NAME", "REASON", ">LINES", ">BYTES", "FROM", "TO"}};
    for (std::size_t i = 0; i < std::min(findings.gaps.size(), shown_max); ++i) {
        const auto& [chain, source, name, app, gap] = findings.gaps[i];
        auto at_least = [](std::uint64_t count) { return count == 0 ? "?" : ">=" + std::to_string(count); };
        table.add({chain.tenant.str(), app, name, gap.reason, at_least(gap.lines_min), at_least(gap.bytes_min),
                   short_time(gap.from), short_time(gap.to)});
    }
    table.print(console.out);
    if (findings.gap_count > shown_max)
        console.out.write(fmt::format("  and {} more\n", findings.gap_count - shown_max));
}

// What the proof does not cover, and why.
void print_limits(const query::Verification& verification, bool keyed, Console& console) {
    std::uint64_t for_others = 0, unlinked = 0, lines_missing = 0, open = 0, begun_before = 0, copies = 0;
    console.out.write("\n");
    for (const auto& chain : verification.chains) {
        for_others += chain.for_others;
        unlinked += chain.unlinked;
        lines_missing += chain.lines_missing;
        open += chain.sources - chain.ended;
        begun_before += chain.begun_before;
        copies += chain.copies;
        auto where = printable(fmt::format("{} on {} ({})", chain.id.tenant.str(), chain.id.host, chain.id.epoch), 400);
        if (chain.first > 1)
            console.out.write(fmt::format("{} begins at {}: {}\n", where, chain.first,
                                          chain.first > chain.first_in_store
                                              ? "what comes before is outside of the stretch"
                                              : "what came before was deleted, or is lost"));
        console.out.write(fmt::format(
            "{} ends at {}{}, SHA-256 {}\n", where, chain.last,
            chain.last < chain.last_in_store ? fmt::format(" of {} in the store", chain.last_in_store) : std::string{},
            chain.last_sha256));
    }
    console.out.write("Newer segments may wait on the host, or be lost there: `boatswain status` on the host says.\n");
    if (lines_missing > 0)
        console.out.write(
            fmt::format("At least {} of sources that go on are missing.\n", counted(lines_missing, "line")));
    if (keyed && open > 0)
        console.out.write(fmt::format("{} no closing record: still there, or not read to the end.\n",
                                      open == 1 ? "1 source has" : fmt::format("{} sources have", open)));
    if (begun_before > 0)
        console.out.write(
            fmt::format("{} before what was looked at, or with another tenant.\n",
                        begun_before == 1 ? "1 source began" : fmt::format("{} sources began", begun_before)));
    if (for_others > 0)
        console.out.write(fmt::format("{} seen from outside alone{}: number, name and hash, not lines.\n",
                                      for_others == 1 ? "1 segment was" : fmt::format("{} segments were", for_others),
                                      keyed ? ", sealed for other keys" : ""));
    if (copies > 0)
        console.out.write(
            fmt::format("{} there twice, under both forms of its key, with the same bytes: counted once.\n",
                        copies == 1 ? "1 segment is" : fmt::format("{} segments are", copies)));
    if (unlinked > 0)
        console.out.write(
            fmt::format("{} outside of the ciphertext: of those, only the number is proven.\n",
                        unlinked == 1 ? "1 segment has no link" : fmt::format("{} segments have no link", unlinked)));
}

void write(JsonWriter& json, const query::ChainReport& chain) {
    json.object()
        .member("tenant", chain.id.tenant.str())
        .member("host", chain.id.host)
        .member("epoch", chain.id.epoch)
        .member("first", chain.first)
        .member("last", chain.last)
        .member("first_in_store", chain.first_in_store)
        .member("last_in_store", chain.last_in_store)
        .member("segments", chain.segments)
        .member("opened", chain.opened)
        .member("for_others", chain.for_others)
        .member("unlinked", chain.unlinked)
        .member("copies", chain.copies)
        .member("bytes", chain.bytes)
        .member("lines", chain.lines)
        .member("message_bytes", chain.message_bytes)
        .member("lines_missing", chain.lines_missing)
        .member("sources", chain.sources)
        .member("ended", chain.ended)
        .member("begun_before", chain.begun_before)
        .member("gaps", chain.gaps)
        .member("problems", chain.problems)
        .member("last_sha256", chain.last_sha256)
        .end();
}

void write(JsonWriter& json, const query::Problem& problem) {
    json.object().member("fault", query::to_string(problem.fault)).member("what", problem.what).end();
}

void write(JsonWriter& json, const query::NamedGap& named) {
    const auto& [chain, source, name, app, gap] = named;
    json.object()
        .member("tenant", chain.tenant.str())
        .member("host", chain.host)
        .member("epoch", chain.epoch)
        .member("source", source)
        .member("name", name)
        .member("app", app)
        .member("reason", gap.reason)
        .member("from", gap.from)
        .member("to", gap.to)
        .member("lines_min", gap.lines_min)
        .member("bytes_min", gap.bytes_min)
        .end();
}

template <class Items>
void write_all(JsonWriter& json, std::string_view name, const Items& items) {
    json.array(name);
    for (const auto& item : items) write(json, item);
    json.end();
}

void print_json(const query::Verification& verification, const std::optional<RollUpsVerified>& rollups, bool proven,
                Console& console) {
    const auto& findings = verification.findings;
    auto json = json_object();
    json.member("proven", proven);
    write_all(json, "chains", verification.chains);
    json.object("faults");
    for (std::size_t i = 0; i < query::fault_kinds; ++i)
        json.member(query::to_string(static_cast<query::Fault>(i)), findings.faults.at(i));
    json.end();
    write_all(json, "problems", findings.problems);
    json.member("gap_count", findings.gap_count).object("gaps_by_reason");
    for (const auto& [reason, total] : findings.gaps_by_reason)
        json.object(reason)
            .member("gaps", total.count)
            .member("lines_min", total.lines_min)
            .member("bytes_min", total.bytes_min)
            .end();
    json.end();
    write_all(json, "gaps", findings.gaps);
    json.member("foreign_names", verification.foreign);
    if (rollups) write_rollups(json, *rollups);
    console.out.write(json.take_line());
}

// With keys that open nothing of a tenant, its lines were not proven, whatever the chain says.
bool opened_something(const query::Verification& verification) {
    for (const auto& chain : verification.chains)
        if (chain.opened > 0 || chain.for_others < chain.segments) return true;
    return false;
}

Result<int> verify(const Verify& request, Console& console) {
    query::VerifyRequest wanted{
        .tenant = {}, .host = request.host, .range = request.range, .oversized = request.allowance.oversized};
    query::Budget budget{request.allowance.memory};
    if (request.tenant) {
        TRY(wanted.tenant, query::parse_tenant(*request.tenant));
    }
    TRY(auto identities, read_identities(request.identities, console));
    TRY(auto store, open_store(request.store, console));
    VerifyProgress progress{console};
    auto verified = query::verify_store(*store, identities, wanted, budget,
                                        [&](std::uint64_t done, std::uint64_t total) { progress.tell(done, total); });
    progress.clear();
    if (!verified) return std::unexpected(std::move(verified).error());
    bool keyed = !identities.empty();
    bool proven = verified->proven() && (!keyed || opened_something(*verified));
    std::optional<RollUpsVerified> rollups;
    if (request.rollups) {
        query::Limits limits{.budget = budget, .bounds = request.allowance.bounds()};
        TRY(rollups, verify_rollups(*store, identities, wanted.tenant, request.range, limits));
        proven = proven && rollups->is_sound();
    }
    if (request.json) {
        print_json(*verified, rollups, proven, console);
    } else if (!verified->chains.empty()) {
        print_chains(*verified, keyed, console);
        print_problems(verified->findings, console);
        print_gaps(verified->findings, console);
        print_limits(*verified, keyed, console);
        if (rollups) print_rollups(*rollups, console);
    }
    if (verified->foreign > 0)
        console.note(fmt::format("{} in the store {} not Boatswain's", counted(verified->foreign, "name"),
                                 verified->foreign == 1 ? "is" : "are"));
    if (verified->chains.empty()) {
        console.complain("nothing was proven: there is no such segment; `boatswain ls` shows what there is" +
                         (wanted.tenant ? suggestion_for_tenant(*store, *wanted.tenant) : ""));
        return exit_error;
    }
    if (keyed && !opened_something(*verified))
        console.complain("no line was proven: none of the segments is sealed for the identity given");
    return proven ? exit_ok : exit_error;
}

}  // namespace

int run(const Verify& request, Console& console) {
    auto verified = verify(request, console);
    return verified ? *verified : failed(console, verified.error());
}

}  // namespace boatswain::tool
