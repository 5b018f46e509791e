#include "boatswain/query_page.h"

#include <charconv>
#include <optional>

#include "base/file.h"
#include "base/text.h"

namespace boatswain::tool {
namespace {

std::string text_of(const query::TimeRange& range) {
    return std::to_string(range.since.time_since_epoch().count()) + "/" +
           std::to_string(range.until.time_since_epoch().count()) + "/";
}

std::optional<Timestamp> take_time(std::string_view& text) {
    auto end = text.find('/');
    if (end == text.npos) return std::nullopt;
    std::int64_t ns = 0;
    auto [at, error] = std::from_chars(text.data(), text.data() + end, ns);
    if (error != std::errc{} || at != text.data() + end) return std::nullopt;
    text.remove_prefix(end + 1);
    return Timestamp{Nanoseconds{ns}};
}

// What its pages have in common, so that a cursor is not taken to another question.
std::string question_of(const Query& request, const query::TimeRange& range) {
    return text_of(range) + "\n" + request.tenant.value_or("") + "\n" + request.logql;
}

Result<std::string> cursor_text(const Query& request) {
    if (!request.cursor.starts_with('@')) return request.cursor;
    TRY(auto text, read_file(request.cursor.substr(1), cursor_file_bytes_max));
    while (text.ends_with('\n')) text.pop_back();
    return text;
}

}  // namespace

std::string QueryPage::str() const { return text_of(range) + cursor.str(); }

Result<QueryPage> page_of(const Query& request, const query::TimeRange& range) {
    bool backward = request.tail.has_value();
    if (request.cursor.empty()) return QueryPage{range, query::Cursor{backward, question_of(request, range)}};
    TRY(auto whole, cursor_text(request));
    std::string_view text = whole;
    auto since = take_time(text), until = take_time(text);
    if (!since || !until || *since >= *until)
        return fail(Remedy::stop,
                    "invalid cursor: it begins with no stretch of time; it is what the page before gave, whole");
    query::TimeRange of_cursor{.since = *since, .until = *until};
    TRY(auto cursor, query::Cursor::parse(text, backward, question_of(request, of_cursor)));
    return QueryPage{of_cursor, std::move(cursor)};
}

}  // namespace boatswain::tool
