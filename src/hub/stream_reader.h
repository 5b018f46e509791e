// Opens one stream of an agent: its parts with the tenant's identities, its records in their order
// (docs/formats/live.md, "A stream"). What an agent sends is hostile: bounded and checked.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "hub/event.h"
#include "live/record.h"
#include "open/aead.h"
#include "open/identity.h"

namespace boatswain::hub {

// Who sends it, and what its keys are bound to.
struct StreamOrigin {
    TenantId tenant;
    std::string host, epoch, hub_nonce;
};

class StreamReader {
  public:
    // `identities` outlive it.
    StreamReader(StreamOrigin origin, std::span<const open::Identity> identities);

    // A part begins. One that no identity opens is counted, and its records are passed over: they are for others.
    Result<void> begin_part(std::uint32_t part, std::string_view age_file);
    // What a record says; marks are gathered until marked(). Remedy::quarantine: the stream is not what it should be.
    Result<std::vector<std::shared_ptr<const LiveLines>>> read(std::uint32_t part, std::string_view sealed);
    // The places of all parts since the last mark.
    std::vector<Marked::Place> marked() { return std::exchange(places_, {}); }
    std::size_t parts_for_others() const { return for_others_; }

  private:
    struct Part {
        bool is_ours = false;
        SecretValue<crypto::Key32> key{};
        std::uint64_t counter = 0;
        std::vector<LiveSourcePtr> sources{};
    };
    Result<LiveSourcePtr> source_of(const Part& part, std::uint32_t index) const;

    const StreamOrigin origin_;
    std::span<const open::Identity> identities_;
    std::map<std::uint32_t, Part> parts_;
    std::vector<Marked::Place> places_;
    std::size_t for_others_ = 0;
    open::Aead aead_;
};

}  // namespace boatswain::hub
