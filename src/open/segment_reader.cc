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
    Decompressor decompressor;
    Footer footer;
    std::optional<segment::Chain> chain;
};

SegmentReader::SegmentReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
SegmentReader::SegmentReader(SegmentReader&&) noexcept = default;
SegmentReader& SegmentReader::operator=(SegmentReader&&) noexcept = default;
SegmentReader::~SegmentReader() = default;

Result<SegmentReader> SegmentReader::open(std::uint64_t object_bytes, FetchRange fetch,
                                          std::span<const Identity> identities) {
    TRY(auto age, AgeReader::open(object_bytes, std::move(fetch), identities));
    Decompressor decompressor;
    auto read = [&](std::uint64_t first, std::uint64_t length) { return age.read(first, length); };
    TRY(auto footer, read_footer(age.plaintext_bytes(), read, decompressor));
    TRY(auto chain, chain_of(age.header()));
    if (chain) CHECK(check_chain(*chain, footer));
    return SegmentReader{
        std::make_unique<State>(State{std::move(age), std::move(decompressor), std::move(footer), std::move(chain)})};
}

const Footer& SegmentReader::footer() const { return state_->footer; }
const std::optional<segment::Chain>& SegmentReader::chain() const { return state_->chain; }

Result<std::string> SegmentReader::frame_text(std::size_t index) {
    auto& s = *state_;
    if (index >= s.footer.frames.size()) throw std::logic_error{"a frame that the footer does not have"};
    const auto& frame = s.footer.frames[index];
    auto within = [&](Error error) {
        return std::unexpected(
            std::move(error).within("frame " + std::to_string(index) + " at " + std::to_string(frame.offset)));
    };
    auto compressed = s.age.read(frame.offset, frame.compressed_bytes);
    if (!compressed) return within(std::move(compressed).error());
    auto text = s.decompressor.decompress(*compressed, segment::frame_text_bytes_max, frame.text_bytes);
    if (!text) return within(std::move(text).error());
    auto source = heading_source(*text);
    if (!source) return within(std::move(source).error());
    if (*source != s.footer.sources[frame.source].id)
        return within(Error{.remedy = Remedy::quarantine, .what = "its heading names another source than the footer"});
    if (!text->ends_with('\n'))
        return within(Error{.remedy = Remedy::quarantine, .what = "its text does not end with a newline"});
    return text;
}

}  // namespace boatswain::open
