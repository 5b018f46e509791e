// What is in the store in the end, against what the plain model says must be there, and against what `verify` says.
#pragma once

#include <string>
#include <vector>

#include "model/keyring_directory.h"
#include "model/plain.h"
#include "store/store.h"

namespace boatswain::model {

// Sentences; none when all is as it must be.
std::vector<std::string> judge(store::Store& store, const KeyringDirectory& keyring, const Ledger& ledger);

}  // namespace boatswain::model
