// Any bytes as a file of tokens: refused, or written again as the same tokens.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "api/tokens.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace boatswain;
    auto tokens = api::parse_tokens({reinterpret_cast<const char*>(data), size});
    if (!tokens) return 0;
    auto file = api::to_file(*tokens);
    auto again = api::parse_tokens(file);
    if (!again || again->size() != tokens->size() || api::to_file(*again) != file) std::abort();
    return 0;
}
