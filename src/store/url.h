// The address of a store, as people write it:
//
//   dir:PATH                          PATH as it stands, relative or absolute
//   s3://BUCKET[/PREFIX][?NAME=VALUE&...]
//       endpoint=URL      http:// or https://, a host and perhaps a port; default AWS_ENDPOINT_URL_S3, then
//                         AWS_ENDPOINT_URL, then https://s3.REGION.amazonaws.com
//       region=R          default AWS_REGION, then AWS_DEFAULT_REGION, then the profile's, then us-east-1
//       path_style=true   bucket in the path (true) or in the host name (false); default true when an endpoint is given
//       profile=P         take credentials from this profile of the shared credentials file only
//       ca_file=F         certificates (PEM) of the authorities to trust instead of the system's
//
// PREFIX and values are percent-decoded, once; non-ASCII may be written as it is. PREFIX names a place in the bucket:
// keys are put under it with a '/' between.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/file.h"
#include "base/result.h"

namespace boatswain::store {

struct DirectoryUrl {
    Path path;
};

struct S3Url {
    std::string bucket;
    std::string prefix;                   // without '/' at either end; may be empty
    std::optional<std::string> endpoint;  // "http://127.0.0.1:7480", without a '/' at its end
    std::optional<std::string> region;
    std::optional<bool> path_style;
    std::optional<std::string> profile;
    std::optional<Path> ca_file;
};

using StoreUrl = std::variant<DirectoryUrl, S3Url>;

// Errors are Remedy::stop, name what is wrong, and suggest what was probably meant.
Result<StoreUrl> parse_url(std::string_view url);

inline constexpr std::size_t region_bytes_max = 64;

// What keeps a text from being an endpoint or a region; nothing when it is one. They may come from elsewhere than a
// url.
std::optional<std::string> endpoint_problem(std::string_view endpoint);
std::optional<std::string> region_problem(std::string_view region);

}  // namespace boatswain::store
