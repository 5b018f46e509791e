// What an errno of a call on files means for the caller. Only base/ uses it.
#pragma once

#include <cerrno>
#include <string_view>

#include "base/file.h"
#include "base/result.h"

namespace boatswain {

// "open /x/y: Permission denied", of errno as it stands.
std::unexpected<Error> file_failed(std::string_view verb, const Path& path, int error_number = errno);

}  // namespace boatswain
