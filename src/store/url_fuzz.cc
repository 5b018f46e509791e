// Whatever is written as a store's url, it is refused or has parts that can be used as they are.
#include "store/url.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace boatswain::store;
    std::string_view text{reinterpret_cast<const char*>(data), size};
    auto parsed = parse_url(text);
    if (!parsed) return 0;
    if (auto* s3 = std::get_if<S3Url>(&*parsed);
        s3 && (s3->bucket.size() < 3 || s3->prefix.find("//") != std::string::npos))
        __builtin_trap();
    return 0;
}
