// What a server and one of its cells say to each other about one question (docs/formats/cell.md). Values, written and
// read; no I/O.
//
// Both ends are the same program, but what reads hostile bytes may have become somebody else's: what comes from a cell
// is bounded and checked here, all of it. Errors are Remedy::quarantine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/questions.h"
#include "base/result.h"
#include "store/store.h"

namespace boatswain::cell {

enum class MessageKind : std::uint8_t {
    // to the cell
    question = 1,
    bytes = 2,    // of an object
    listing = 3,  // a page of names
    refused = 4,  // the store, or the server, gives neither
    // from the cell
    read = 16,
    list = 17,
    head = 18,   // of the answer
    piece = 19,  // of its body
    done = 20,
};

// A read that is longer is asked for in parts.
inline constexpr std::uint64_t read_bytes_max = 4U << 20;
inline constexpr std::size_t to_cell_bytes_max = read_bytes_max + (1U << 20);
inline constexpr std::size_t from_cell_bytes_max = 256U << 10;
inline constexpr std::size_t page_names_max = 2'000;
inline constexpr std::size_t page_token_bytes_max = 4096;
inline constexpr std::size_t trouble_bytes_max = 4096;
inline constexpr std::size_t question_text_bytes_max = 512U << 10;

struct ReadCall {
    std::uint32_t id = 0;
    std::string key;
    store::Range range;
};
struct ListCall {
    std::uint32_t id = 0;
    std::string prefix;
    bool delimited = false;
    std::optional<std::string> next;
};
struct ReadReply {
    std::uint32_t id = 0;
    store::RangeBytes range;
};
struct ListReply {
    std::uint32_t id = 0;
    store::ListPage page;
};
// Why is the server's business; what to do is the cell's.
struct CallRefused {
    std::uint32_t id = 0;
    Remedy remedy = Remedy::stop;
};

struct AnswerHead {
    int status = 200;
    std::string content_type;
    std::string disposition;  // Content-Disposition; empty: none
    http::Coding coding = http::Coding::none;
    bool is_streamed = false;      // its length is not known
    std::uint64_t body_bytes = 0;  // else
};
struct AnswerEnd {
    bool is_whole = true;
    std::string trouble;  // for the server's log
};

std::string pack(const api::Question& question);
std::string pack(const ReadCall& call);
std::string pack(const ListCall& call);
std::string pack(const ReadReply& reply);
std::string pack(const ListReply& reply);
std::string pack(const CallRefused& reply);
std::string pack(const AnswerHead& head);
std::string pack_piece(std::string_view bytes);
std::string pack(const AnswerEnd& end);

// Of the bytes behind a message's head. The question is for `tenant`, whatever it is about.
Result<api::Question> parse_question(std::string_view bytes, const TenantId& tenant);
Result<ReadCall> parse_read_call(std::string_view bytes);
Result<ListCall> parse_list_call(std::string_view bytes);
Result<ReadReply> parse_read_reply(std::string_view bytes);
Result<ListReply> parse_list_reply(std::string_view bytes);
Result<CallRefused> parse_call_refused(std::string_view bytes);
// Only statuses, types and fields that our routes give: a cell makes no page of HTML, and no field of its own.
Result<AnswerHead> parse_answer_head(std::string_view bytes);
Result<std::string> parse_piece(std::string_view bytes);
Result<AnswerEnd> parse_answer_end(std::string_view bytes);

}  // namespace boatswain::cell
