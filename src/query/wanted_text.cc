#include "query/wanted_text.h"

#include "open/text.h"

namespace boatswain::query {

namespace {

// Stops at every line.
class EachLine final : public LineScan {
  public:
    std::size_t next(std::size_t from) override { return from; }
};

}  // namespace

std::optional<std::string> wanted_of(const Selection& selection, const FrameSummary& frame, std::string_view text) {
    if (!selection.filter || selection.filter->match(frame) == Match::all) return std::nullopt;
    std::unique_ptr<LineScan> scan;
    if (frame.frame.counts.gaps == 0) scan = selection.filter->scan(text);
    auto heading = text.substr(0, text.find('\n') + 1);
    if (selection.numbered) {  // each line counts, where there is any that is wanted
        bool is_none = scan && !frame.frame.counts.end && scan->next(heading.size()) >= text.size();
        return is_none ? std::optional<std::string>{""} : std::nullopt;
    }
    if (!scan) scan = std::make_unique<EachLine>();

    open::EntryWalk walk{heading};
    if (!walk.next()) return std::nullopt;
    std::string wanted;
    for (auto at = scan->next(heading.size()); at < text.size(); at = scan->next(at)) {
        auto end = text.find('\n', at) + 1;
        if (end == 0) return std::nullopt;
        auto line = text.substr(at, end - at);
        at = end;
        walk.go_on(line);
        auto entry = walk.next();
        if (!entry) return std::nullopt;
        using Kind = open::TextEntry::Kind;
        if (*entry == nullptr || ((*entry)->kind != Kind::line && (*entry)->kind != Kind::gap)) continue;
        if (!selection.wants({.segment = frame.origin.segment, .source = frame.origin.source, .text = **entry}))
            continue;
        if (wanted.empty()) wanted = heading;
        wanted += line;
    }
    return wanted;
}

}  // namespace boatswain::query
