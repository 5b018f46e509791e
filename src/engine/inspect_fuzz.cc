// All readers of the engine's JSON take any bytes; what they accept keeps its promises.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "engine/container.h"
#include "engine/image.h"
#include "engine/json_splitter.h"

using namespace boatswain;
using namespace boatswain::engine;

namespace {

void require(bool kept) {
    if (!kept) std::abort();
}

void check_id(const std::string& id) {
    require(id.size() == container_id_size);
    require(std::ranges::all_of(id, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }));
}

void check(const boatswain::Result<ContainerFacts>& facts) {
    if (!facts) return;
    check_id(facts->id);
    require(facts->log_path.empty() ||
            (facts->log_path.front() == '/' && facts->log_path.find("/../") == std::string::npos));
    for (const auto& [key, value] : facts->environment)
        require(key.starts_with('T') && (value == word_too_long || key.size() + value.size() <= word_bytes_max));
    std::size_t bytes = 0;
    for (const auto& [key, value] : facts->labels) {
        require(key.starts_with('T'));
        bytes += key.size() + value.size();
    }
    require(bytes <= more_bytes_max);
    require(facts->mounts.size() <= mounts_max);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view text{reinterpret_cast<const char*>(data), size};
    WordFilter::Keeps keeps = [](std::string_view key) { return key.starts_with('T'); };
    WordFilter keep{.environment = keeps, .label = {}, .more_labels = keeps, .mount = keeps};
    check(parse_inspect(text, keep));
    check(parse_config_v2(text, text, keep));
    if (auto image = parse_image(text, keep))
        for (const auto& [key, value] : image->environment)
            require(key.starts_with('T') && key.size() + value.size() <= image_words_bytes_max);
    if (auto summary = parse_container_summary(text)) check_id(summary->id);
    if (auto event = parse_event(text); event && !event->id.empty()) check_id(event->id);
    if (auto info = parse_version(text)) (void)parse_info(text, *info);
    require(parse_error_message(text).size() < 1000);

    // The splitter gives the same however the bytes are cut, and holds to its bounds.
    auto split = [&](std::size_t piece, JsonSplitter::Shape shape) {
        JsonSplitter splitter{{.bytes_max = 60, .deep = 2, .text_bytes_max = 20}, shape};
        std::string objects;
        for (std::size_t at = 0; at < text.size(); at += piece) {
            splitter.feed(text.substr(at, piece));
            for (;;) {
                auto object = splitter.next();
                if (!object && object.error().remedy == boatswain::Remedy::stop) return objects + "broken";
                if (object && !*object) break;
                if (object) require((*object)->size() <= 121);
                objects += object ? **object + "|" : "too long|";
            }
        }
        return objects;
    };
    for (auto shape : {JsonSplitter::Shape::sequence, JsonSplitter::Shape::array})
        if (!text.empty()) require(split(text.size(), shape) == split(size % 7 + 1, shape));
    return 0;
}
