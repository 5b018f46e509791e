#include "boatswain/logs_follow.h"

#include <deque>

#include "follow/session.h"

namespace boatswain::tool {

namespace {
constexpr std::chrono::milliseconds look_pause{500};
}  // namespace

Result<void> follow_lines(const FollowReading& reading, const FollowOutput& output) {
    SystemClock clock;
    std::deque<std::function<bool()>> last;
    bool has_history = false;
    auto show = [&](const query::Entry& entry) {
        if (entry.is_end()) return true;
        if (has_history || !reading.tail) return output.show(&entry);
        if (auto one = output.held(entry)) last.push_back(std::move(one));
        if (last.size() > *reading.tail) last.pop_front();
        return true;
    };
    auto read = [&](const query::FilterPtr& filter, const query::TimeRange& range,
                    const std::function<bool(const query::Entry&)>& each) -> Result<void> {
        auto selection = reading.selection;
        selection.range = range;
        selection.numbered = true;
        selection.filter = selection.filter ? query::all_of({selection.filter, filter}) : filter;
        CHECK(query::read_lines(reading.store, reading.identities, selection, reading.limits, reading.observer, each));
        return {};
    };
    follow::FollowSession session{
        nullptr,
        {.show = show,
         .note = output.note,
         .wants = [&](const query::Origin& origin) { return reading.selection.wants(origin); },
         .read = read},
        reading.selection.range.since,
        clock};
    for (;;) {
        CHECK(session.turn(has_history ? look_pause : std::chrono::milliseconds{0}));
        has_history = session.has_history();
        for (const auto& print : std::exchange(last, {}))
            if (!print()) return {};
        if (session.is_over() || !output.show(nullptr)) return {};
    }
}

}  // namespace boatswain::tool
