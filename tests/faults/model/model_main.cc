// model_test [--seed N] [--runs N] [--steps N] [--expect-finding]: random operations on real machines, and on a plain
// model of them.
//
// A run that does not agree with the model is printed with its seed, and with the fewest operations that still do not.
// With --expect-finding the tester is tested: it passes when one of the runs finds something.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "model/world.h"

namespace boatswain::model {
namespace {

struct Wish {
    std::uint64_t seed = 1;
    std::uint64_t runs = 30;
    std::size_t steps = 40;
    bool expects_finding = false;
};

std::vector<std::string> run(const Operations& operations) {
    try {
        World world;
        for (const auto& operation : operations) world.apply(operation);
        world.come_to_rest();
        return world.findings();
    } catch (const std::exception& bug) {
        return {std::string{"exception: "} + bug.what()};
    }
}

// Leaves out as much as it can while something is still found: halves, quarters, ... single operations.
Operations shrink(Operations operations, unsigned tries) {
    for (auto size = operations.size() / 2; size > 0; size /= 2) {
        for (std::size_t at = 0; at < operations.size();) {
            auto fewer = operations;
            auto from = fewer.begin() + static_cast<std::ptrdiff_t>(at);
            fewer.erase(from, from + static_cast<std::ptrdiff_t>(std::min(size, operations.size() - at)));
            if (tries-- == 0) return operations;
            if (run(fewer).empty())
                at += size;
            else
                operations = std::move(fewer);
        }
    }
    return operations;
}

void print(const std::vector<std::string>& findings) {
    constexpr std::size_t shown_max = 20;
    for (std::size_t i = 0; i < findings.size() && i < shown_max; ++i) std::printf("  %s\n", findings[i].c_str());
    if (findings.size() > shown_max) std::printf("  and %zu more\n", findings.size() - shown_max);
}

int run_all(const Wish& wish) {
    constexpr unsigned tries_max = 150;
    std::uint64_t found = 0;
    for (auto seed = wish.seed; seed < wish.seed + wish.runs; ++seed) {
        auto operations = draw(seed, wish.steps);
        auto findings = run(operations);
        if (findings.empty()) continue;
        ++found;
        if (wish.expects_finding) {
            std::printf("found with seed %llu:\n", static_cast<unsigned long long>(seed));
            print(findings);
            return 0;
        }
        std::printf("seed %llu, %zu steps:\n", static_cast<unsigned long long>(seed), wish.steps);
        print(findings);
        std::fflush(stdout);
        auto fewest = shrink(operations, tries_max);
        std::printf("of these operations it is still found:\n%s", to_text(fewest).c_str());
        print(run(fewest));
        std::fflush(stdout);
    }
    std::printf("%llu runs of %zu steps, from seed %llu: %llu do not agree with the model\n",
                static_cast<unsigned long long>(wish.runs), wish.steps, static_cast<unsigned long long>(wish.seed),
                static_cast<unsigned long long>(found));
    return found > 0 || wish.expects_finding ? 1 : 0;
}

std::uint64_t number(const char* text) {
    if (text == nullptr) throw std::invalid_argument{"a number is missing"};
    return std::stoull(text);
}

}  // namespace
}  // namespace boatswain::model

int main(int count, char** arguments) {
    boatswain::model::Wish wish;
    for (int i = 1; i < count; ++i) {
        std::string_view option = arguments[i];
        if (option == "--expect-finding")
            wish.expects_finding = true;
        else if (option == "--seed")
            wish.seed = boatswain::model::number(arguments[++i]);
        else if (option == "--runs")
            wish.runs = boatswain::model::number(arguments[++i]);
        else if (option == "--steps")
            wish.steps = boatswain::model::number(arguments[++i]);
        else {
            std::fprintf(stderr, "usage: see the top of model_main.cc\n");
            return 2;
        }
    }
    return boatswain::model::run_all(wish);
}
