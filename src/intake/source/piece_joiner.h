// Joins the pieces into which the engine cuts long lines.
//
// The engine hands its log driver a line in pieces of 16 KiB; all pieces of one line carry the time of its start, and
// only the last one ends in a newline (measured; shared by json-file, local and every plugin). A piece without a
// newline that is shorter than 16 KiB is the end of a stream: nothing will continue it.
//
// Invariant: what is pending is in no frame yet, so a position that is saved while something is pending must lie before
// it.
#pragma once

#include <string>
#include <string_view>

#include "record/line.h"
#include "segment/frame_text.h"

namespace boatswain::intake {

inline constexpr std::size_t engine_piece_bytes = 16U << 10;

// Into what pieces whoever writes a log cuts long lines.
struct PieceForm {
    // A piece that is shorter, and does not end its line, is the last one of its stream.
    std::size_t bytes_min = engine_piece_bytes;
    bool share_time = true;  // all pieces of a line carry its time
};

class PieceJoiner {
  public:
    explicit PieceJoiner(PieceForm form = {}) : form_(form) {}

    // True when a line of `bytes`, ended by a newline or too short to be continued, needs no joining: the caller may
    // write it to the frame itself.
    bool is_whole(Stream stream, bool newline, std::size_t bytes) const {
        return at(stream).bytes.empty() && (newline || bytes < form_.bytes_min);
    }

    // Adds a piece of one line (no newline inside). Writes what becomes complete to `frame`. True when what is pending
    // of the stream afterwards begins with this very piece: reading again must begin there.
    bool add(segment::FrameText& frame, Stream stream, Timestamp time, std::string_view bytes, bool newline);

    // Nothing will continue what is pending: writes it as partial.
    void end(segment::FrameText& frame);
    void end(segment::FrameText& frame, Stream stream);

    // Forgets what is pending: it will be read again.
    void forget();

    // Memory that what is pending takes.
    std::size_t pending_bytes() const { return at(Stream::out).memory() + at(Stream::err).memory(); }
    bool pending() const { return pending(Stream::out) || pending(Stream::err); }
    bool pending(Stream stream) const { return !at(stream).bytes.empty(); }
    Timestamp pending_time(Stream stream) const { return at(stream).time; }  // of the line that is pending

  private:
    struct Pending {
        std::string bytes;
        Timestamp time{};

        // Gives the memory back, which an assignment of an empty string would keep.
        void clear() { std::string{}.swap(bytes); }
        // Bytes on the heap; short strings lie in the object itself.
        std::size_t memory() const { return bytes.capacity() > std::string{}.capacity() ? bytes.capacity() : 0; }
    };
    Pending& at(Stream stream) { return pending_[stream == Stream::out ? 0 : 1]; }
    const Pending& at(Stream stream) const { return pending_[stream == Stream::out ? 0 : 1]; }

    const PieceForm form_;
    Pending pending_[2];
};

}  // namespace boatswain::intake
