// credential_process of a shared file: a program of the user's own that prints credentials (AWS SDKs and Tools
// Reference Guide, "Process credential provider").
//
// It is started as botocore does, without a shell: the words of the setting, in quotes where they hold blanks. What it
// prints is bounded, and so is its time; it is killed with all its children when that is over. Its standard error goes
// nowhere, since it may hold what is secret; its standard input is empty.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "store/credential_sources.h"

namespace boatswain::store {

inline constexpr std::chrono::seconds process_time_max{60};
inline constexpr std::size_t process_output_bytes_max = 64 << 10;

// `doing` says for people where the setting stands. `not_allowed_because`: why no program may be started here; empty:
// one may.
MaybeCredentials from_process(std::string_view command, const std::string& doing, std::string_view not_allowed_because,
                              std::chrono::milliseconds time_max = process_time_max);

// The words of a command as a POSIX shell splits them, with its quotes and backslashes and without all else that it
// does. Remedy::stop when a quote is not closed.
Result<std::vector<std::string>> split_words(std::string_view command);

}  // namespace boatswain::store
