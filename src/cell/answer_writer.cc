#include "cell/answer_writer.h"

#include <algorithm>

namespace boatswain::cell {
namespace {

std::string_view field_of(const http::Answer& answer, std::string_view name) {
    auto field = std::ranges::find(answer.fields, name, &std::pair<std::string, std::string>::first);
    return field == answer.fields.end() ? std::string_view{} : std::string_view{field->second};
}

AnswerHead head_of(const http::Answer& answer) {
    auto coding = field_of(answer, "Content-Encoding");
    return {
        .status = answer.status,
        .content_type = answer.content_type,
        .disposition = std::string{field_of(answer, "Content-Disposition")},
        .coding = coding.empty() ? http::Coding::none : (coding == "gzip" ? http::Coding::gzip : http::Coding::zstd)};
}

}  // namespace

Result<void> ChannelWriter::send_pieces(std::string_view bytes) {
    while (!bytes.empty()) {
        auto piece = bytes.substr(0, piece_bytes);
        bytes.remove_prefix(piece.size());
        CHECK(channel_.send(pack_piece(piece)));
    }
    return {};
}

bool ChannelWriter::take(std::string piece) {
    if (!has_sent_) {
        auto head = head_of(head_);
        head.is_streamed = true;
        if (!channel_.send(pack(head))) return false;
        has_sent_ = true;
    }
    // An empty one is sent, too: the answer has begun.
    return piece.empty() ? channel_.send(pack_piece({})).has_value() : send_pieces(piece).has_value();
}

Result<void> ChannelWriter::end(api::Reply reply) {
    if (!has_sent_) {
        auto head = head_of(reply.answer);
        head.body_bytes = reply.answer.body.size();
        CHECK(channel_.send(pack(head)));
        CHECK(send_pieces(reply.answer.body));
    }
    return channel_.send(pack(AnswerEnd{.is_whole = reply.is_whole, .trouble = std::move(reply.trouble)}));
}

}  // namespace boatswain::cell
