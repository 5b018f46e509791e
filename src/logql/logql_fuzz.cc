// A query is text that anybody sends.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "logql/query.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace boatswain::logql;
    auto parsed = parse_query({reinterpret_cast<const char*>(data), size});
    if (!parsed) return 0;
    if (auto* lines = std::get_if<LogQuery>(&*parsed)) {
        Record record{.line = R"({"a":{"b":[1,"x"]},"level":"info"} k=v "q)"};
        record.labels.set("app", "cart", LabelKind::stream);
        (void)lines->process(record);
        (void)lines->filter();
    }
    return 0;
}
