// Settings that come from environment variables, and the one rule for texts that people paste or write with `echo`.
//
// The rule: blanks and newlines at either end of a value are no part of it, wherever it comes from (a variable, a file,
// a service's answer), and what is then empty is not set. Inside of a value they are an error that says so.
#pragma once

#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace boatswain::store {

// The value of an environment variable; an empty one counts as not set.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;
std::optional<std::string> process_environment(std::string_view name);

// Without blanks, tabs and line ends at either end.
std::string_view trimmed(std::string_view text);

// The trimmed value of the first of these variables that is set.
std::optional<std::string> setting(const Environment& environment, std::initializer_list<std::string_view> names);

// Whether the variable says "true", in any case, as the AWS SDKs read it.
bool is_true(const Environment& environment, std::string_view name);

// Where requests to an AWS service go when the variables say so ("S3", "STS"): AWS_ENDPOINT_URL_<SERVICE>, then
// AWS_ENDPOINT_URL, without a '/' at its end; nothing with AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true. (AWS SDKs and
// Tools Reference Guide, "Service-specific endpoints".)
std::optional<std::string> endpoint_setting(const Environment& environment, std::string_view service);

// The domain under which AWS serves a region: "amazonaws.com", or that of its partition ("amazonaws.com.cn").
std::string_view amazon_domain(std::string_view region);

}  // namespace boatswain::store
