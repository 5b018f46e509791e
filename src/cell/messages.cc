#include "cell/messages.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "api/routes.h"
#include "cell/packing.h"
#include "segment/format.h"

namespace boatswain::cell {
namespace {

constexpr std::size_t route_bytes_max = 100, name_bytes_max = 64U << 10, disposition_bytes_max = 200,
                      content_type_bytes_max = 100;

constexpr std::array statuses{200, 400, 499, 500, 502, 503, 504};
constexpr std::array<std::string_view, 5> content_types{"application/json", "application/x-ndjson",
                                                        "application/octet-stream", "text/csv; charset=utf-8",
                                                        "text/plain; charset=utf-8"};

Packer begin(MessageKind kind) { return Packer{static_cast<std::uint8_t>(kind)}; }

std::unexpected<Error> broken(std::string_view what) {
    return fail(Remedy::quarantine, "a message about a question: its " + std::string{what} + " is broken");
}

template <class T>
Result<T> whole(const Unpacker& from, T value, std::string_view what) {
    if (!from.is_whole()) return broken(what);
    return value;
}

bool is_disposition(std::string_view text) {
    return text.empty() || (text.starts_with("attachment; filename=\"") && text.ends_with('"') &&
                            std::ranges::count(text, '"') == 2 && http::is_field_value(text));
}

}  // namespace

std::string pack(const api::Question& question) {
    auto to = begin(MessageKind::question);
    to.text(question.route.path).text(question.name);
    to.number(static_cast<std::uint32_t>(question.who.apps.size()));
    for (const auto& app : question.who.apps) to.text(app);
    to.number(static_cast<std::uint32_t>(question.given.all().size()));
    for (const auto& [name, value] : question.given.all()) to.text(name).text(value);
    to.number<std::uint8_t>(question.categorised).number(question.now.time_since_epoch().count());
    const auto& limits = question.limits;
    to.number(limits.memory).number(limits.bytes_max).number<std::int64_t>(limits.time_max.count());
    to.number<std::int64_t>(limits.stream_time_max.count()).number(limits.range_max.count());
    return to.number(static_cast<std::uint8_t>(question.coding)).take();
}

Result<api::Question> parse_question(std::string_view bytes, const TenantId& tenant) {
    Unpacker from{bytes};
    const auto* route = api::route_named(from.text(route_bytes_max));
    if (route == nullptr) return broken("route");
    api::Question question{.route = *route,
                           .name = from.text(name_bytes_max),
                           .who = {.id = {}, .sha256 = {}, .tenant = tenant, .expires = {}, .apps = {}},
                           .given = {}};
    for (auto left = from.count(api::token_apps_max); left > 0; --left)
        question.who.apps.push_back(from.text(question_text_bytes_max));
    std::vector<std::pair<std::string, std::string>> given;
    for (auto left = from.count(api::parameters_max); left > 0; --left) {
        auto name = from.text(question_text_bytes_max);
        given.emplace_back(std::move(name), from.text(question_text_bytes_max));
    }
    TRY(question.given, api::Parameters::of(std::move(given)));
    question.categorised = from.flag();
    question.now = Timestamp{Nanoseconds{from.number<std::int64_t>()}};
    auto& limits = question.limits;
    limits.memory = from.number<std::uint64_t>();
    limits.bytes_max = from.number<std::uint64_t>();
    limits.time_max = std::chrono::milliseconds{from.number<std::int64_t>()};
    limits.stream_time_max = std::chrono::milliseconds{from.number<std::int64_t>()};
    limits.range_max = Nanoseconds{from.number<std::int64_t>()};
    auto coding = from.number<std::uint8_t>();
    if (!from.is_whole() || coding > static_cast<std::uint8_t>(http::Coding::zstd)) return broken("question");
    question.coding = static_cast<http::Coding>(coding);
    return question;
}

std::string pack(const ReadCall& call) {
    return begin(MessageKind::read)
        .number(call.id)
        .text(call.key)
        .number(call.range.first)
        .number(call.range.length)
        .number<std::uint8_t>(call.range.suffix)
        .take();
}

Result<ReadCall> parse_read_call(std::string_view bytes) {
    Unpacker from{bytes};
    ReadCall call{.id = from.number<std::uint32_t>(), .key = from.text(segment::key_bytes_max), .range = {}};
    call.range.first = from.number<std::uint64_t>();
    call.range.length = from.number<std::uint64_t>();
    call.range.suffix = from.flag();
    if (call.range.length > read_bytes_max) return broken("length");
    return whole(from, std::move(call), "call to read");
}

std::string pack(const ListCall& call) {
    auto to = begin(MessageKind::list);
    to.number(call.id).text(call.prefix).number<std::uint8_t>(call.delimited).number<std::uint8_t>(bool{call.next});
    return to.text(call.next.value_or("")).take();
}

Result<ListCall> parse_list_call(std::string_view bytes) {
    Unpacker from{bytes};
    ListCall call{.id = from.number<std::uint32_t>(), .prefix = from.text(segment::key_bytes_max), .next = {}};
    call.delimited = from.flag();
    bool has_next = from.flag();
    auto next = from.text(page_token_bytes_max);
    if (has_next) call.next = std::move(next);
    return whole(from, std::move(call), "call to list");
}

std::string pack(const ReadReply& reply) {
    return begin(MessageKind::bytes)
        .number(reply.id)
        .number(reply.range.first)
        .number(reply.range.object_size)
        .text(reply.range.bytes)
        .take();
}

Result<ReadReply> parse_read_reply(std::string_view bytes) {
    Unpacker from{bytes};
    ReadReply reply{.id = from.number<std::uint32_t>(), .range = {}};
    reply.range.first = from.number<std::uint64_t>();
    reply.range.object_size = from.number<std::uint64_t>();
    reply.range.bytes = from.text(read_bytes_max);
    return whole(from, std::move(reply), "bytes");
}

std::string pack(const ListReply& reply) {
    auto to = begin(MessageKind::listing);
    to.number(reply.id).number(static_cast<std::uint32_t>(reply.page.objects.size()));
    for (const auto& object : reply.page.objects) to.text(object.key).number(object.size);
    to.number(static_cast<std::uint32_t>(reply.page.prefixes.size()));
    for (const auto& prefix : reply.page.prefixes) to.text(prefix);
    to.number<std::uint8_t>(bool{reply.page.next}).text(reply.page.next.value_or(""));
    return to.number(reply.page.foreign).text(reply.page.last_foreign).take();
}

Result<ListReply> parse_list_reply(std::string_view bytes) {
    Unpacker from{bytes};
    ListReply reply{.id = from.number<std::uint32_t>(), .page = {}};
    for (auto left = from.count(page_names_max); left > 0 && !from.is_broken(); --left) {
        auto key = from.text(segment::key_bytes_max);
        reply.page.objects.push_back({.key = std::move(key), .size = from.number<std::uint64_t>()});
    }
    for (auto left = from.count(page_names_max); left > 0 && !from.is_broken(); --left)
        reply.page.prefixes.push_back(from.text(segment::key_bytes_max));
    bool has_next = from.flag();
    auto next = from.text(page_token_bytes_max);
    if (has_next) reply.page.next = std::move(next);
    reply.page.foreign = from.number<std::uint64_t>();
    reply.page.last_foreign = from.text(page_token_bytes_max);
    return whole(from, std::move(reply), "listing");
}

std::string pack(const CallRefused& reply) {
    return begin(MessageKind::refused).number(reply.id).number(static_cast<std::uint8_t>(reply.remedy)).take();
}

Result<CallRefused> parse_call_refused(std::string_view bytes) {
    Unpacker from{bytes};
    CallRefused reply{.id = from.number<std::uint32_t>()};
    auto remedy = from.number<std::uint8_t>();
    if (remedy > static_cast<std::uint8_t>(Remedy::stop)) return broken("remedy");
    reply.remedy = static_cast<Remedy>(remedy);
    return whole(from, reply, "refusal");
}

std::string pack(const AnswerHead& head) {
    return begin(MessageKind::head)
        .number(static_cast<std::uint16_t>(head.status))
        .text(head.content_type)
        .text(head.disposition)
        .number(static_cast<std::uint8_t>(head.coding))
        .number<std::uint8_t>(head.is_streamed)
        .number(head.body_bytes)
        .take();
}

Result<AnswerHead> parse_answer_head(std::string_view bytes) {
    Unpacker from{bytes};
    AnswerHead head{.status = from.number<std::uint16_t>(),
                    .content_type = from.text(content_type_bytes_max),
                    .disposition = from.text(disposition_bytes_max)};
    auto coding = from.number<std::uint8_t>();
    head.is_streamed = from.flag();
    head.body_bytes = from.number<std::uint64_t>();
    if (std::ranges::find(statuses, head.status) == statuses.end()) return broken("status");
    if (std::ranges::find(content_types, head.content_type) == content_types.end()) return broken("content type");
    if (!is_disposition(head.disposition)) return broken("name of a file");
    if (coding > static_cast<std::uint8_t>(http::Coding::zstd)) return broken("coding");
    head.coding = static_cast<http::Coding>(coding);
    return whole(from, std::move(head), "head of an answer");
}

std::string pack_piece(std::string_view bytes) { return begin(MessageKind::piece).text(bytes).take(); }

Result<std::string> parse_piece(std::string_view bytes) {
    Unpacker from{bytes};
    auto piece = from.text(from_cell_bytes_max);
    return whole(from, std::move(piece), "piece of an answer");
}

std::string pack(const AnswerEnd& end) {
    return begin(MessageKind::done)
        .number<std::uint8_t>(end.is_whole)
        .text(std::string_view{end.trouble}.substr(0, trouble_bytes_max))
        .take();
}

Result<AnswerEnd> parse_answer_end(std::string_view bytes) {
    Unpacker from{bytes};
    AnswerEnd end{.is_whole = from.flag(), .trouble = from.text(trouble_bytes_max)};
    return whole(from, std::move(end), "end of an answer");
}

}  // namespace boatswain::cell
