#include "api/questions.h"

#include "api/asking.h"

namespace boatswain::api {

http::Answer error_answer(int status, std::string_view what) {
    return {.status = status, .body = std::string{what} + "\n"};
}

http::Answer json_answer(std::string body) { return {.content_type = "application/json", .body = std::move(body)}; }

Reply answer(const Question& question, const Sources& sources, const std::atomic<bool>& given_up,
             http::PieceWriter* out) {
    auto reply = Asking{question, sources, given_up, out}.reply();
    http::encode_whole(reply.answer, question.coding);
    return reply;
}

}  // namespace boatswain::api
