#include "open/segment_reader.h"

#include <stdexcept>

#include "open/age_reader.h"
#include "open/chain.h"
#include "open/footer.h"
#include "open/text.h"
#include "open/zstd_frame.h"
#include "segment/format.h"

namespace boatswain::open {

struct SegmentReader::State {
    AgeReader age;
    Footer footer;
    Bounds bounds;
    std::optional<segment::Chain> chain;
    std::optional<Decompressor> decompressor;  // made when it is needed
};

SegmentReader::SegmentReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
SegmentReader::SegmentReader(SegmentReader&&) noexcept = default;
SegmentReader& SegmentReader::operator=(SegmentReader&&) noexcept = default;
SegmentReader::~SegmentReader() = default;

Result<SegmentReader> SegmentReader::open(std::uint64_t object_bytes, FetchRange fetch,
                                          std::span<const Identity> identities, const Bounds& bounds) {
    TRY(auto age, AgeReader::open(object_bytes, std::move(fetch), identities));
    Decompressor decompressor;
    auto read = [&](std::uint64_t first, std::uint64_t length) { return age.read(first, length); };
    TRY(auto footer, read_footer(age.plaintext_bytes(), read, decompressor, bounds));
    CHECK(check_bounds(footer, object_bytes, bounds));
    TRY(auto chain, chain_of(age.header()));
    if (chain) CHECK(check_chain(*chain, footer));
    age.drop_header();
    return SegmentReader{
        std::make_unique<State>(State{std::move(age), std::move(footer), bounds, std::move(chain), {}})};
}

const Footer& SegmentReader::footer() const { return state_->footer; }
const std::optional<segment::Chain>& SegmentReader::chain() const { return state_->chain; }

Result<std::string> SegmentReader::frame_text(std::size_t index) {
    if (!state_->decompressor) state_->decompressor.emplace();
    return frame_text(index, *state_->decompressor);
}

Result<std::string> SegmentReader::frame_text(std::size_t index, Decompressor& decompressor) {
    auto& s = *state_;
    if (index >= s.footer.frames.size()) throw std::logic_error{"a frame that the footer does not have"};
    const auto& frame = s.footer.frames[index];
    auto within = [&](Error error) {
        return std::unexpected(
            std::move(error).within("frame " + std::to_string(index) + " at " + std::to_string(frame.offset)));
    };
    if (frame.text_bytes > s.bounds.frame_text_bytes_max)
        return within(Error{.remedy = Remedy::quarantine,
                            .what = "it says that it holds " + std::to_string(frame.text_bytes) +
                                    " bytes of text, and at most " + std::to_string(s.bounds.frame_text_bytes_max) +
                                    " are believed; --oversized reads it all the same"});
    auto compressed = s.age.read(frame.offset, frame.compressed_bytes);
    if (!compressed) return within(std::move(compressed).error());
    auto text = decompressor.decompress(*compressed, segment::frame_text_bytes_max, frame.text_bytes);
    if (!text) return within(std::move(text).error());
    auto source = heading_source(*text);
    if (!source) return within(std::move(source).error());
    if (*source != s.footer.sources[frame.source].id)
        return within(Error{.remedy = Remedy::quarantine, .what = "its heading names another source than the footer"});
    if (!text->ends_with('\n'))
        return within(Error{.remedy = Remedy::quarantine, .what = "its text does not end with a newline"});
    return text;
}

std::uint64_t SegmentReader::footer_memory() const { return sizeof(State) + memory_of(state_->footer); }
std::uint64_t SegmentReader::tail_memory() const { return state_->age.tail_memory(); }
void SegmentReader::drop_tail() { state_->age.drop_tail(); }

}  // namespace boatswain::open
