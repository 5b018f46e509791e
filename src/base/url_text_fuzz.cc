// Whatever stands around it, a password between ':' and '@' is not shown.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/url_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view bytes{reinterpret_cast<const char*>(data), size};
    (void)boatswain::without_url_secrets(bytes);
    (void)boatswain::has_userinfo(bytes);
    auto middle = bytes.find('|');
    // Another URL in the middle of one is read as another one.
    if (middle == std::string_view::npos || bytes.contains("//") || bytes.contains('%')) return 0;
    constexpr std::string_view password = "\1hunter2\1";
    auto url = "https://" + std::string{bytes.substr(0, middle)} + ":" + std::string{password} +
               std::string{bytes.substr(middle + 1)} + "@host";
    if (boatswain::url_for_people(url).contains(password)) std::abort();
    return 0;
}
