// Whatever a server answers, reading it ends, and what is read keeps its bounds.
#include "store/s3_answers.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace boatswain::store;
    std::string_view body{reinterpret_cast<const char*>(data), size};
    (void)parse_error(body);
    (void)parse_assumed_role(body);
    if (auto page = parse_list(body); page && page->objects.size() + page->prefixes.size() > listed_max)
        __builtin_trap();
    return 0;
}
