// What the engine asks a log driver, as JSON, and the description of a container that lies beside its hold.
//
// (Docker's logdriver/1.0 protocol, docs/intake/driver.md.) Of a container's environment only the keys that rules name
// are kept, from the moment the request is parsed: it holds secrets.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/result.h"
#include "base/time.h"
#include "engine/container.h"

namespace boatswain::intake::driver {

struct StartRequest {
    Path fifo;                     // absolute and plain
    engine::ContainerFacts facts;  // log_options are the --log-opt words

    bool option_is_true(const std::string& name) const;
};

// Remedy::quarantine with what is wrong.
Result<StartRequest> parse_start(std::string_view json, const engine::WordFilter& keep);
Result<Path> parse_stop(std::string_view json);  // the FIFO

struct ReadRequest {
    std::string container;
    bool follow = false;
    std::int64_t tail = -1;  // lines; less than 0: all
    std::optional<Timestamp> since, until;
};
Result<ReadRequest> parse_read(std::string_view json);

// The description beside a hold, and back. Holds the kept environment: mode 0600, in memory.
std::string describe(const StartRequest& request);
Result<StartRequest> parse_description(std::string_view json);

}  // namespace boatswain::intake::driver
