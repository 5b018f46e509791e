#include "open/segment_reader.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <stdexcept>

#include "open/age_reader.h"
#include "open/chain.h"
#include "open/footer.h"
#include "open/text.h"
#include "open/zstd_frame.h"
#include "segment/format.h"

namespace boatswain::open {

// An opener keeps the room of a text for the next one up to this: that of a larger one is rare, and there are many
// openers.
constexpr std::size_t opener_bytes_kept_max = 512U << 10;

struct SegmentReader::State {
    std::optional<AgeReader> age{};  // none: with_footer(), and no frame was read yet
    Footer footer{};
    Bounds bounds{};
    std::string header_mac{};
    std::optional<segment::Chain> chain{};
    std::optional<FrameOpener> opener{};  // made when it is needed
    // To open it later.
    std::uint64_t object_bytes = 0;
    FetchRange fetch{};
    std::span<const Identity> identities{};
    // with_footer(): several threads may need it opened at once.
    std::mutex opening{};
    std::atomic<bool> is_open{false};

    Result<std::string> read(std::uint64_t first, std::uint64_t length, Aead& aead) {
        if (is_open) return age->read(first, length, aead);
        std::unique_lock lock{opening};
        if (!is_open) {
            CHECK(open_age());
            auto bytes = age->read(first, length, aead);
            age->drop_tail();  // nobody was told what it costs
            is_open = true;
            return bytes;
        }
        lock.unlock();
        return age->read(first, length, aead);
    }

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
    auto state = std::make_unique<State>();
    state->age = std::move(age);
    state->footer = std::move(footer);
    state->bounds = bounds;
    state->header_mac = std::move(mac);
    state->chain = std::move(chain);
    state->is_open = true;
    return SegmentReader{std::move(state)};
}

Result<SegmentReader> SegmentReader::with_footer(std::uint64_t object_bytes, FetchRange fetch,
                                                 std::span<const Identity> identities, Footer footer,
                                                 std::string header_mac, const Bounds& bounds) {
    CHECK(check_bounds(footer, object_bytes, bounds));
    CHECK(check_frames(footer, object_bytes));
    auto state = std::make_unique<State>();
    state->footer = std::move(footer);
    state->bounds = bounds;
    state->header_mac = std::move(header_mac);
    state->object_bytes = object_bytes;
    state->fetch = std::move(fetch);
    state->identities = identities;
    return SegmentReader{std::move(state)};
}

Result<std::string> SegmentReader::footer_json() {
    auto& s = *state_;
    CHECK(s.open_age());
    if (!s.opener) s.opener.emplace();
    auto read = [&](std::uint64_t first, std::uint64_t length) { return s.age->read(first, length); };
    return read_footer_json(s.age->plaintext_bytes(), read, s.opener->decompressor_, s.bounds);
}

const std::string& SegmentReader::header_mac() const { return state_->header_mac; }

const Footer& SegmentReader::footer() const { return state_->footer; }
const std::optional<segment::Chain>& SegmentReader::chain() const { return state_->chain; }

Result<std::string> SegmentReader::frame_text(std::size_t index) {
    if (!state_->opener) state_->opener.emplace();
    return frame_text(index, *state_->opener);
}

Result<std::string> SegmentReader::frame_text(std::size_t index, FrameOpener& opener) {
    auto found = Result<std::string>{std::string{}};
    frame_texts(std::span{&index, 1}, opener, [&](std::size_t, Result<std::string*> text) {
        if (text)
            found = std::move(**text);
        else
            found = std::unexpected(std::move(text).error());
        return true;
    });
    return found;
}

// Into opener.text_.
Result<void> SegmentReader::open_text(std::size_t index, std::string_view compressed, FrameOpener& opener) {
    const auto& s = *state_;
    const auto& frame = s.footer.frames[index];
    auto& text = opener.text_;
    CHECK(opener.decompressor_.decompress_into(text, compressed, segment::frame_text_bytes_max, frame.text_bytes));
    TRY(auto source, heading_source(text));
    if (source != s.footer.sources[frame.source].id)
        return fail(Remedy::quarantine, "its heading names another source than the footer");
    if (!text.ends_with('\n')) return fail(Remedy::quarantine, "its text does not end with a newline");
    return {};
}

void SegmentReader::frame_texts(std::span<const std::size_t> frames, FrameOpener& opener, const EachText& each) {
    auto& s = *state_;
    if (frames.empty()) return;
    if (frames.back() >= s.footer.frames.size()) throw std::logic_error{"a frame that the footer does not have"};
    auto first = s.footer.frames[frames.front()].offset;
    const auto& last = s.footer.frames[frames.back()];
    bool too_large = std::ranges::any_of(
        frames, [&](std::size_t index) { return s.footer.frames[index].text_bytes > s.bounds.frame_text_bytes_max; });
    auto plaintext = Result<std::string>{std::string{}};
    if (!too_large) plaintext = s.read(first, last.offset + last.compressed_bytes - first, opener.aead_);
    // What is wrong with one of them is not to cost the others.
    if (frames.size() > 1 && (too_large || (!plaintext && plaintext.error().remedy == Remedy::quarantine))) {
        bool wanted = true;
        for (std::size_t i = 0; i < frames.size() && wanted; ++i)
            frame_texts(frames.subspan(i, 1), opener, [&](std::size_t frame, Result<std::string*> text) {
                return wanted = each(frame, std::move(text));
            });
        return;
    }
    for (auto index : frames) {
        const auto& frame = s.footer.frames[index];
        auto opened = Result<void>{};
        if (too_large)
            opened = fail(Remedy::quarantine, "it says that it holds " + std::to_string(frame.text_bytes) +
                                                  " bytes of text, and at most " +
                                                  std::to_string(s.bounds.frame_text_bytes_max) +
                                                  " are believed; --oversized reads it all the same");
        else if (!plaintext)
            opened = std::unexpected(plaintext.error());
        else
            opened = open_text(index, std::string_view{*plaintext}.substr(frame.offset - first, frame.compressed_bytes),
                               opener);
        auto text = Result<std::string*>{&opener.text_};
        if (!opened)
            text = std::unexpected(std::move(opened).error().within("frame " + std::to_string(index) + " at " +
                                                                    std::to_string(frame.offset)));
        bool wanted = each(index, std::move(text));
        if (opener.text_.capacity() > opener_bytes_kept_max) std::string{}.swap(opener.text_);
        if (!wanted) return;
    }
}

std::uint64_t SegmentReader::footer_memory() const { return sizeof(State) + memory_of(state_->footer); }
std::uint64_t SegmentReader::tail_memory() const { return state_->age ? state_->age->tail_memory() : 0; }
void SegmentReader::drop_tail() {
    if (state_->age) state_->age->drop_tail();
}

}  // namespace boatswain::open
