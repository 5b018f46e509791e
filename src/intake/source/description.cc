#include "intake/source/description.h"

#include <algorithm>

namespace boatswain::intake {

std::string_view to_string(Verdict verdict) {
    switch (verdict) {
        case Verdict::collected: return "collected";
        case Verdict::quarantined: return "quarantined";
        case Verdict::dropped: return "dropped";
        case Verdict::held: return "held";
        case Verdict::deriving: return "deriving";
        case Verdict::excluded: return "excluded";
        case Verdict::own: return "own";
        case Verdict::unreadable: return "unreadable";
        case Verdict::not_inspected: return "not-inspected";
    }
    return "unknown";
}

std::vector<Description> find_described(const std::vector<Description>& all, std::string_view wanted) {
    if (wanted.empty()) return {};
    auto those = [&](bool departed, auto&& matches) {
        std::vector<Description> found;
        for (const auto& one : all)
            if (one.ended.has_value() == departed && matches(one)) found.push_back(one);
        return found;
    };
    for (bool departed : {false, true}) {
        // As the engine's own command line resolves it.
        auto found = those(departed, [&](const auto& one) { return one.id == wanted; });
        if (found.empty()) found = those(departed, [&](const auto& one) { return one.name == wanted; });
        if (found.empty())
            found = those(departed, [&](const auto& one) {
                return std::ranges::find(one.former_names, wanted) != one.former_names.end();
            });
        // Of those that are gone, the last one of this name is meant.
        if (departed && found.size() > 1) found.erase(found.begin(), found.end() - 1);
        if (found.empty()) found = those(departed, [&](const auto& one) { return one.id.starts_with(wanted); });
        if (!found.empty()) return found;
    }
    return {};
}

}  // namespace boatswain::intake
