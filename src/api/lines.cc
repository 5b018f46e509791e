// Our own way to lines: records with exact bytes, gaps and ends, sent while they are read; files to keep; and the lines
// around one.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "api/asking.h"
#include "api/records.h"
#include "api/routes.h"
#include "base/bytes.h"
#include "base/json_writer.h"
#include "query/cursor.h"

namespace boatswain::api {
namespace {

constexpr std::uint64_t page_default = 1000, records_max = 1'000'000'000, around_default = 50, around_max = 1000;
// Gaps and ends that may stand among the last lines, beside those that were asked for; and one line more, which says
// that there is another page.
constexpr std::uint64_t gaps_beside = 1001;

// The lines of one source.
class OfSource final : public query::Filter {
  public:
    explicit OfSource(std::string id) : id_(std::move(id)) {}
    query::Match match(const query::Origin& origin) const override { return query::match_if(origin.source.id == id_); }
    query::Match match(const query::FrameSummary& frame) const override { return match(frame.origin); }
    query::Match match(const query::Entry& entry) const override { return match(entry.origin()); }

  private:
    std::string id_;
};

// Letters, digits and dashes alone: it stands in a field of the answer.
std::string file_name(const query::TimeRange& range, RecordFormat format) {
    auto text = "logs-" + to_text(range.since) + "." + std::string{extension_of(format)};
    std::erase(text, ':');
    return text;
}

http::Answer head_of(const Asking& asking, const query::TimeRange& range, RecordFormat format) {
    http::Answer head{.content_type = std::string{content_type_of(format)}, .body = {}};
    if (format != RecordFormat::ndjson || asking.given().value("download") == "true")
        head.fields.emplace_back("Content-Disposition", "attachment; filename=\"" + file_name(range, format) + "\"");
    return head;
}

// Says how the records ended: {"kind":"done"...}, or {"kind":"error"...}.
std::string done_json(Asking& asking, const query::Tally& tally, std::uint64_t lines, const std::string& cursor) {
    auto json = json_object();
    json.member("kind", "done").member("lines", lines).member("complete", cursor.empty());
    json.member_unless_empty("cursor", cursor);
    json.member("read_bytes", asking.effort(tally, lines).bytes);
    return json.member("warnings", asking.met().warnings(tally)).take_line();
}

// Records on their way out.
class Records {
  public:
    Records(Asking& asking, RecordFormat format, http::Answer head) : asking_(asking), format_(format) {
        asking.out().begin(std::move(head));
        (void)asking.out().put(before(format));
    }
    // False: nobody takes more.
    bool add(const query::Entry& entry, const logql::Record* record) {
        if (record != nullptr) ++lines_;
        return asking_.out().put(record_text(format_, entry, record, !std::exchange(any_, true)));
    }
    bool add_json(std::string_view json) { return asking_.out().put(json); }
    std::uint64_t lines() const { return lines_; }

    // What a client has until here is not all: NDJSON says so in a record, another file breaks off.
    Result<http::Answer> end(Result<query::Tally> tally, const std::string& cursor) {
        if (auto is_whole = asking_.whole(); tally && !is_whole) tally = std::unexpected(is_whole.error());
        bool is_ndjson = format_ == RecordFormat::ndjson;
        if (!tally) {
            auto refused = asking_.refusal(tally.error());
            if (!asking_.out().has_sent()) return std::unexpected(std::move(tally).error());
            auto what = refused.answer.body.substr(0, refused.answer.body.find('\n'));
            if (is_ndjson) (void)add_json(json_object().member("kind", "error").member("error", what).take_line());
            (void)(is_ndjson ? asking_.out().finish() : asking_.out().flush());
            if (is_ndjson) return http::Answer{};
            return std::unexpected(std::move(tally).error());
        }
        if (is_ndjson) (void)add_json(done_json(asking_, *tally, lines_, cursor));
        (void)asking_.out().put(behind(format_));
        (void)asking_.out().finish();
        return http::Answer{};
    }

  private:
    Asking& asking_;
    RecordFormat format_;
    std::uint64_t lines_ = 0;
    bool any_ = false;
};

logql::Ground numbered(Asking& asking) {
    auto ground = asking.ground();
    ground.levels = true;
    ground.numbered = true;
    return ground;
}

struct Place {
    std::string source;
    std::uint64_t ordinal = 0;
};
Result<Place> place_of(std::string_view text) {
    auto colon = text.rfind(':');
    Place place{.source = std::string{text.substr(0, colon)}};
    auto number = colon == text.npos ? std::string_view{} : text.substr(colon + 1);
    auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), place.ordinal);
    if (number.empty() || error != std::errc{} || end != number.data() + number.size() || place.source.empty())
        return fail(Remedy::stop, "invalid place of a line: it is SOURCE:ORDINAL");
    return place;
}

// The lines around one, of its source alone. Footers say where they lie: ordinals tell, and no clock.
Result<http::Answer> around(Asking& asking, const logql::LogQuery& query, const query::TimeRange& range) {
    TRY(auto place, place_of(asking.given().value("around")));
    TRY(auto lines, count_of(asking.given(), "lines", around_default, around_max));
    auto first = place.ordinal - std::min(place.ordinal, lines);
    auto last = place.ordinal + std::min(std::numeric_limits<std::uint64_t>::max() - place.ordinal, lines);
    auto of_source = std::make_shared<OfSource>(place.source);
    query::TimeRange found{.since = Timestamp::max(), .until = Timestamp::min()};
    bool is_there = false;
    CHECK(asking.each_frame(range, of_source, [&](const query::Origin&, const open::FooterFrame& frame) {
        auto from = frame.first_ordinal, behind = from + frame.counts.lines;
        if (from > last || behind < first) return Result<void>{};
        is_there = is_there || (place.ordinal >= from && place.ordinal < behind);
        found.since = std::min(found.since, frame.counts.first_time);
        found.until = std::max(found.until, frame.counts.last_time + Nanoseconds{1});
        return Result<void>{};
    }));
    if (!is_there) return fail(Remedy::stop, "there is no such line in this range");
    auto ground = numbered(asking);
    ground.scope = ground.scope ? query::all_of({ground.scope, of_source}) : of_source;
    Records records{asking, RecordFormat::ndjson, head_of(asking, range, RecordFormat::ndjson)};
    auto tally = logql::read_lines(ground, query, found, [&](const query::Entry& entry, const logql::Record* record) {
        if (asking.is_over()) return false;
        if (entry.ordinal < first || entry.ordinal > last + (record == nullptr ? 1 : 0)) return true;
        bool is_hit = record != nullptr && entry.ordinal == place.ordinal;
        return records.add_json(record_json(entry, record, is_hit));
    });
    return records.end(std::move(tally), {});
}

}  // namespace

Result<http::Answer> lines(Asking& asking) {
    TRY(auto parsed, asking.query());
    const auto* query = std::get_if<logql::LogQuery>(&parsed);
    if (query == nullptr) return fail(Remedy::stop, "only queries for lines have records");
    TRY(auto range, asking.range());
    if (!asking.given().value("around").empty()) return around(asking, *query, range);
    TRY(auto format, record_format_of(asking.given().value("format")));
    bool is_page = format == RecordFormat::ndjson;
    TRY(auto limit, count_of(asking.given(), "limit", is_page ? page_default : records_max, records_max));
    bool backward = is_page;
    if (!asking.given().value("direction").empty()) {
        TRY(backward, is_backward(asking.given()));
    }
    auto question = asking.given().value("query");
    query::Cursor cursor{backward, question};
    if (auto text = asking.given().value("cursor"); !text.empty()) {
        TRY(cursor, query::Cursor::parse(text, backward, question));
    }
    auto rest = cursor.rest_of(range);
    if (rest.since >= rest.until) return fail(Remedy::stop, "the cursor lies outside of the range");

    auto ground = numbered(asking);
    ground.scope = ground.scope ? query::all_of({ground.scope, query::behind(cursor)}) : query::behind(cursor);
    Records records{asking, format, head_of(asking, range, format)};
    bool is_more = false;
    auto each = [&](const query::Entry& entry, const logql::Record* record) {
        is_more = records.lines() >= limit;
        if (is_more || asking.is_over()) return false;
        if (is_page) cursor.add(entry);
        return records.add(entry, record);
    };
    auto tally = backward ? logql::read_lines_backward(ground, *query, rest, limit + gaps_beside, each)
                          : logql::read_lines(ground, *query, rest, each);
    return records.end(std::move(tally), is_more && is_page ? cursor.str() : std::string{});
}

}  // namespace boatswain::api
