// export: lines for other programs, as files.
#include <fmt/format.h>

#include <set>

#include "base/json_writer.h"
#include "base/text.h"
#include "boatswain/commands.h"
#include "boatswain/patience.h"
#include "boatswain/reading.h"
#include "export/exporter.h"
#include "query/crew.h"
#include "query/filter_source.h"
#include "query/filter_stream.h"

namespace boatswain::tool {

namespace {

// Damage is met once for each hour that is read, and named once. Progress is that of the export, not of one reading.
class Watcher final : public query::Observer {
  public:
    Watcher(Console& console, Progress& progress)
        : console_(console), progress_(progress), begun_(console.clock.steady()), last_(begun_) {}

    void damaged(const Error& error) override {
        if (seen_.size() < damages_named_max && seen_.insert(error.what).second) progress_.damaged(error);
    }
    void met(const Source& source) override { progress_.met(source); }

    void tell(const exporting::Exported& done) {
        constexpr std::chrono::milliseconds every{200};
        auto now = console_.clock.steady();
        if (!console_.err.is_terminal() || now - last_ < every) return;
        last_ = now;
        console_.err.write(fmt::format("\r\x1b[Kday {} of {}: {}, {}, {}{} ", std::min(done.days + 1, done.days_total),
                                       done.days_total, counted(done.lines, "line"), counted(done.parts, "file"),
                                       human_size(done.bytes), time_left(done, now)));
        console_.err.flush();
        shown_ = true;
    }
    void clear() {
        if (std::exchange(shown_, false)) console_.err.write("\r\x1b[K");
        console_.err.flush();
    }

  private:
    std::string time_left(const exporting::Exported& done, std::chrono::steady_clock::time_point now) const {
        if (done.days == 0) return {};
        auto left = (now - begun_) / done.days * (done.days_total - done.days);
        return fmt::format(", about {} min left", std::chrono::ceil<std::chrono::minutes>(left).count());
    }
    Console& console_;
    Progress& progress_;
    std::chrono::steady_clock::time_point begun_, last_;
    std::set<std::string> seen_;
    bool shown_ = false;
};

query::FilterPtr selection_of(const Export& request) {
    std::vector<query::FilterPtr> filters;
    if (!request.apps.empty()) filters.push_back(query::app_is_one_of(request.apps));
    if (!request.containers.empty()) filters.push_back(query::container_is_one_of(request.containers));
    if (request.stream) filters.push_back(query::stream_is(*request.stream));
    return query::all_of(std::move(filters));
}

// What is selected, in which form: the same text for the same files.
std::string text_of(const Export& request) {
    auto json = json_object();
    if (request.logql) json.member("logql", *request.logql);
    auto names = [&](std::string_view name, const std::vector<std::string>& given) {
        if (!given.empty()) json.member(name, std::set<std::string>{given.begin(), given.end()});
    };
    names("apps", request.apps);
    names("containers", request.containers);
    if (request.stream) json.member("stream", to_string(*request.stream));
    return json.member("format", request.csv ? "csv" : "ndjson").take();
}

Result<logql::LogQuery> query_of(const Export& request) {
    if (!request.logql) return logql::LogQuery{};
    TRY(auto parsed, logql::parse_query(*request.logql));
    if (auto* lines = std::get_if<logql::LogQuery>(&parsed)) return std::move(*lines);
    return fail(Remedy::stop, "this query gives numbers, and lines are exported: leave out what is around {...}");
}

Result<std::unique_ptr<store::Store>> open_target(const std::string& url, const Console& console) {
    bool is_url = url.starts_with("dir:") || url.contains("://");
    auto patience = std::make_shared<Patience>(console);  // the store's threads own it together
    return store::open_store(is_url ? url : "dir:" + url, console.clock,
                             {.on_wait = [patience](const store::Waiting& waiting) { patience->waiting(waiting); }});
}

void tell_done(const exporting::Exported& done, const std::string& where, Console& console) {
    console.out.write(fmt::format("{} and {} of {} in {}, {}, to {}\n", counted(done.lines, "line"),
                                  counted(done.gaps, "gap"), counted(done.hours, "hour"), counted(done.parts, "file"),
                                  human_size(done.bytes), where));
    console.out.flush();
    if (done.hours_kept > 0)
        console.note(fmt::format("{} {} exported before", counted(done.hours_kept, "hour"),
                                 done.hours_kept == 1 ? "was" : "were"));
}

Result<int> export_lines(const Export& request, Console& console) {
    exporting::ExportQuestion question{.range = request.range,
                                       .query = {},
                                       .selection = selection_of(request),
                                       .text = text_of(request),
                                       .format = request.csv ? exporting::RowFormat::csv : exporting::RowFormat::ndjson,
                                       .with_labels = request.logql.has_value(),
                                       .again = request.again};
    TRY(question.query, query_of(request));
    query::Budget budget{request.allowance.memory};
    query::Crew crew;
    TRY(auto identities, read_identities(request.identities, console));
    query::Selection whose;
    if (request.tenant) {
        TRY(whose.tenant, query::parse_tenant(*request.tenant));
    }
    TRY(auto store, open_store(request.store, console));
    TRY(auto target, open_target(request.out, console));
    Progress progress{console, {.apps = request.apps, .containers = request.containers}};
    Watcher watcher{console, progress};
    logql::Ground ground{.store = *store,
                         .identities = identities,
                         .tenant = whose.tenant,
                         .limits = {.budget = budget, .bounds = request.allowance.bounds(), .crew = &crew},
                         .observer = watcher};
    auto done = exporting::run_export(ground, question, *target, [&](const auto& so_far) { watcher.tell(so_far); });
    watcher.clear();
    if (!done) {
        progress.tell_damages();
        return std::unexpected(std::move(done).error());
    }
    tell_done(*done, target->describe(), console);
    done->tally.entries = done->lines + done->gaps + done->hours_kept;
    auto code = conclude(console, progress,
                         {.store = *store, .tally = done->tally, .selection = whose, .identities = identities});
    return done->hours_damaged > 0 ? exit_error : code;
}

}  // namespace

int run(const Export& request, Console& console) {
    auto code = export_lines(request, console);
    return code ? *code : failed(console, code.error());
}

}  // namespace boatswain::tool
