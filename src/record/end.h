// The closing record of a source: nothing of it follows, and so much it has printed in all.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/time.h"

namespace boatswain {

struct End {
    Timestamp time{};
    std::string reason;                  // one word with dashes: "removed", "reassigned"
    std::optional<int> exit_code;        // nothing where the engine did not say
    std::uint64_t lines = 0;             // of the source since its first one, pieces counted each
    std::optional<std::uint64_t> bytes;  // of their messages; nothing where that is not known

    bool operator==(const End&) const = default;
};

// The container is gone, and what its log held was read to its end.
inline constexpr const char* end_removed = "removed";
// The container goes on; its lines are another tenant's from here on.
inline constexpr const char* end_reassigned = "reassigned";

// The container is gone: it had ended and was read to its end when the agent ended, and was removed before the agent
// came back.
inline constexpr const char* end_removed_while_away = "removed-while-away";

}  // namespace boatswain
