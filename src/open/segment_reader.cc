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
    std::optional<AgeReader> age;  // none: with_footer(), and no frame was read yet
    Footer footer;
    Bounds bounds;
    std::string header_mac;
    std::optional<segment::Chain> chain{};
    std::optional<Decompressor> decompressor{};  // made when it is needed
    // To open it later.
    std::uint64_t object_bytes = 0;
    FetchRange fetch{};
    std::span<const Identity> identities{};

    // A small object comes with one request.
    Result<void> open_age() {
        if (age) return {};
        auto whole = std::make_shared<std::string>();
        if (object_bytes <= opened_whole_bytes_max) {
            TRY(*whole, fetch(0, object_bytes));
            if (whole->size() != object_bytes) return fail(Remedy::quarantine, "the object has another size");
        }
        auto from_whole_or_store = [whole, from = fetch](std::uint64_t first,
                                                         std::uint64_t length) -> Result<std::string> {
            if (whole->empty()) return from(first, length);
            if (first > whole->size()) return std::string{};
            return whole->substr(first, length);
        };
        TRY(auto opened, AgeReader::open(object_bytes, from_whole_or_store, identities));
        std::string{}.swap(*whole);
        if (opened.header().mac != header_mac)
            return fail(Remedy::quarantine, "the object is another one than the roll-up knows");
        CHECK(check_frames(footer, opened.plaintext_bytes()));
        opened.drop_header();
        age.emplace(std::move(opened));
        return {};
    }
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
    auto mac = age.header().mac;
    age.drop_header();
    return SegmentReader{std::make_unique<State>(State{.age = std::move(age),
                                                       .footer = std::move(footer),
                                                       .bounds = bounds,
                                                       .header_mac = std::move(mac),
                                                       .chain = std::move(chain)})};
}

Result<SegmentReader> SegmentReader::with_footer(std::uint64_t object_bytes, FetchRange fetch,
                                                 std::span<const Identity> identities, Footer footer,
                                                 std::string header_mac, const Bounds& bounds) {
    CHECK(check_bounds(footer, object_bytes, bounds));
    CHECK(check_frames(footer, object_bytes));
    return SegmentReader{std::make_unique<State>(State{.age = {},
                                                       .footer = std::move(footer),
                                                       .bounds = bounds,
                                                       .header_mac = std::move(header_mac),
                                                       .object_bytes = object_bytes,
                                                       .fetch = std::move(fetch),
                                                       .identities = identities})};
}

Result<std::string> SegmentReader::footer_json() {
    auto& s = *state_;
    CHECK(s.open_age());
    if (!s.decompressor) s.decompressor.emplace();
    auto read = [&](std::uint64_t first, std::uint64_t length) { return s.age->read(first, length); };
    return read_footer_json(s.age->plaintext_bytes(), read, *s.decompressor, s.bounds);
}

const std::string& SegmentReader::header_mac() const { return state_->header_mac; }

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
    bool opens = !s.age;
    if (auto opened = s.open_age(); !opened) return within(std::move(opened).error());
    auto compressed = s.age->read(frame.offset, frame.compressed_bytes);
    if (opens) drop_tail();  // nobody was told what it costs
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
std::uint64_t SegmentReader::tail_memory() const { return state_->age ? state_->age->tail_memory() : 0; }
void SegmentReader::drop_tail() {
    if (state_->age) state_->age->drop_tail();
}

}  // namespace boatswain::open
