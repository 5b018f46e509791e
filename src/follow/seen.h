// How far each source was shown: joins history and live lines by source and ordinal, never by time.
//
// Sources of one name on different hosts, or under different epochs, are counted apart: their ordinals are.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "query/filter.h"

namespace boatswain::follow {

// Sources that one who follows may meet; more are refused.
inline constexpr std::size_t sources_max = 20'000;

std::string key_of(const segment::ObjectKey& origin, std::string_view source);

// Belongs to one thread.
class Seen {
  public:
    enum class Is { next, seen, beyond };
    // A line: the next one of its source; one that was shown; or one behind lines that were not. Of a source that was not
    // met the next line is the first, ordinal 0.
    Is line(const std::string& key, std::uint64_t ordinal) const;
    // What is no line stands before the line with its ordinal. False: it was shown.
    bool shows_note(const std::string& key, std::uint64_t ordinal, bool is_end) const;
    void show_line(const std::string& key, std::uint64_t ordinal);
    void show_note(const std::string& key, std::uint64_t ordinal, bool is_end);
    // All before `next` was shown, or is not wanted.
    void pass_to(const std::string& key, std::uint64_t next);
    // The ordinals from `next` on are used again for other lines.
    void begin_again(const std::string& key, std::uint64_t next);
    std::uint64_t next(const std::string& key) const;
    std::size_t size() const { return sources_.size(); }

  private:
    struct Place {
        std::uint64_t next = 0;
        std::optional<std::uint64_t> gap_before;  // the last gap that was shown stands before this line
        bool ended = false;
    };
    std::map<std::string, Place, std::less<>> sources_;
};

// What of the store has to be shown: of each source what is between two ordinals, of whole hosts nothing.
struct Wanted {
    struct Range {
        std::uint64_t from = 0;
        std::uint64_t to = UINT64_MAX;
    };
    std::map<std::string, Range, std::less<>> sources;  // by key_of(); others: all
    std::set<std::string> not_hosts;                    // their lines come live
    std::set<std::string> only_hosts;                   // of no others; empty: of all
};

// A filter for numbered selections.
query::FilterPtr wanted(Wanted what);

}  // namespace boatswain::follow
