// The files of the web page, as they were built from web/ (web/embed.mjs writes the definition).
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace boatswain::page {

struct File {
    std::string_view path;  // "/index.html"
    std::string_view content_type;
    std::string_view hash;  // of its bytes, in hex
    std::string_view bytes;
    std::string_view packed;  // the same by gzip
};

// By path; for as long as the program runs.
std::span<const File> files();

}  // namespace boatswain::page
