// Values that shells complete: tenants, apps and containers, asked of the store that the command line so far names.
#pragma once

#include <string>
#include <vector>

#include "boatswain/commands.h"

namespace boatswain::tool {

// `boatswain --values KIND WORD...`, which help does not show: the words typed so far, as a shell has them. bash gives
// "dir:/logs" as three words, which are put together again; "~/" is the home directory.
Values values_request(const std::vector<std::string>& words);

// Whether a shell may be given this: a name that no shell takes for more than a word. Containers choose their names.
bool is_plain_word(const std::string& word);

}  // namespace boatswain::tool
