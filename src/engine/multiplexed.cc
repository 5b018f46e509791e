#include "engine/multiplexed.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"

namespace boatswain::engine {
namespace {

constexpr unsigned char type_err = 2;
constexpr unsigned char type_engine_message = 3;

}  // namespace

void MultiplexedParser::deliver(std::string_view payload, const OnPayload& on_payload, const OnMessage& on_message) {
    remaining_ -= payload.size();
    bool frame_end = remaining_ == 0;
    if (type_ == type_engine_message) {
        if (on_message) on_message(payload, frame_end);
    } else {
        on_payload(type_ == type_err ? Stream::err : Stream::out, payload, frame_end);
    }
}

Result<void> MultiplexedParser::feed(std::string_view bytes, const OnPayload& on_payload, const OnMessage& on_message) {
    if (broken_) return fail(Remedy::quarantine, "multiplexed stream: framing was lost before");
    while (!bytes.empty()) {
        if (remaining_ == 0) {
            auto take = std::min(bytes.size(), sizeof header_ - header_used_);
            std::memcpy(header_ + header_used_, bytes.data(), take);
            header_used_ += take;
            bytes.remove_prefix(take);
            if (header_used_ < sizeof header_) return {};
            header_used_ = 0;
            if (header_[0] > type_engine_message || header_[1] || header_[2] || header_[3]) {
                broken_ = true;
                return fail(Remedy::quarantine, "multiplexed stream: no frame header: " +
                                                    to_hex({reinterpret_cast<const char*>(header_), sizeof header_}));
            }
            type_ = header_[0];
            remaining_ = std::uint64_t{header_[4]} << 24 | std::uint64_t{header_[5]} << 16 |
                         std::uint64_t{header_[6]} << 8 | std::uint64_t{header_[7]};
            if (remaining_ == 0) deliver({}, on_payload, on_message);
        } else {
            auto payload = bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, bytes.size())));
            bytes.remove_prefix(payload.size());
            deliver(payload, on_payload, on_message);
        }
    }
    return {};
}

}  // namespace boatswain::engine
