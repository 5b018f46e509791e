#include "record/source_facts.h"

namespace boatswain {

bool take_word_room(std::size_t& taken, std::string_view key, std::string_view value) {
    auto bytes = key.size() + value.size();
    if (taken + bytes > more_bytes_max) return false;
    taken += bytes;
    return true;
}

std::string_view WordKeeper::bounded_value(std::string_view key, std::string_view value) {
    if (key.size() + value.size() <= word_bytes_max) return value;
    ++facts_.words_too_long;
    return word_too_long;
}

void WordKeeper::label(std::string_view key, std::string_view value) {
    if (filter_.label && filter_.label(key)) {
        facts_.labels.emplace(key, bounded_value(key, value));
    } else if (filter_.more_labels && filter_.more_labels(key) && take_word_room(more_labels_bytes_, key, value)) {
        facts_.labels.emplace(key, value);
    }
}

void WordKeeper::environment(std::string_view entry) {
    auto equals = entry.find('=');
    if (equals == entry.npos || equals == 0) return;
    auto key = entry.substr(0, equals);
    if (filter_.environment && filter_.environment(key))
        facts_.environment.insert_or_assign(std::string{key},
                                            std::string{bounded_value(key, entry.substr(equals + 1))});
}

}  // namespace boatswain
