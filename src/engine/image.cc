#include "engine/image.h"

#include <simdjson.h>

#include <algorithm>
#include <utility>

namespace boatswain::engine {
namespace {

namespace dom = simdjson::dom;

// Absent, null or of another type: the image says nothing there.
template <class T>
bool get(const dom::object& fields, std::string_view key, T& value) {
    dom::element found;
    return !fields[key].get(found) && !found.get(value);
}

std::size_t bytes_of(const std::map<std::string, std::string>& words) {
    std::size_t bytes = 0;
    for (const auto& [key, value] : words) bytes += key.size() + value.size();
    return bytes;
}

void drop_same(std::map<std::string, std::string>& words, const std::map<std::string, std::string>& of_image) {
    std::erase_if(words, [&](const auto& word) {
        auto found = of_image.find(word.first);
        return found != of_image.end() && found->second == word.second;
    });
}

}  // namespace

bool is_image_id(std::string_view text) {
    constexpr std::string_view before = "sha256:";
    constexpr std::size_t digits = 64;
    return text.starts_with(before) && text.size() == before.size() + digits &&
           std::ranges::all_of(text.substr(before.size()),
                               [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

Result<ImageFacts> parse_image(std::string_view json, const WordFilter& keep) {
    dom::parser parser;
    dom::element root;
    if (auto error = parser.parse(json.data(), json.size()).get(root))
        return fail(Remedy::quarantine, std::string{"image: not JSON: "} + simdjson::error_message(error));
    dom::object fields;
    std::string_view id;
    if (root.get(fields) || !get(fields, "Id", id)) return fail(Remedy::quarantine, "image: not about an image");
    dom::object config;
    if (!get(fields, "Config", config)) return ImageFacts{};  // null for one that was imported: it sets nothing
    // The same bounds as a container's, so that a word that is too long is the same word here.
    WordFilter named{.environment = keep.environment, .label = keep.label, .more_labels = {}, .mount = {}};
    SourceFacts kept;
    WordKeeper keeper{named, kept};
    std::string_view text;
    if (dom::object labels; get(config, "Labels", labels))
        for (auto [key, value] : labels)
            if (!value.get(text)) keeper.label(key, text);
    if (dom::array entries; get(config, "Env", entries))
        for (auto entry : entries)
            if (!entry.get(text)) keeper.environment(text);
    if (bytes_of(kept.labels) + bytes_of(kept.environment) > image_words_bytes_max)
        return fail(Remedy::quarantine, "image: its labels and variables are longer than " +
                                            std::to_string(image_words_bytes_max) + " bytes");
    return ImageFacts{.labels = std::move(kept.labels), .environment = std::move(kept.environment)};
}

SourceFacts without_words_of(const ImageFacts& image, SourceFacts container) {
    drop_same(container.labels, image.labels);
    drop_same(container.environment, image.environment);
    return container;
}

SourceFacts without_words(SourceFacts container) {
    container.labels.clear();
    container.environment.clear();
    return container;
}

}  // namespace boatswain::engine
