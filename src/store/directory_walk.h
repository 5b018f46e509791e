// Walks a directory store in the order of its keys, one page at a time.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "store/store.h"

namespace boatswain::store {

struct WalkOrder {
    std::string_view prefix;
    bool delimited = false;
    std::string_view after;  // only keys and prefixes later than this one; empty for all
    std::size_t page_max = 0;
};

// True for the names under which objects are written before they are whole (base/file.h): ".NAME.tmp.PID.N".
bool is_temporary_name(std::string_view name);

// One page; page.next is the last key or prefix on it when more follow. Holds the entries of the directories on the way
// to where it stands, not those of the whole store. A directory that vanishes meanwhile is an empty one.
Result<ListPage> walk(const Path& root, const WalkOrder& order);

}  // namespace boatswain::store
