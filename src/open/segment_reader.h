// Reads a segment back, by ranges: the age header, the footer at the end, then only the frames that are wanted.
//
// Object bytes are hostile: every length is checked against what is really there, every frame is bounded, and what does
// not fit is Remedy::quarantine with a sentence that names the object and the place.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "open/aead.h"
#include "open/bounds.h"
#include "open/fetch.h"
#include "open/identity.h"
#include "open/zstd_frame.h"
#include "record/end.h"
#include "record/gap.h"
#include "record/line.h"
#include "record/source.h"
#include "segment/chain.h"
#include "segment/frame_text.h"

namespace boatswain::open {

struct FooterFrame {
    std::size_t source = 0;    // index into Footer::sources
    std::uint64_t offset = 0;  // of the zstd frame in the age plaintext
    std::uint64_t compressed_bytes = 0;
    std::uint64_t text_bytes = 0;
    std::uint64_t first_ordinal = 0;
    segment::FrameCounts counts;
};

// A part of the footer beside its JSON. None has a meaning in version 1; "tokens" is kept for a filter of words.
struct FooterBlob {
    std::string name;
    std::uint64_t offset = 0;  // in the age plaintext
    std::uint64_t bytes = 0;
};

struct Footer {
    int version = 0;
    std::string tenant, host, epoch;  // as the writer said; compare with the key
    std::uint64_t sequence = 0;
    std::string previous_sha256;  // hex; empty for the first of a chain
    Timestamp sealed_at{};
    std::vector<Source> sources;
    std::vector<FooterFrame> frames;
    std::vector<FooterBlob> blobs;
};

// The JSON of a footer (after decompression). Unknown fields are passed over; a version above ours is refused.
Result<Footer> parse_footer(std::string_view json);

// One entry of a frame's text.
struct TextEntry {
    enum class Kind { heading, line, gap, end };
    Kind kind = Kind::line;
    Line line;             // Kind::line; bytes borrowed from the text
    Gap gap;               // Kind::gap
    End end;               // Kind::end
    std::string_view raw;  // the whole text line, without its newline
};

// Walks the text of a frame. Remedy::quarantine at the first line that is none of the format's.
Result<void> for_each_entry(std::string_view text, const std::function<bool(const TextEntry&)>& each);

// Objects up to this size are fetched whole in order to open them: one request instead of several.
inline constexpr std::uint64_t opened_whole_bytes_max = 64U << 10;

// What a thread needs to open frames: one of each.
class FrameOpener {
  private:
    friend class SegmentReader;
    Aead aead_;
    Decompressor decompressor_;
    std::string text_;
};

// Not for several threads at once, but for frame_text() and frame_texts() with openers: these may be called by several
// at once, while nothing else is.
class SegmentReader {
  public:
    // Opens with the first of `identities` that fits; none fits: Remedy::stop ("no identity given opens this object").
    // Fetches only the age header and the tail. A chain stanza that does not agree with the footer is refused; so is
    // an object that is not within `bounds`.
    static Result<SegmentReader> open(std::uint64_t object_bytes, FetchRange fetch,
                                      std::span<const Identity> identities, const Bounds& bounds = {});
    // With a footer that is known already, and the MAC of the object's age header (32 bytes): nothing is fetched until a
    // frame is read. An object with another header is Remedy::quarantine then. `identities` must outlive the reader.
    static Result<SegmentReader> with_footer(std::uint64_t object_bytes, FetchRange fetch,
                                             std::span<const Identity> identities, Footer footer,
                                             std::string header_mac, const Bounds& bounds = {});
    SegmentReader(SegmentReader&&) noexcept;
    SegmentReader& operator=(SegmentReader&&) noexcept;
    ~SegmentReader();

    const Footer& footer() const;
    // The footer's JSON, read once more; and the MAC of the age header, 32 bytes.
    Result<std::string> footer_json();
    const std::string& header_mac() const;
    // What the header says of the chain; nothing for a segment that was written without, and with_footer().
    const std::optional<segment::Chain>& chain() const;
    // The text of frame `index` of the footer: fetched, opened, decompressed, checked against the footer.
    Result<std::string> frame_text(std::size_t index);
    // The same with an opener that many segments share: who holds thousands of them opened cannot keep one of each.
    Result<std::string> frame_text(std::size_t index, FrameOpener& opener);
    // The texts of `frames`, which ascend: the bytes from the first to the last are fetched at once. Each text, or what
    // is wrong with it, goes to `each`, until that returns false; the text may be taken away.
    using EachText = std::function<bool(std::size_t frame, Result<std::string*> text)>;
    void frame_texts(std::span<const std::size_t> frames, FrameOpener& opener, const EachText& each);

    // What the footer costs to hold, and what the end of the object does, which is kept since it may hold frames.
    std::uint64_t footer_memory() const;
    std::uint64_t tail_memory() const;
    // Gives up the end of the object: frames in it will be fetched like others.
    void drop_tail();

  private:
    Result<void> open_text(std::size_t index, std::string_view compressed, FrameOpener& opener);

    struct State;
    explicit SegmentReader(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace boatswain::open
