#include "model/operation.h"

#include <array>

namespace boatswain::model {
namespace {

struct KindOf {
    Kind kind;
    std::string_view name;
    std::uint32_t weight;
};

constexpr std::array<KindOf, kinds> all{{
    {Kind::print, "print", 30},
    {Kind::print_much, "print much", 4},
    {Kind::read, "read", 12},
    {Kind::seal, "seal", 14},
    {Kind::ship, "ship", 12},
    {Kind::ship_some_and_crash, "ship some and crash", 4},
    {Kind::ship_answers_lost, "ship, answers lost", 4},
    {Kind::ship_full, "ship, store full", 2},
    {Kind::ship_refused, "ship, refused", 3},
    {Kind::ship_forbidden, "ship, forbidden", 1},
    {Kind::crash, "crash", 5},
    {Kind::sick_disk, "sick disk", 3},
    {Kind::snapshot, "snapshot", 4},
    {Kind::state_goes_back, "state goes back", 2},
    {Kind::machine_goes_back, "machine goes back", 2},
    {Kind::clone, "clone", 2},
    {Kind::forge, "forge", 4},
    {Kind::forge_garbage, "forge garbage", 1},
    {Kind::clock_jumps, "clock jumps", 3},
    {Kind::key_changes, "key changes", 7},
    {Kind::keys_reload, "keys reload", 4},
    {Kind::damage, "damage", 1},
    {Kind::retry, "retry", 2},
    {Kind::acknowledge, "acknowledge", 1},
    {Kind::look_or_not, "look or not", 1},
}};

constexpr std::uint32_t weights() {
    std::uint32_t sum = 0;
    for (const auto& one : all) sum += one.weight;
    return sum;
}

// Kinds that take something from the promise of "once"; a run without them must be spotless.
bool is_hostile(Kind kind) {
    switch (kind) {
        case Kind::state_goes_back:
        case Kind::machine_goes_back:
        case Kind::clone:
        case Kind::forge:
        case Kind::forge_garbage:
        case Kind::look_or_not: return true;
        default: return false;
    }
}

}  // namespace

std::string Operation::str() const {
    std::string name = "?";
    for (const auto& one : all)
        if (one.kind == kind) name = one.name;
    return name + " " + std::to_string(a) + " " + std::to_string(b);
}

std::string to_text(const Operations& operations) {
    std::string text;
    for (const auto& operation : operations) text += "  " + operation.str() + "\n";
    return text;
}

// Every third run is without what takes from the promise. No distributions of the library: they differ between
// libraries, and a seed must not.
Operations draw(std::uint64_t seed, std::size_t steps) {
    std::mt19937_64 random{seed};
    bool peaceful = seed % 3 == 0;
    Operations operations;
    while (operations.size() < steps) {
        auto at = static_cast<std::uint32_t>(random() % weights());
        Operation drawn{.a = static_cast<std::uint32_t>(random() % 1'000),
                        .b = static_cast<std::uint32_t>(random() % 1'000)};
        for (const auto& one : all) {
            drawn.kind = one.kind;
            if (at < one.weight) break;
            at -= one.weight;
        }
        if (!peaceful || !is_hostile(drawn.kind)) operations.push_back(drawn);
    }
    return operations;
}

}  // namespace boatswain::model
