// Whatever lies in the store, reading it as a heartbeat ends, and what is proven is what a key holder wrote.
#include "heartbeat/heartbeat.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace boatswain;
    using namespace boatswain::heartbeat;
    std::string_view bytes{reinterpret_cast<const char*>(data), size};
    const FleetKey key{Secret{std::string(key_bytes, 'k')}};
    auto read = read_object(bytes, "node-7", key);
    if (read) {
        if (read->proof == Proof::not_checked) __builtin_trap();
        auto host_key = key.of_host(read->heartbeat.host);
        auto again = read_object(to_object(read->heartbeat, host_key), read->heartbeat.host, key);
        // What was written with escapes may be longer than a heartbeat may be when it is written again.
        if (again && (again->heartbeat != read->heartbeat || again->proof != Proof::proven)) __builtin_trap();
    }
    (void)parse_key(bytes);
    if (auto host = host_of(bytes); host && object_key(*host) != bytes) __builtin_trap();
    return 0;
}
