// The header of a file from outside, and the attempt to open it.
#include <cstdlib>

#include "open/age_header.h"
#include "open/age_reader.h"
#include "open/chain.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace boatswain;
    static const auto identity = open::Identity::from_scalar({1, 2, 3});
    std::string_view file{reinterpret_cast<const char*>(data), size};
    auto header = open::parse_age_header(file);
    if (!header || !*header) return 0;
    if ((*header)->bytes > size || (*header)->mac.size() != 32) std::abort();
    // What is read of the chain must be written the same again, but for arguments of later versions and a body.
    if (auto chain = open::chain_of(**header); chain && *chain) {
        auto again = segment::chain_stanza(**chain);
        if (file.find(again.substr(0, again.size() - 2)) == file.npos) std::abort();
    }
    auto fetch = [&](std::uint64_t first, std::uint64_t length) -> Result<std::string> {
        if (first > size || length > size - first) std::abort();
        return std::string{file.substr(first, length)};
    };
    if (auto reader = open::AgeReader::open(size, fetch, std::span{&identity, 1}))
        (void)reader->read(0, reader->plaintext_bytes());
    return 0;
}
