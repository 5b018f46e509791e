// Any bytes as answers of the engine: no crash, and what is given out hides the same when it is hidden again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "guard/redact.h"

using boatswain::guard::Redaction;
using boatswain::guard::Redactor;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view json{reinterpret_cast<const char*>(data), size};
    for (auto level : {Redaction::environment, Redaction::all}) {
        Redactor redactor{level, [](std::string_view name) { return name == "BOATSWAIN_TENANT"; }};
        for (auto hide : {&Redactor::inspect, &Redactor::list_entry, &Redactor::event, &Redactor::image}) {
            auto hidden = (redactor.*hide)(json);
            if (!hidden) continue;
            auto again = (redactor.*hide)(*hidden);
            if (!again || *again != *hidden) std::abort();
        }
    }
    return 0;
}
