#include "api/questions.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "api/answers.h"
#include "api/bounded_store.h"
#include "base/bytes.h"
#include "base/json_writer.h"
#include "logql/label_values.h"
#include "logql/record.h"
#include "open/identity.h"
#include "query/filter_source.h"
#include "query/merge.h"

namespace boatswain::api {
namespace {

constexpr int bad_request = 400, client_gone = 499, server_error = 500, bad_gateway = 502, unavailable = 503,
              timed_out = 504;
// Gaps that may stand among the last lines, beside those that were asked for.
constexpr std::uint64_t gaps_beside = 1000;

// What was met on the way, as sentences for the tenant.
class Met final : public query::Observer {
  public:
    // Errors name objects and the store: they are for our log.
    void damaged(const Error& error) override {
        ++damaged_;
        if (damaged_ <= warnings_max) trouble_ += (trouble_.empty() ? "left out: " : "; ") + error.what;
    }
    const std::string& trouble() const { return trouble_; }
    void gap(const query::Entry& entry) {
        ++gaps_;
        const auto& gap = entry.text.gap;
        if (said_.size() < warnings_max)
            said_.push_back(fmt::format("gap of {}: {} from {} to {}, at least {} lines",
                                        printable(entry.source.whose.app), printable(gap.reason), to_text(gap.from),
                                        to_text(gap.to), gap.lines_min));
    }
    std::vector<std::string> warnings(const query::Tally& tally) const {
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

  private:
    std::uint64_t damaged_ = 0;
    std::uint64_t gaps_ = 0;
    std::vector<std::string> said_;
    std::string trouble_;
};

// How far before its time a query looks, `most` at the most.
Nanoseconds reach_of(const logql::Metric& metric, Nanoseconds most) {
    struct {
        Nanoseconds most;
        Nanoseconds operator()(const logql::Metric::Number&) const { return {}; }
        Nanoseconds operator()(const logql::Metric::Vector&) const { return {}; }
        Nanoseconds operator()(const logql::RangeAggregation& range) const {
            return std::min(most, std::min(most, range.range) + std::min(most, std::max(range.offset, Nanoseconds{})));
        }
        Nanoseconds operator()(const logql::VectorAggregation& of) const { return reach_of(*of.of, most); }
        Nanoseconds operator()(const logql::Binary& of) const {
            return std::max(reach_of(*of.left, most), reach_of(*of.right, most));
        }
        Nanoseconds operator()(const logql::LabelReplace& of) const { return reach_of(*of.of, most); }
    } reach{most};
    return std::visit(reach, metric.of);
}

// One question under way.
class Asking {
  public:
    Asking(const Question& question, const Sources& sources, const std::atomic<bool>& given_up)
        : question_(question),
          sources_(sources),
          began_(sources.clock.steady()),
          store_(sources.store, {.until = began_ + sources.limits.time_max, .bytes_max = sources.limits.bytes_max},
                 sources.clock, given_up),
          budget_(sources.limits.memory) {
        if (!question.who.apps.empty()) scope_ = query::app_is_one_of(question.who.apps);
    }

    Reply reply() {
        auto identities = open::read_identity_file(sources_.identities / (question_.who.tenant.str() + ".key"));
        if (!identities || identities->empty())
            return {.answer = error_answer(unavailable, "this server has no key for these logs"),
                    .trouble = identities ? "there is no identity in the tenant's key file" : identities.error().what};
        identities_ = std::move(*identities);
        auto body = run();
        Reply reply =
            body ? Reply{.answer = {.content_type = "application/json", .body = std::move(*body)}, .trouble = {}}
                 : refusal(body.error());
        reply.bytes_read = store_.bytes();
        return reply;
    }

  private:
    Result<std::string> run() {
        switch (question_.kind) {
            case Kind::query_range: return query_range();
            case Kind::query: return query();
            case Kind::labels:
            case Kind::label_values: return labels();
            case Kind::series: return series();
            case Kind::index_stats: return index_stats();
        }
        return fail(Remedy::stop, "unknown question");
    }

    logql::Ground ground() {
        return {.store = store_,
                .identities = identities_,
                .tenant = question_.who.tenant,
                .limits = {.budget = budget_},
                .observer = met_,
                .scope = scope_};
    }

    Result<logql::Query> parsed() const {
        auto text = question_.given.value("query");
        if (text.size() > query_bytes_max)
            return fail(Remedy::stop,
                        fmt::format("parse error : input size too long ({} > {})", text.size(), query_bytes_max));
        return logql::parse_query(text);
    }

    Effort effort(const query::Tally& tally, std::uint64_t returned) const {
        return {.bytes = store_.bytes(),
                .lines = tally.entries,
                .returned = returned,
                .seconds = std::chrono::duration<double>(sources_.clock.steady() - began_).count()};
    }

    Result<std::string> query_range() {
        TRY(auto parsed_query, parsed());
        TRY(auto range, range_of(question_.given, question_.now, sources_.limits.range_max));
        if (const auto* lines = std::get_if<logql::LogQuery>(&parsed_query)) return read_lines(*lines, range);
        TRY(auto step, step_of(question_.given, range));
        TRY(auto steps, logql::Steps::of_range(range.since, range.until, step));
        TRY(auto numbers, compute(*std::get<logql::MetricPtr>(parsed_query), steps, range.until - range.since));
        return to_json({.type = "matrix",
                        .result = matrix_json(numbers, steps),
                        .effort = effort(numbers.tally, numbers.series.size()),
                        .warnings = met_.warnings(numbers.tally)});
    }

    Result<std::string> query() {
        TRY(auto parsed_query, parsed());
        TRY(auto time, time_of(question_.given, "time", question_.now));
        if (std::holds_alternative<logql::LogQuery>(parsed_query))
            return fail(Remedy::stop,
                        "log queries are not supported as an instant query type, please change your query to a range "
                        "query type");
        auto steps = logql::Steps::instant(time);
        TRY(auto numbers, compute(*std::get<logql::MetricPtr>(parsed_query), steps, Nanoseconds{}));
        return to_json({.type = numbers.is_scalar ? "scalar" : "vector",
                        .result = numbers.is_scalar ? scalar_json(numbers, steps) : vector_json(numbers, steps),
                        .effort = effort(numbers.tally, numbers.series.size()),
                        .warnings = met_.warnings(numbers.tally)});
    }

    Result<logql::Numbers> compute(const logql::Metric& metric, const logql::Steps& steps, Nanoseconds length) {
        length += reach_of(metric, sources_.limits.range_max + Nanoseconds{1});
        if (length > sources_.limits.range_max) return too_long(length, sources_.limits.range_max);
        TRY(auto numbers, logql::compute(ground(), metric, steps));
        if (numbers.series.size() > series_max)
            return fail(Remedy::stop,
                        fmt::format("maximum number of series ({}) reached for a single query; consider reducing query "
                                    "cardinality by adding more specific stream selectors, reducing the time range, or "
                                    "aggregating results with functions like sum(), count() or topk()",
                                    series_max));
        return numbers;
    }

    Result<std::string> read_lines(const logql::LogQuery& query, const query::TimeRange& range) {
        TRY(auto limit, limit_of(question_.given));
        TRY(auto backward, is_backward(question_.given));
        Streams streams{question_.categorised, budget_};
        Result<void> added;
        auto each = [&](const query::Entry& entry, const logql::Record* record) {
            if (store_.is_over()) return false;
            if (record == nullptr) {
                met_.gap(entry);
                return true;
            }
            added = streams.add(*record);
            return added && streams.lines() < limit;
        };
        TRY(auto tally, backward ? logql::read_lines_backward(ground(), query, range, limit + gaps_beside, each)
                                 : logql::read_lines(ground(), query, range, each));
        CHECK(added);
        CHECK(whole());
        return to_json({.type = "streams",
                        .categorised = question_.categorised,
                        .result = streams.json(),
                        .effort = effort(tally, streams.lines()),
                        .warnings = met_.warnings(tally)});
    }

    // Half an answer is none: the client would take it for the whole.
    Result<void> whole() {
        if (!store_.is_over()) return {};
        return fail(Remedy::stop, "the question has ended");
    }

    // A selector without a pipeline; an empty text selects everything, where that is allowed.
    Result<query::FilterPtr> selector(std::string_view text) const {
        TRY(auto parsed_query, logql::parse_query(text));
        const auto* lines = std::get_if<logql::LogQuery>(&parsed_query);
        if (lines == nullptr || !lines->stages.empty()) return fail(Remedy::stop, "only label matchers are supported");
        return lines->filter();
    }

    using EachFrame = std::function<Result<void>(const query::Origin& origin, const open::FooterFrame& frame)>;
    Result<query::Tally> each_frame(const query::TimeRange& range, query::FilterPtr filter, const EachFrame& each) {
        std::vector<query::FilterPtr> all;
        if (scope_) all.push_back(scope_);
        if (filter) all.push_back(std::move(filter));
        query::Selection selection{.tenant = question_.who.tenant, .range = range, .filter = {}};
        if (!all.empty()) selection.filter = query::all_of(std::move(all));
        Result<void> taken;
        TRY(auto tally, query::read_footers(
                            store_, identities_, selection, {.budget = budget_}, met_,
                            [&](const query::SegmentInfo& info, const open::Footer& footer) {
                                for (const auto& frame : footer.frames) {
                                    query::Origin origin{info.key, footer.sources[frame.source]};
                                    if (!selection.wants(query::FrameSummary{origin, frame})) continue;
                                    taken = each(origin, frame);
                                    if (!taken) return false;
                                }
                                return !store_.is_over();
                            }));
        CHECK(taken);
        CHECK(whole());
        return tally;
    }

    Result<void> hold(std::uint64_t bytes) {
        TRY(held_.emplace_back(), budget_.hold(bytes, "the labels of the answer"));
        return {};
    }

    // Names, or the values of one.
    Result<std::string> labels() {
        TRY(auto range, range_of(question_.given, question_.now, sources_.limits.range_max));
        query::FilterPtr filter;
        if (auto text = question_.given.value("query"); !text.empty() && text != "{}") {
            TRY(filter, selector(text));
        }
        using logql::LabelValues;
        bool names = question_.kind == Kind::labels;
        LabelValues found{budget_, names ? LabelValues::Keep::names : LabelValues::Keep::values,
                          names ? std::nullopt : std::optional{question_.label}};
        TRY(auto tally, each_frame(
                            range, filter,
                            [&](const query::Origin& origin, const open::FooterFrame&) { return found.take(origin); }));
        std::vector<std::string> sorted;
        for (const auto& [name, values] : found.all())
            names ? sorted.push_back(name) : void(sorted.assign(values.begin(), values.end()));
        return success_json(JsonWriter{}.value(sorted).take(), met_.warnings(tally));
    }

    // Footers do not say which of its two streams a container wrote to, so `stream` is not among the labels.
    Result<std::string> series() {
        constexpr std::uint64_t series_bytes = 200;
        TRY(auto range, range_of(question_.given, question_.now, sources_.limits.range_max));
        std::vector<query::FilterPtr> any;
        for (const char* name : {"match[]", "match"})
            for (auto text : question_.given.values(name)) {
                TRY(auto one, selector(text));
                any.push_back(std::move(one));
            }
        if (any.empty()) return fail(Remedy::stop, "0 matcher groups were given: match[] names a selector");
        std::set<std::string> found;
        TRY(auto tally, each_frame(
                            range, query::any_of(std::move(any)),
                            [&](const query::Origin& origin, const open::FooterFrame&) -> Result<void> {
                                auto json = json_object();
                                for (auto name : logql::origin_label_names())
                                    json.member_unless_empty(name, logql::origin_label(origin, name));
                                auto labels = json.take();
                                labels.pop_back();  // so that fewer come first
                                if (found.contains(labels)) return {};
                                CHECK(hold(series_bytes + 2 * labels.size()));
                                found.insert(std::move(labels));
                                return {};
                            }));
        auto data = json_array();
        for (const auto& labels : found) data.raw(labels + "}");
        return success_json(data.take(), met_.warnings(tally));
    }

    // Frames count whole: one that the range cuts adds all that it holds.
    Result<std::string> index_stats() {
        constexpr std::uint64_t id_bytes = 200;
        TRY(auto range, range_of(question_.given, question_.now, sources_.limits.range_max));
        TRY(auto filter, selector(question_.given.value("query")));
        std::set<std::string> streams;
        std::uint64_t chunks = 0, bytes = 0, entries = 0;
        TRY(auto tally, each_frame(
                            range, filter,
                            [&](const query::Origin& origin, const open::FooterFrame& frame) -> Result<void> {
                                ++chunks;
                                bytes += frame.counts.message_bytes;
                                entries += frame.counts.lines;
                                if (streams.contains(origin.source.id)) return {};
                                CHECK(hold(id_bytes));
                                streams.insert(origin.source.id);
                                return {};
                            }));
        (void)tally;
        return fmt::format(R"({{"streams":{},"chunks":{},"bytes":{},"entries":{}}})"
                           "\n",
                           streams.size(), chunks, bytes, entries);
    }

    // Whose fault it is decides who learns what.
    Reply refusal(const Error& error) {
        auto plain = [](int status, std::string_view what) {
            return Reply{.answer = error_answer(status, what), .trouble = {}};
        };
        switch (store_.end()) {
            case BoundedStore::End::given_up: return plain(client_gone, "the client is gone");
            case BoundedStore::End::too_late:
                return plain(timed_out, fmt::format("the query needs more than its {} s: ask for a shorter range, or "
                                                    "with a narrower selector",
                                                    sources_.limits.time_max.count() / 1000));
            case BoundedStore::End::too_much:
                return plain(
                    bad_request,
                    fmt::format("the query would read too many bytes (query: more than {}, limit: {}); consider "
                                "adding more specific stream selectors or reduce the time range of the query",
                                size_to_text(sources_.limits.bytes_max), size_to_text(sources_.limits.bytes_max)));
            case BoundedStore::End::failed:
                return {.answer = error_answer(bad_gateway, "the store does not answer"), .trouble = store_.failure()};
            case BoundedStore::End::none: break;
        }
        if (query::is_over_budget(error))
            return plain(bad_request, fmt::format("the query would hold too much in memory (limit: {}): ask for a "
                                                  "shorter range, a narrower selector, or fewer lines or series",
                                                  size_to_text(sources_.limits.memory)));
        if (error.remedy == Remedy::stop) return plain(bad_request, error.what);
        return {.answer = error_answer(server_error, "the query failed"), .trouble = error.what};
    }

    const Question& question_;
    const Sources& sources_;
    const std::chrono::steady_clock::time_point began_;
    BoundedStore store_;
    query::Budget budget_;
    Met met_;
    query::FilterPtr scope_;
    std::vector<open::Identity> identities_;
    std::vector<query::Share> held_;
};

}  // namespace

http::Answer error_answer(int status, std::string_view what) {
    return {.status = status, .body = std::string{what} + "\n"};
}

Reply answer(const Question& question, const Sources& sources, const std::atomic<bool>& given_up) {
    return Asking{question, sources, given_up}.reply();
}

}  // namespace boatswain::api
