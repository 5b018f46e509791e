#include "intake/source/piece_joiner.h"

namespace boatswain::intake {

bool PieceJoiner::add(segment::FrameText& frame, Stream stream, Timestamp time, std::string_view bytes, bool newline) {
    auto& pending = at(stream);
    // Another time: another line. What was pending ended without its newline, as at the end of a container's run. And a
    // line over the bound is stored in parts, cut between pieces, so that each part can be read again by itself.
    if (!pending.bytes.empty() &&
        ((form_.share_time && pending.time != time) || pending.bytes.size() + bytes.size() > line_bytes_max))
        end(frame, stream);

    bool continues = !newline && bytes.size() >= form_.bytes_min;
    if (continues) {
        bool first = pending.bytes.empty();
        if (first) pending.time = time;
        pending.bytes.append(bytes);
        return first;
    }
    if (pending.bytes.empty()) {
        frame.append(Line{.time = time, .stream = stream, .partial = !newline, .bytes = bytes});
        return false;
    }
    pending.bytes.append(bytes);
    frame.append(Line{.time = pending.time, .stream = stream, .partial = !newline, .bytes = pending.bytes});
    pending.clear();
    return false;
}

void PieceJoiner::end(segment::FrameText& frame, Stream stream) {
    auto& pending = at(stream);
    if (pending.bytes.empty()) return;
    frame.append(Line{.time = pending.time, .stream = stream, .partial = true, .bytes = pending.bytes});
    pending.clear();
}

void PieceJoiner::end(segment::FrameText& frame) {
    end(frame, Stream::out);
    end(frame, Stream::err);
}

void PieceJoiner::forget() {
    for (auto& pending : pending_) pending.clear();
}

}  // namespace boatswain::intake
