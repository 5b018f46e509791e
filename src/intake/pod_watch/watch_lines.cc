#include "intake/pod_watch/watch_lines.h"

#include <utility>

namespace boatswain::intake::cri {

void WatchLines::take(std::string_view bytes, const std::function<void(std::string line)>& each) {
    while (!bytes.empty()) {
        auto end = bytes.find('\n');
        auto piece = bytes.substr(0, end);
        bytes.remove_prefix(end == bytes.npos ? bytes.size() : end + 1);
        if (!leaving_out_ && begun_.size() + piece.size() > watch_line_bytes_max) {
            leaving_out_ = true;
            ++too_long_;
            std::string{}.swap(begun_);
        }
        if (!leaving_out_) begun_ += piece;
        if (end == bytes.npos) return;
        if (!std::exchange(leaving_out_, false) && !begun_.empty()) each(std::exchange(begun_, {}));
    }
}

void WatchLines::begin_again() {
    std::string{}.swap(begun_);
    leaving_out_ = false;
}

}  // namespace boatswain::intake::cri
