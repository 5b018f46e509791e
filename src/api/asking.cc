#include "api/asking.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/bytes.h"
#include "query/filter_source.h"

namespace boatswain::api {
namespace {

constexpr int bad_request = 400, client_gone = 499, server_error = 500, bad_gateway = 502, unavailable = 503,
              timed_out = 504;

}  // namespace

void Met::damaged(const Error& error) {
    ++damaged_;
    if (damaged_ <= warnings_max) trouble_ += (trouble_.empty() ? "left out: " : "; ") + error.what;
}

void Met::gap(const query::Entry& entry) {
    ++gaps_;
    const auto& gap = entry.text.gap;
    if (said_.size() < warnings_max)
        said_.push_back(fmt::format("gap of {}: {} from {} to {}, at least {} lines", printable(entry.source.whose.app),
                                    printable(gap.reason), to_text(gap.from), to_text(gap.to), gap.lines_min));
}

std::vector<std::string> Met::warnings(const query::Tally& tally) const {
    auto all = said_;
    if (damaged_ > 0) all.push_back(fmt::format("damaged objects, left out wholly or in part: {}", damaged_));
    if (gaps_ > said_.size()) all.push_back(fmt::format("{} more gaps lie in this range", gaps_ - said_.size()));
    if (tally.for_others > 0)
        all.push_back(fmt::format("objects that the key of this server does not open: {}", tally.for_others));
    if (tally.conflicts > 0)
        all.push_back(fmt::format("objects that are there with several contents, of which all lines are shown: {}",
                                  tally.conflicts));
    return all;
}

Asking::Asking(const Question& question, const Sources& sources, const std::atomic<bool>& given_up,
               http::PieceWriter* out)
    : question_(question),
      sources_(sources),
      given_up_(given_up),
      began_(sources.clock.steady()),
      store_(sources.store, {.until = began_ + time_max(), .bytes_max = limits().bytes_max}, sources.clock, given_up),
      budget_(limits().memory),
      out_(out) {
    if (!question.who.apps.empty()) scope_ = query::app_is_one_of(question.who.apps);
}

std::unique_ptr<Asking> Asking::again() const {
    auto once = std::make_unique<Asking>(question_, sources_, given_up_, out_);
    once->identities_ = identities_;
    return once;
}

std::shared_ptr<hub::Follower> Asking::follow() const {
    return sources_.hub != nullptr ? sources_.hub->follow(question_.who.tenant, identities_) : nullptr;
}

// Without a directory of identities a relative path would be one below where the server runs.
Path Asking::identity_file() const { return sources_.identities / (question_.who.tenant.str() + ".key"); }

bool Asking::has_identity() const {
    std::error_code problem;
    return !sources_.identities.empty() && std::filesystem::exists(identity_file(), problem);
}

Reply Asking::reply() {
    if (sources_.opened_with != nullptr) {
        identities_ = *sources_.opened_with;
    } else if (question_.route.reads_store && !question_.route.is_sealed) {
        if (sources_.identities.empty())
            return {.answer = error_answer(unavailable, "this server has no key for these logs"), .trouble = {}};
        auto identities = open::read_identity_file(identity_file());
        if (!identities || identities->empty())
            return {.answer = error_answer(unavailable, "this server has no key for these logs"),
                    .trouble = identities ? "there is no identity in the tenant's key file" : identities.error().what};
        identities_ = std::move(*identities);
    }
    auto answer = question_.route.answer(*this);
    Reply reply = answer ? Reply{.answer = std::move(*answer), .trouble = {}} : refusal(answer.error());
    reply.is_whole = answer.has_value();
    reply.bytes_read = store_.bytes() + read_elsewhere_;
    return reply;
}

Result<logql::Query> Asking::query() const {
    auto text = given().value("query");
    if (text.size() > query_bytes_max)
        return fail(Remedy::stop,
                    fmt::format("parse error : input size too long ({} > {})", text.size(), query_bytes_max));
    return logql::parse_query(text);
}

Result<query::TimeRange> Asking::range() const { return range_of(given(), question_.now, limits().range_max); }

Result<std::vector<logql::Matcher>> Asking::matchers(std::string_view text) const {
    TRY(auto parsed, logql::parse_query(text));
    auto* lines = std::get_if<logql::LogQuery>(&parsed);
    if (lines == nullptr || !lines->stages.empty()) return fail(Remedy::stop, "only label matchers are supported");
    return std::move(lines->matchers);
}

Result<query::FilterPtr> Asking::selector(std::string_view text) const {
    TRY(auto all, matchers(text));
    return logql::LogQuery{.matchers = std::move(all), .stages = {}}.filter();
}

Result<query::FilterPtr> Asking::selector_if_given() const {
    auto text = given().value("query");
    if (text.empty() || text == "{}") return nullptr;
    return selector(text);
}

logql::Ground Asking::ground() {
    return {.store = store_,
            .identities = identities_,
            .tenant = question_.who.tenant,
            .limits = {.budget = budget_, .crew = sources_.crew, .known = sources_.known},
            .observer = met_,
            .scope = scope_};
}

Result<query::Tally> Asking::each_footer(const query::TimeRange& range, query::FilterPtr filter,
                                         const EachFooter& each) {
    std::vector<query::FilterPtr> all;
    if (scope_) all.push_back(scope_);
    if (filter) all.push_back(std::move(filter));
    query::Selection selection{.tenant = question_.who.tenant, .range = range, .filter = {}, .numbered = true};
    if (!all.empty()) selection.filter = query::all_of(std::move(all));
    Result<void> taken;
    TRY(auto tally,
        query::read_footers(
            store_, identities_, selection, {.budget = budget_, .crew = sources_.crew, .known = sources_.known}, met_,
            [&](const query::SegmentInfo& info, const open::Footer& footer) {
                taken = each(info, footer, selection);
                return taken && !store_.is_over();
            }));
    CHECK(taken);
    CHECK(whole());
    return tally;
}

Result<query::Tally> Asking::each_frame(const query::TimeRange& range, query::FilterPtr filter, const EachFrame& each) {
    return each_footer(range, std::move(filter),
                       [&](const query::SegmentInfo& info, const open::Footer& footer,
                           const query::Selection& selection) -> Result<void> {
                           for (const auto& frame : footer.frames) {
                               query::Origin origin{info.key, footer.sources[frame.source]};
                               if (selection.wants(query::FrameSummary{origin, frame})) CHECK(each(origin, frame));
                           }
                           return {};
                       });
}

Result<query::Tally> Asking::each_source(const query::TimeRange& range, query::FilterPtr filter,
                                         const EachSource& each) {
    return each_footer(range, std::move(filter),
                       [&](const query::SegmentInfo& info, const open::Footer& footer,
                           const query::Selection& selection) -> Result<void> {
                           std::vector<bool> known(footer.sources.size());
                           for (const auto& frame : footer.frames) {
                               if (known[frame.source]) continue;
                               query::Origin origin{info.key, footer.sources[frame.source]};
                               if (!selection.wants(query::FrameSummary{origin, frame})) continue;
                               known[frame.source] = true;
                               CHECK(each(origin));
                           }
                           return {};
                       });
}

Result<void> Asking::whole() {
    if (!store_.is_over()) return {};
    return fail(Remedy::stop, "the question has ended");
}

Result<void> Asking::hold(std::uint64_t bytes, std::string_view what) {
    TRY(held_.emplace_back(), budget_.hold(bytes, what));
    return {};
}

Effort Asking::effort(const query::Tally& tally, std::uint64_t returned) const {
    return {.bytes = store_.bytes(),
            .lines = tally.entries,
            .returned = returned,
            .seconds = std::chrono::duration<double>(sources_.clock.steady() - began_).count()};
}

Reply Asking::refusal(const Error& error) {
    auto plain = [](int status, std::string_view what) {
        return Reply{.answer = error_answer(status, what), .trouble = {}};
    };
    switch (store_.end()) {
        case BoundedStore::End::given_up: return plain(client_gone, "the client is gone");
        case BoundedStore::End::too_late:
            return plain(timed_out, fmt::format("the query needs more than its {} s: ask for a shorter range, or "
                                                "with a narrower selector",
                                                time_max().count() / 1000));
        case BoundedStore::End::too_much:
            return plain(bad_request,
                         fmt::format("the query would read too many bytes (query: more than {}, limit: {}); consider "
                                     "adding more specific stream selectors or reduce the time range of the query",
                                     size_to_text(limits().bytes_max), size_to_text(limits().bytes_max)));
        case BoundedStore::End::failed:
            return {.answer = error_answer(bad_gateway, "the store does not answer"), .trouble = store_.failure()};
        case BoundedStore::End::none: break;
    }
    if (query::is_over_budget(error))
        return plain(bad_request, fmt::format("the query would hold too much in memory (limit: {}): ask for a "
                                              "shorter range, a narrower selector, or fewer lines or series",
                                              size_to_text(limits().memory)));
    if (error.remedy == Remedy::stop) return plain(bad_request, error.what);
    return {.answer = error_answer(server_error, "the query failed"), .trouble = error.what};
}

}  // namespace boatswain::api
