#include "base/shown_name.h"

#include <algorithm>

#include "base/bytes.h"

namespace boatswain {

std::string shown_name(std::string_view name, std::size_t bytes_max) {
    auto plain = [](unsigned char c) { return c > 0x20 && c != 0x7F && c != '"' && c != '\'' && c != '(' && c != ')'; };
    bool bare = !name.empty() && std::ranges::all_of(name, plain) && name.back() != ',' && name.back() != ':';
    auto text = printable(name, bytes_max);
    return bare ? text : '"' + text + '"';
}

}  // namespace boatswain
