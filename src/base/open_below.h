// Opening what lies below a directory that somebody else may write to, without leaving it by a link.
#pragma once

#include "base/file.h"

namespace boatswain {

// Opens `path`, which lies below `root`, with open(2)'s `flags`. `root` may be reached by links; below it none is
// followed, whatever is exchanged meanwhile: each directory is opened in the one before. Empty with errno set when that
// fails: ENOTDIR or ELOOP where a link lies, EINVAL where `path` is not below `root`. Thread-safe.
Fd open_below(const Path& root, const Path& path, int flags);

}  // namespace boatswain
