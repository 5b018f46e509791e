#include "hub/stream_reader.h"

#include "live/proof.h"
#include "open/age_reader.h"
#include "segment/age_format.h"
#include "segment/frame_text.h"

namespace boatswain::hub {
namespace {

constexpr std::size_t parts_max = 64, places_max = 2 * live::sources_max;

std::unexpected<Error> nonsense(std::string_view what) {
    return fail(Remedy::quarantine, "live stream: " + std::string{what});
}

Result<std::string> open_secret(std::string_view age_file, std::span<const open::Identity> identities) {
    auto fetch = [age_file](std::uint64_t first, std::uint64_t length) -> Result<std::string> {
        if (first > age_file.size() || length > age_file.size() - first) return nonsense("its key breaks off");
        return std::string{age_file.substr(first, length)};
    };
    TRY(auto reader, open::AgeReader::open(age_file.size(), fetch, identities));
    if (reader.plaintext_bytes() != live::part_secret_bytes) return nonsense("its key has another length");
    return reader.read(0, live::part_secret_bytes);
}

}  // namespace

StreamReader::StreamReader(StreamOrigin origin, std::span<const open::Identity> identities)
    : origin_(std::move(origin)), identities_(identities) {}

Result<void> StreamReader::begin_part(std::uint32_t number, std::string_view age_file) {
    if (parts_.contains(number) || parts_.size() == parts_max) return nonsense("it has a part twice, or too many");
    Part part;
    auto secret = open_secret(age_file, identities_);
    if (!secret && !open::is_for_others(secret.error())) return std::unexpected(std::move(secret).error());
    part.is_ours = secret.has_value();
    if (secret) {
        WipeAtEnd wiped{*secret};
        *part.key = live::part_key(*secret, origin_.hub_nonce, origin_.tenant, origin_.host, origin_.epoch);
    } else {
        ++for_others_;
    }
    parts_.emplace(number, std::move(part));
    return {};
}

Result<LiveSourcePtr> StreamReader::source_of(const Part& part, std::uint32_t index) const {
    if (index >= part.sources.size()) return nonsense("a record is of a source that it did not name");
    return part.sources[index];
}

Result<std::vector<std::shared_ptr<const LiveLines>>> StreamReader::read(std::uint32_t number,
                                                                         std::string_view sealed) {
    std::vector<std::shared_ptr<const LiveLines>> all;
    auto found = parts_.find(number);
    if (found == parts_.end()) return nonsense("a record is of a part that did not begin");
    auto& part = found->second;
    if (!part.is_ours) return all;
    if (sealed.size() < segment::age_tag_bytes) return nonsense("a record is too short");
    std::string record(sealed.size() - segment::age_tag_bytes, '\0');
    if (!aead_.open(*part.key, live::record_nonce(part.counter++), sealed, record.data()))
        return nonsense("a record does not open");
    TRY(auto items, live::parse_record(record));
    for (auto& item : items) {
        if (auto* source = std::get_if<Source>(&item)) {
            if (part.sources.size() == live::sources_max) return nonsense("it has too many sources");
            source->whose.tenant = origin_.tenant;
            segment::FrameText heading{*source};
            part.sources.push_back(std::make_shared<const LiveSource>(
                LiveSource{.origin = {.tenant = origin_.tenant, .host = origin_.host, .epoch = origin_.epoch},
                           .source = std::move(*source),
                           .heading = std::string{heading.text()}}));
        } else if (const auto* lines = std::get_if<live::LinesItem>(&item)) {
            TRY(auto whose, source_of(part, lines->source));
            auto text = whose->heading;
            text += lines->text;
            auto live = std::make_shared<LiveLines>();
            live->source = std::move(whose);
            live->first_ordinal = lines->first_ordinal;
            live->text = std::move(text);
            all.push_back(std::move(live));
        } else {
            for (const auto& place : std::get<live::Mark>(item).sources) {
                if (places_.size() == places_max) return nonsense("a mark names too many sources");
                TRY(auto whose, source_of(part, place.source));
                places_.push_back({.source = std::move(whose), .next = place.next, .again = place.again});
            }
        }
    }
    return all;
}

}  // namespace boatswain::hub
