// What can happen, as values: drawn by chance, printed, left out one by one.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace boatswain::model {

enum class Kind {
    print,
    print_much,
    read,
    seal,
    ship,
    ship_some_and_crash,  // killed after a few puts
    ship_answers_lost,
    ship_full,
    ship_refused,
    ship_forbidden,
    crash,
    sick_disk,
    snapshot,
    state_goes_back,
    machine_goes_back,
    clone,
    forge,
    forge_garbage,
    clock_jumps,
    key_changes,
    keys_reload,
    damage,
    retry,
    acknowledge,
    look_or_not,  // credentials that may put alone, and back
};
inline constexpr std::size_t kinds = 25;

struct Operation {
    Kind kind = Kind::print;
    std::uint32_t a = 0, b = 0;  // which machine, tenant, number: each operation takes from them what it needs

    std::string str() const;
};

using Operations = std::vector<Operation>;

std::string to_text(const Operations& operations);
// Some kinds are drawn more often than others. Of each seed, the same on every machine.
Operations draw(std::uint64_t seed, std::size_t steps);

}  // namespace boatswain::model
