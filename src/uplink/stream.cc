#include "uplink/stream.h"

#include <algorithm>
#include <array>

#include "crypto/random.h"
#include "live/message.h"
#include "live/proof.h"
#include "segment/age_writer.h"

namespace boatswain::uplink {
namespace {

std::string key_of(const batch::FollowedSource& source) {
    std::string key;
    for (const auto& recipient : source.recipients) key += recipient.str() + "\n";
    return key;
}

}  // namespace

TenantStream::TenantStream(const StreamGround& ground, TenantId tenant, std::uint32_t number, std::string hub_nonce)
    : ground_(ground),
      tenant_(std::move(tenant)),
      number_(number),
      hub_nonce_(std::move(hub_nonce)),
      lines_dropped_(ground.metrics.counter("boatswain_live_dropped_lines_total",
                                            "Lines that a hub did not take in time: they are in the store")) {}

Result<std::unique_ptr<TenantStream>> TenantStream::open(const StreamGround& ground, TenantId tenant,
                                                         std::uint32_t number, std::string hub_nonce,
                                                         std::function<void()> came) {
    std::unique_ptr<TenantStream> stream{new TenantStream{ground, std::move(tenant), number, std::move(hub_nonce)}};
    TRY(stream->following_, ground.batcher.follow(stream->tenant_, std::move(came)));
    return stream;
}

Result<TenantStream::Part*> TenantStream::part_of(const batch::FollowedSource& source, std::string& out) {
    auto key = key_of(source);
    if (auto found = parts_.find(key); found != parts_.end()) return &found->second;
    if (parts_.size() == parts_max) return nullptr;
    std::array<char, live::part_secret_bytes> secret{};
    WipeAtEnd wiped{secret};
    crypto::random_bytes(secret.data(), secret.size());
    std::string_view bytes{secret.data(), secret.size()};
    TRY(auto writer, segment::AgeWriter::begin(source.recipients, bytes.size()));
    writer.append(bytes);
    Part part{.number = static_cast<std::uint32_t>(parts_.size()), .key = {}, .sources = {}, .record = {}};
    *part.key = live::part_key(bytes, hub_nonce_, tenant_, ground_.spool.host(), ground_.spool.epoch());
    live::append_message(out, live::Kind::part,
                         live::to_bytes({.stream = number_, .part = part.number, .bytes = writer.finish()}));
    return &parts_.emplace(std::move(key), std::move(part)).first->second;
}

std::uint32_t TenantStream::source_of(Part& part, const batch::FollowedSourcePtr& source, std::string& out) {
    auto [at, is_new] = part.sources.try_emplace(source, static_cast<std::uint32_t>(part.sources.size()));
    if (is_new) {
        if (part.record.size() >= live::record_bytes) close_record(part, out);
        live::append_item(part.record, source->source);
    }
    return at->second;
}

void TenantStream::close_record(Part& part, std::string& out) {
    if (part.record.empty()) return;
    // Straight to where it is sent from: records are the bulk of what a stream costs.
    live::append_head(out, live::Kind::record, 2 * sizeof(std::uint32_t) + part.record.size() + cipher_.tag_bytes);
    live::append_number(out, number_);
    live::append_number(out, part.number);
    cipher_.seal_to(out, *part.key, live::record_nonce(part.counter++), part.record);
    part.record.clear();
}

Result<void> TenantStream::append_lines(std::string& out) {
    for (const auto& portion : following_->take()) {
        TRY(auto* part, part_of(*portion.source, out));
        if (part == nullptr) continue;
        // Behind so many sources the stream begins again: who is long gone is not remembered for ever.
        if (part->sources.size() >= live::sources_max) return fail(Remedy::stop, "too many sources");
        auto source = source_of(*part, portion.source, out);
        if (part->record.size() + portion.text.size() > live::record_bytes) close_record(*part, out);
        live::append_item(
            part->record,
            live::LinesItem{.source = source, .first_ordinal = portion.first_ordinal, .text = portion.text});
    }
    // Where no later line followed, nobody would miss them.
    if (auto dropped = following_->take_dropped_lines(); dropped > 0) {
        lines_dropped_.add(dropped);
        return fail(Remedy::stop, "lines were dropped: the hub did not take them in time");
    }
    return {};
}

// Nothing is read between the three steps: all of it happens in one turn of the thread.
Result<void> TenantStream::append_mark(std::string& out) {
    auto now = ground_.clock.steady();
    if (wanted_mark_ <= told_mark_ || (marked_at_ && now - *marked_at_ < mark_pause)) return {};
    marked_at_ = now;
    ground_.batcher.seal_tenant(tenant_);
    CHECK(append_lines(out));
    std::map<Part*, live::Mark> marks;
    for (auto* feed : ground_.batcher.feeds_of(tenant_)) {
        const auto& source = feed->followed();
        TRY(auto* part, part_of(*source, out));
        if (part == nullptr) continue;
        if (part->sources.size() >= live::sources_max) return fail(Remedy::stop, "too many sources");
        auto index = source_of(*part, source, out);
        marks[part].sources.push_back(
            {.source = index, .next = feed->handover().lines, .again = !source->unreplayable});
    }
    for (auto& [part, mark] : marks) {
        mark.mark = wanted_mark_;
        live::append_item(part->record, mark);
    }
    for (auto& [key, part] : parts_) close_record(part, out);
    told_mark_ = wanted_mark_;
    live::append_message(out, live::Kind::marked, live::to_json({.stream = number_, .mark = told_mark_}));
    unstored_.push_back({.mark = told_mark_, .orders = ground_.sealing.given()});
    return {};
}

void TenantStream::append_stored(std::string& out) {
    while (!unstored_.empty()) {
        auto& first = unstored_.front();
        if (!first.last_segment) {
            if (ground_.sealing.done() < first.orders) return;
            first.last_segment = ground_.spool.standing(tenant_.str()).last_waiting;
        }
        auto waits = ground_.spool.standing(tenant_.str()).first_waiting;
        if (waits != 0 && waits <= *first.last_segment) return;
        live::append_message(out, live::Kind::stored, live::to_json({.stream = number_, .mark = first.mark}));
        unstored_.erase(unstored_.begin());
    }
}

Result<void> TenantStream::append_due(std::string& out) {
    CHECK(append_lines(out));
    CHECK(append_mark(out));
    for (auto& [key, part] : parts_) close_record(part, out);
    append_stored(out);
    return {};
}

}  // namespace boatswain::uplink
