// Any bytes as each of the messages that a cell may send: refused, or written again as the same bytes.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "cell/messages.h"
#include "cell/packing.h"
#include "cell/setup.h"

namespace {

template <class Parsed>
void check(std::string_view bytes, Parsed parsed) {
    if (parsed && std::string_view{pack(*parsed)}.substr(boatswain::cell::message_head_bytes) != bytes) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace boatswain::cell;
    std::string_view bytes{reinterpret_cast<const char*>(data), size};
    check(bytes, parse_read_call(bytes));
    check(bytes, parse_answer_head(bytes));
    check(bytes, parse_answer_end(bytes));
    (void)parse_list_call(bytes);
    (void)parse_piece(bytes);
    (void)parse_ready(bytes);
    return 0;
}
