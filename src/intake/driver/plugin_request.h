// What the engine asks a log driver, as JSON, and the description of a container that lies beside its hold.
//
// (Docker's logdriver/1.0 protocol, docs/intake/driver.md.) Of a container's environment only the keys that rules name
// are kept, from the moment the request is parsed: it holds secrets. Of labels and environment no more is kept than a
// rule can make use of, so that every description that is written can be read again (description_bytes_max).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/result.h"
#include "base/time.h"
#include "engine/container.h"
#include "intake/driver/log_options.h"

namespace boatswain::intake::driver {

inline constexpr std::uint64_t description_bytes_max = 1U << 20;

struct StartRequest {
    Path fifo;                     // absolute and plain
    engine::ContainerFacts facts;  // log_options are the --log-opt words
    LogOptions options;            // what they say; of a description: nothing
};

// Remedy::quarantine with what is wrong, with an option of the container too.
Result<StartRequest> parse_start(std::string_view json, const WordFilter& keep);
Result<Path> parse_stop(std::string_view json);  // the FIFO

struct ReadRequest {
    std::string container;
    bool follow = false;
    std::int64_t tail = -1;  // lines; less than 0: all
    std::optional<Timestamp> since, until;
};
Result<ReadRequest> parse_read(std::string_view json);

// The description beside a hold, and back; description_bytes_max at most. Holds the kept environment: mode 0600, in
// memory.
std::string describe(const StartRequest& request);
Result<StartRequest> parse_description(std::string_view json);

}  // namespace boatswain::intake::driver
