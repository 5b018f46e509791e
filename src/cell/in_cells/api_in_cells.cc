// The tests of api/, once more, with a cell for each tenant in the place of this process.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "api/api_for_test.h"
#include "cell/cells.h"
#include "cell/inside.h"

namespace {

using namespace boatswain;

std::unique_ptr<api::Answering> in_cells(store::Store& store, const Path& identities, std::uint64_t memory,
                                         const Clock& clock, Metrics& metrics, Log& log) {
    return std::make_unique<cell::Cells>(
        cell::open_this_executable().value(), store, identities,
        cell::CellsOptions{.memory = memory, .footer_cache = 16U << 20, .version = "1.2.3"}, clock, metrics, log);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 2 && std::string_view{argv[1]} == cell::cell_word) ::_exit(cell::run_cell());
    ::testing::InitGoogleTest(&argc, argv);
    api::testing::make_answering = in_cells;
    return RUN_ALL_TESTS();
}
