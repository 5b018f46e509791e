#include "engine/image.h"

#include <algorithm>
#include <utility>

#include "base/json_reader.h"

namespace boatswain::engine {
namespace {

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
    json::parser parser;
    TRY(auto root, json::parse(parser, json, "image"));
    auto fields = json::as_object(root);
    if (!json::get<std::string_view>(fields, "Id")) return fail(Remedy::quarantine, "image: not about an image");
    auto config = json::object_of(fields, "Config");
    if (!config) return ImageFacts{};  // null for one that was imported: it sets nothing
    // The same bounds as a container's, so that a word that is too long is the same word here.
    WordFilter named{.environment = keep.environment, .label = keep.label, .more_labels = {}, .mount = {}};
    SourceFacts kept;
    WordKeeper keeper{named, kept};
    json::for_each_text(config, "Labels", [&](auto key, auto value) { keeper.label(key, value); });
    json::for_each_text(config, "Env", [&](auto entry) { keeper.environment(entry); });
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
