#include "query/required_text.h"

#include <re2/filtered_re2.h>
#include <re2/re2.h>

#include <algorithm>
#include <string>

#include "query/regex.h"

namespace boatswain::query {
namespace {

// Shorter texts are not looked for. One without a gram still finds lines in what is read.
constexpr int text_bytes_min = 4;
// Of more texts, each is one of many that may stand there.
constexpr std::size_t needed_texts_max = 64;

// RE2 gives its texts in lower case, by Unicode's rules: "K" (the sign of kelvin) as "k", the long s as "s". Where an
// expression can mean such letters, a text's k and s may stand for other bytes.
bool is_plain(std::string_view regex) {
    bool ascii = std::ranges::all_of(regex, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    bool has_escapes = false;
    for (std::size_t at = 0; at + 1 < regex.size(); ++at)
        if (regex[at] == '\\') {
            ++at;
            if (regex[at] == 'x' || regex[at] == 'p' || regex[at] == 'P' || (regex[at] >= '0' && regex[at] <= '7'))
                has_escapes = true;
        }
    // (?i), (?si:...), but not (?:...), (?P<name>...), (?<name>...).
    bool has_flags = false;
    for (auto at = regex.find("(?"); at != std::string_view::npos; at = regex.find("(?", at + 2)) {
        auto after = regex.substr(at + 2);
        has_flags = has_flags || !(after.starts_with(':') || after.starts_with('P') || after.starts_with('<'));
    }
    return ascii && !has_escapes && !has_flags;
}

// The longest piece of `folded` that stands for itself, byte for byte, in both cases.
std::string sure_piece(std::string_view folded, std::string_view unsure) {
    std::string_view longest;
    for (std::size_t at = 0; at < folded.size();) {
        auto is_sure = [&](char c) { return static_cast<unsigned char>(c) < 0x80 && !unsure.contains(c); };
        auto rest = folded.substr(at);
        auto size = static_cast<std::size_t>(std::ranges::find_if_not(rest, is_sure) - rest.begin());
        if (size > longest.size()) longest = rest.substr(0, size);
        at += size + 1;
    }
    return std::string{longest};
}

// Whether nothing can match where these of the tree's texts are all missing.
bool are_needed(const re2::FilteredRE2& tree, const std::vector<bool>& missing) {
    std::vector<int> others, possible;
    for (std::size_t i = 0; i < missing.size(); ++i)
        if (!missing[i]) others.push_back(static_cast<int>(i));
    tree.AllPotentials(others, &possible);
    return possible.empty();
}

bool is_needed(const re2::FilteredRE2& tree, std::size_t text, std::size_t count) {
    std::vector<bool> missing(count);
    missing[text] = true;
    return are_needed(tree, missing);
}

// A few of the texts of which every match holds one: all are tried, and left out one by one where the others suffice.
std::vector<std::string> few_of(const re2::FilteredRE2& tree, const std::vector<std::string>& pieces) {
    std::vector<std::size_t> order;
    std::vector<bool> all(pieces.size());
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        all[i] = pieces[i].size() >= RequiredText::literals_bytes_min;
        if (all[i]) order.push_back(i);
    }
    if (!are_needed(tree, all)) return {};
    std::ranges::sort(order, {}, [&](std::size_t i) { return pieces[i].size(); });
    std::vector<std::string> fewest;
    for (bool shortest_first : {true, false}) {
        auto taken = all;
        for (auto i : order) {
            taken[i] = false;
            if (!are_needed(tree, taken)) taken[i] = true;
        }
        std::vector<std::string> few;
        for (auto i : order)
            if (taken[i]) few.push_back(pieces[i]);
        if (shortest_first || few.size() < fewest.size()) fewest = std::move(few);
        std::ranges::reverse(order);
    }
    if (fewest.size() > RequiredText::literals_max) return {};
    return fewest;
}

}  // namespace

RequiredText::RequiredText() = default;
RequiredText::RequiredText(RequiredText&&) noexcept = default;
RequiredText& RequiredText::operator=(RequiredText&&) noexcept = default;
RequiredText::~RequiredText() = default;

RequiredText RequiredText::of(std::string_view regex) {
    RequiredText required;
    auto text = translated_regex(regex);
    if (!text) return required;
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(regex_memory_max);
    auto tree = std::make_unique<re2::FilteredRE2>(text_bytes_min);
    int id = 0;
    if (tree->Add(*text, options, &id) != re2::RE2::NoError) return required;
    std::vector<std::string> texts;
    tree->Compile(&texts);
    std::string_view unsure = is_plain(regex) ? "" : "kKsS";
    for (const auto& one : texts) required.texts_.push_back(rollup::GramQuery::of_folded(one, unsure));
    if (texts.size() <= needed_texts_max) {
        std::vector<std::string> pieces;
        for (const auto& one : texts) pieces.push_back(sure_piece(one, unsure));
        for (std::size_t i = 0; i < texts.size(); ++i)
            if (pieces[i].size() > required.literal_.size() && is_needed(*tree, i, texts.size()))
                required.literal_ = pieces[i];
        if (required.literal_.empty()) required.literals_ = few_of(*tree, pieces);
    }
    bool says_something = std::ranges::any_of(required.texts_, [](const auto& one) { return one.has_value(); });
    if (says_something) required.tree_ = std::move(tree);
    return required;
}

bool RequiredText::may_be_in(const rollup::GramView& frame) const {
    if (!tree_) return true;
    std::vector<int> there, possible;
    for (std::size_t i = 0; i < texts_.size(); ++i)
        if (!texts_[i] || frame.may_hold(*texts_[i])) there.push_back(static_cast<int>(i));
    tree_->AllPotentials(there, &possible);
    return !possible.empty();
}

}  // namespace boatswain::query
