#include "engine/json_splitter.h"

namespace boatswain::engine {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

}  // namespace

void JsonSplitter::feed(std::string_view bytes) {
    if (!broken_) pending_ += bytes;
}

bool JsonSplitter::at_object_start() const {
    for (char c : pending_)
        if (!is_blank(c)) return false;
    return true;
}

Result<std::optional<std::string>> JsonSplitter::next() {
    auto broken = [&](std::string_view why) {
        broken_ = true;
        pending_.clear();
        return fail(Remedy::quarantine, "stream of JSON objects: " + std::string{why});
    };
    if (broken_) return broken("it was broken before");
    if (depth_ == 0) {
        std::size_t blanks = 0;
        while (blanks < pending_.size() && is_blank(pending_[blanks])) ++blanks;
        pending_.erase(0, blanks);
        if (pending_.empty()) return std::nullopt;
        if (pending_.front() != '{') return broken("something else than an object");
    }
    for (; scanned_ < pending_.size(); ++scanned_) {
        if (scanned_ >= bytes_max_) return broken("an object is longer than " + std::to_string(bytes_max_) + " bytes");
        char c = pending_[scanned_];
        if (in_string_) {
            if (escaped_) {
                escaped_ = false;
            } else if (c == '\\') {
                escaped_ = true;
            } else if (c == '"') {
                in_string_ = false;
            }
        } else if (c == '"') {
            in_string_ = true;
        } else if (c == '{') {
            ++depth_;
        } else if (c == '}' && --depth_ == 0) {
            std::string object = pending_.substr(0, scanned_ + 1);
            pending_.erase(0, scanned_ + 1);
            scanned_ = 0;
            return object;
        }
    }
    return std::nullopt;
}

}  // namespace boatswain::engine
