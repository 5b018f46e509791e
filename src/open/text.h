// The text of a frame (docs/formats/segment.md, "The text of a frame"). for_each_entry() is declared in
// open/segment_reader.h; this is what else reading it needs.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "open/segment_reader.h"
#include "segment/frame_text.h"

namespace boatswain::open {

// The source's id as the heading at the start of `text` says. Remedy::quarantine when there is no heading.
Result<std::string> heading_source(std::string_view text);

// Counts the text of a frame as the writer's FrameText does, to compare with the footer.
Result<segment::FrameCounts> count_text(std::string_view text);

// for_each_entry() for those who cannot stay until the end of the text: a merge of many texts takes one entry of each.
class EntryWalk {
  public:
    explicit EntryWalk(std::string_view text);  // borrowed: a whole text, with its heading
    EntryWalk(EntryWalk&&) noexcept;
    EntryWalk& operator=(EntryWalk&&) noexcept;
    ~EntryWalk();

    // The next entry, valid until the next call; nullptr after the last. After an error the walk is over.
    Result<const TextEntry*> next();

    // For those who hold a part of the text at a time, from the start of a line to the end of one.
    // The entry that next() gave last is given again by the next call.
    void unread();
    // How many bytes of the text are behind that entry.
    std::size_t left() const;
    // Walks on in `text` (borrowed), which is what left() bytes of the old one start with, or what follows it.
    void go_on(std::string_view text);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace boatswain::open
