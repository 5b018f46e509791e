// What the spool keeps of a source beside its checkpoint, so that its tenant can be told what became of it: after a
// restart nobody else may know any more whose it was.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "crypto/recipient.h"
#include "record/source.h"

namespace boatswain::spool {

struct ResumeRecord {
    Source source;
    std::vector<crypto::Recipient> recipients;  // its lines were sealed for these last
    Timestamp last_time{};                      // of its last line that is sealed
    bool ended = false;                         // it had stopped, and its log was read to its end

    bool operator==(const ResumeRecord&) const = default;
};

// Source and recipients as text, and back. Fields are "SIZE:BYTES": whatever a label holds comes back as it was.
std::string known_text(const ResumeRecord& known);
std::optional<ResumeRecord> parse_known(std::string_view id, std::string_view text);

}  // namespace boatswain::spool
