#include "http/answer_reader.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <cstdint>
#include <limits>
#include <vector>

#include "base/bytes.h"
#include "base/text.h"

namespace boatswain::http {
namespace {

namespace beast = boost::beast::http;
using boost::beast::string_view;
using boost::system::error_code;

std::string_view ours(string_view text) { return {text.data(), text.size()}; }

// Beast calls back with what it finds.
class Parser final : public beast::basic_parser<false> {
  public:
    unsigned status = 0;
    std::string reason;
    std::vector<std::pair<std::string, std::string>> fields;
    std::string* body = nullptr;

  private:
    void on_request_impl(beast::verb, string_view, string_view, int, error_code&) override {}
    void on_response_impl(int code, string_view why, int, error_code& error) override {
        status = static_cast<unsigned>(code);
        reason = ours(why);
        error = {};
    }
    void on_field_impl(beast::field, string_view name, string_view value, error_code& error) override {
        // A trailer's fields come here too, after the head; we have no use for them.
        if (!is_header_done()) fields.emplace_back(lower_case(ours(name)), ours(value));
        error = {};
    }
    // One framing is said once, or two readers see two bodies (RFC 9112 section 6.3, RFC 9110 section 5.3).
    void on_header_impl(error_code& error) override {
        auto told = std::ranges::count(fields, "transfer-encoding", &std::pair<std::string, std::string>::first);
        error = told > 1 ? beast::make_error_code(beast::error::bad_transfer_encoding) : error_code{};
    }
    void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code& error) override { error = {}; }
    std::size_t on_body_impl(string_view bytes, error_code& error) override {
        body->append(bytes.data(), bytes.size());
        error = {};
        return bytes.size();
    }
    void on_chunk_header_impl(std::uint64_t, string_view, error_code& error) override { error = {}; }
    std::size_t on_chunk_body_impl(std::uint64_t, string_view bytes, error_code& error) override {
        body->append(bytes.data(), bytes.size());
        error = {};
        return bytes.size();
    }
    void on_finish_impl(error_code& error) override { error = {}; }
};

}  // namespace

struct AnswerReader::State {
    Parser parser;
    std::string pending;  // not yet understood: part of the head, of a chunk's head or of the trailer
    std::string rest;

    explicit State(bool head_only) {
        parser.skip(head_only);
        parser.header_limit(http_head_bytes_max);
        parser.body_limit(boost::none);
        parser.eager(true);
    }
};

AnswerReader::AnswerReader(bool head_only) : state_(std::make_unique<State>(head_only)) {}
AnswerReader::~AnswerReader() = default;
AnswerReader::AnswerReader(AnswerReader&&) noexcept = default;
AnswerReader& AnswerReader::operator=(AnswerReader&&) noexcept = default;

Result<void> AnswerReader::feed(std::string_view bytes, std::string& body) {
    auto& parser = state_->parser;
    if (!state_->pending.empty()) state_->pending += bytes;
    std::string_view left = state_->pending.empty() ? bytes : std::string_view{state_->pending};
    parser.body = &body;
    error_code code;
    while (!left.empty() && !parser.is_done()) {
        auto used = parser.put(boost::asio::const_buffer{left.data(), left.size()}, code);
        left.remove_prefix(used);
        if (code == beast::error::need_more) {
            code = {};
            if (used == 0) break;
        }
        if (code) return fail(Remedy::quarantine, "the answer is not HTTP: " + printable(code.message()), code);
    }
    if (parser.is_done()) {
        state_->rest += left;
        left = {};
    }
    // A piece that Beast cannot take yet is bounded here: it would otherwise wait for the end of a line for ever.
    auto bound = head_complete() ? http_chunk_head_bytes_max : http_head_bytes_max;
    if (left.size() > bound)
        return fail(Remedy::quarantine, "the answer is not HTTP: its head or a chunk's head has no end");
    state_->pending = std::string{left};
    return {};
}

Result<void> AnswerReader::end() {
    auto& parser = state_->parser;
    if (parser.is_done()) return {};
    error_code code;
    if (state_->pending.empty() && parser.is_header_done()) parser.put_eof(code);
    if (code || !parser.is_done()) return fail(Remedy::back_off, "the answer broke off", code);
    return {};
}

bool AnswerReader::head_complete() const { return state_->parser.is_header_done(); }
bool AnswerReader::complete() const { return state_->parser.is_done(); }
unsigned AnswerReader::status() const { return state_->parser.status; }
std::string_view AnswerReader::reason() const { return state_->parser.reason; }

std::string_view AnswerReader::field(std::string_view name) const {
    auto wanted = lower_case(name);
    for (const auto& [have, value] : state_->parser.fields)
        if (have == wanted) return value;
    return {};
}

std::string& AnswerReader::rest() { return state_->rest; }

}  // namespace boatswain::http
