#include "intake/source/description.h"

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

}  // namespace boatswain::intake
