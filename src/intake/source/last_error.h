// What last went wrong with one container's log, for people who ask why.
#pragma once

#include <string>

#include "base/time.h"

namespace boatswain::intake {

struct LastError {
    Timestamp when{};
    std::string what;  // an Error's sentence: never a line of a container
};

}  // namespace boatswain::intake
