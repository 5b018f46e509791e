// One profile of AWS's two shared files: INI files with a section for each profile (AWS SDKs and Tools Reference Guide,
// "Shared config and credentials files").
//
// Read by the rules of botocore, which the AWS CLI uses: names in any case, '=' or ':' behind them, and a line that is
// indented further than the setting above it goes on with that setting's value. So a section may be indented as a
// whole. Tolerated beyond that, as other SDKs do: a comment behind a value, a section in several pieces, a setting that
// is there twice (the last one counts).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "store/credentials.h"

namespace boatswain::store {

// Which of the two: the credentials file calls a profile [NAME], the configuration file [profile NAME], and both
// [default].
enum class SharedFile { credentials, config };

struct SharedProfile {
    bool found = false;       // there is a section of this name
    Credentials credentials;  // as they stand there, perhaps empty
    std::string process;      // credential_process
    std::string region;       // empty: not set
    std::string unsupported;  // the name of a setting that gives credentials in a way that we do not speak

    bool has_keys() const { return !credentials.access_key.empty() || !credentials.secret_key.empty(); }
};

// Errors name the line, never a value.
Result<SharedProfile> parse_profile(std::string_view file_text, std::string_view profile, SharedFile file);

}  // namespace boatswain::store
