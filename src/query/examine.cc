#include "query/examine.h"

#include <algorithm>
#include <memory>

#include "base/bytes.h"
#include "crypto/digest.h"
#include "open/age_header.h"
#include "open/chain.h"
#include "open/segment_reader.h"
#include "open/text.h"
#include "query/opened.h"

namespace boatswain::query {

namespace {

constexpr std::uint64_t piece_bytes = 8U << 20;

// The bytes of an object: all of them, or its start and a way to fetch the rest.
struct Bytes {
    std::string held;  // the whole object, or its first piece
    std::uint64_t size = 0;
    std::string sha256;
};

Result<Bytes> fetch(store::Store& store, const std::string& name, std::uint64_t size) {
    crypto::Sha256 hash;
    Bytes bytes{.size = size};
    if (size <= held_bytes_max) {
        TRY(bytes.held, read_exactly(store, name, 0, size));
        hash.update(bytes.held);
    }
    for (std::uint64_t at = 0; size > held_bytes_max && at < size; at += piece_bytes) {
        TRY(auto piece, read_exactly(store, name, at, std::min(piece_bytes, size - at)));
        hash.update(piece);
        if (at == 0) bytes.held = std::move(piece);
    }
    bytes.sha256 = to_hex(hash.finish());
    return bytes;
}

class Examination {
  public:
    Examination(store::Store& store, const segment::ObjectKey& key, std::span<const open::Identity> identities,
                const open::Bounds& bounds)
        : store_(store), key_(key), identities_(identities), bounds_(bounds) {
        found_.name = key.str();
    }

    Result<Examined> run(std::uint64_t size) {
        auto bytes = fetch(store_, found_.name, size);
        if (!bytes) {
            if (!is_of_one_object(bytes.error())) return std::unexpected(std::move(bytes).error().within(found_.name));
            bool gone = bytes.error().remedy == Remedy::re_resolve;
            add(gone ? Fault::missing : Fault::damaged, bytes.error().what);
            return std::move(found_);
        }
        found_.sha256 = bytes->sha256;
        if (!segment::agrees(key_, found_.sha256))
            add(Fault::renamed, "its name says another SHA-256 than it has, " + found_.sha256);
        read_outside(*bytes);
        if (!identities_.empty() && found_.problems.empty()) CHECK(read_inside(*bytes));
        if (identities_.empty()) found_.for_others = true;
        return std::move(found_);
    }

  private:
    void add(Fault fault, std::string_view what) {
        found_.problems.push_back({fault, found_.name + ": " + std::string{what}});
    }

    // What anybody can read.
    void read_outside(const Bytes& bytes) {
        auto chain = open::chain_in(std::string_view{bytes.held}.substr(0, open::age_header_bytes_max));
        if (!chain) return add(Fault::damaged, chain.error().what);
        if (!*chain) return;
        found_.previous_sha256 = (*chain)->previous_sha256;
        if ((*chain)->host != key_.host || (*chain)->epoch != key_.epoch || (*chain)->sequence != key_.sequence)
            add(Fault::renamed, "its header says it is number " + std::to_string((*chain)->sequence) + " of host \"" +
                                    printable((*chain)->host, 64) + "\", epoch \"" + printable((*chain)->epoch, 64) +
                                    "\"");
    }

    // Everything, as far as an identity opens it.
    Result<void> read_inside(const Bytes& bytes) {
        bool store_failed = false;
        auto fetch = [&](std::uint64_t first, std::uint64_t length) -> Result<std::string> {
            if (bytes.held.size() == bytes.size) return bytes.held.substr(first, length);
            auto piece = read_exactly(store_, found_.name, first, length);
            store_failed = !piece && !is_of_one_object(piece.error());
            return piece;
        };
        auto reader = open::SegmentReader::open(bytes.size, fetch, identities_, bounds_);
        if (!reader) {
            if (store_failed) return std::unexpected(std::move(reader).error().within(found_.name));
            found_.for_others = open::is_for_others(reader.error());
            if (!found_.for_others) add(Fault::damaged, reader.error().what);
            return {};
        }
        const auto& footer = reader->footer();
        found_.previous_sha256 = footer.previous_sha256;
        if (auto agrees = check_against_key(footer, key_); !agrees) {
            add(Fault::renamed, agrees.error().what);
            return {};
        }
        for (const auto& source : footer.sources)
            found_.sources.push_back({.id = source.id,
                                      .name = source.name.substr(0, examined_name_bytes_max),
                                      .app = source.whose.app.substr(0, examined_name_bytes_max)});
        for (std::size_t i = 0; i < footer.frames.size(); ++i) {
            auto text = reader->frame_text(i);
            if (!text && store_failed) return std::unexpected(std::move(text).error().within(found_.name));
            if (!text)
                add(Fault::damaged, text.error().what);
            else
                read_frame(i, footer.frames[i], *text);
        }
        found_.opened = found_.problems.empty();
        return {};
    }

    void read_frame(std::size_t index, const open::FooterFrame& frame, std::string_view text) {
        auto where = "frame " + std::to_string(index) + ": ";
        auto counts = open::count_text(text);
        if (!counts) return add(Fault::damaged, where + counts.error().what);
        if (*counts != frame.counts)
            add(Fault::miscounted,
                where + "its text has " + describe(*counts) + " where the footer says " + describe(frame.counts));
        found_.frames.push_back({.source = frame.source,
                                 .first_ordinal = frame.first_ordinal,
                                 .lines = counts->lines,
                                 .message_bytes = counts->message_bytes,
                                 .end = counts->end});
        found_.gap_count += counts->gaps;
        if (counts->gaps > 0) take_gaps(frame.source, text);
    }

    void take_gaps(std::size_t source, std::string_view text) {
        (void)open::for_each_entry(text, [&](const open::TextEntry& entry) {
            if (entry.kind == open::TextEntry::Kind::gap) found_.gaps.push_back({source, entry.gap});
            return found_.gaps.size() < examined_gaps_max;
        });
    }

    static std::string describe(const segment::FrameCounts& counts) {
        auto text = std::to_string(counts.lines) + " lines, " + std::to_string(counts.message_bytes) + " bytes, " +
                    std::to_string(counts.gaps) + " gaps";
        if (!counts.empty()) text += ", " + to_text(counts.first_time) + " to " + to_text(counts.last_time);
        return text + (counts.end ? ", and the end after " + std::to_string(counts.end->lines) + " lines" : "");
    }

    store::Store& store_;
    const segment::ObjectKey& key_;
    std::span<const open::Identity> identities_;
    const open::Bounds& bounds_;
    Examined found_;
};

}  // namespace

std::string_view to_string(Fault fault) {
    switch (fault) {
        case Fault::missing: return "missing";
        case Fault::repeated: return "repeated";
        case Fault::conflict: return "conflict";
        case Fault::damaged: return "damaged";
        case Fault::renamed: return "renamed";
        case Fault::broken_link: return "broken-link";
        case Fault::unopened: return "unopened";
        case Fault::miscounted: return "miscounted";
        case Fault::lines: return "lines";
        case Fault::totals: return "totals";
    }
    return "";
}

Result<Examined> examine(store::Store& store, const segment::ObjectKey& key, std::uint64_t size,
                         std::span<const open::Identity> identities, const open::Bounds& bounds) {
    return Examination{store, key, identities, bounds}.run(size);
}

}  // namespace boatswain::query
