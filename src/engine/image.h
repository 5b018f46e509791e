// What an image says of itself. A container has the labels and variables of its image beside those of whoever started
// it, and the engine's answer about the container does not tell them apart; its answer about the image does.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "record/source_facts.h"

namespace boatswain::engine {

// Of the kept labels and variables of one image. One that says more is not kept in part.
inline constexpr std::size_t image_words_bytes_max = 64U << 10;

struct ImageFacts {
    std::map<std::string, std::string> labels;       // those that rules name
    std::map<std::string, std::string> environment;  // likewise; the last of repeated ones wins
    bool operator==(const ImageFacts&) const = default;
};

// "sha256:" and 64 hex digits.
bool is_image_id(std::string_view text);

// From GET /images/ID/json. Labels that are only kept beside (WordFilter::more_labels) are not: they decide nothing.
// Remedy::quarantine: it is no answer about an image, or the image says too much.
Result<ImageFacts> parse_image(std::string_view json, const WordFilter& keep);

// `container` without the labels and variables that it has from its image. What its starter said once more, with the
// same value, cannot be told from the image's word and is gone, too.
SourceFacts without_words_of(const ImageFacts& image, SourceFacts container);
// Without any.
SourceFacts without_words(SourceFacts container);

}  // namespace boatswain::engine
