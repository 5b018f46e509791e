#include "intake/docker/directory_news.h"

#include <gtest/gtest.h>

#include "batch/rig_for_test.h"
#include "engine/container.h"
#include "intake/engine_logs/served_log_for_test.h"
#include "net/run_for_test.h"
#include "open/sealing_for_test.h"

namespace boatswain::intake::docker {
namespace {

// As the engine lays it out.
void make_container(const Path& root, const std::string& id) {
    auto directory = root / "containers" / id;
    std::filesystem::create_directories(directory);
    boatswain::testing::write(directory / "config.v2.json",
                              "{\"ID\":\"" + id +
                                  "\",\"Name\":\"/web\",\"State\":{\"Running\":true},"
                                  "\"Config\":{\"Image\":\"i\",\"Env\":[],\"Labels\":{}}}");
    boatswain::testing::write(directory / "hostconfig.json", R"({"LogConfig":{"Type":"json-file","Config":{}}})");
    boatswain::testing::write(directory / (id + "-json.log"), "");
}

TEST(DirectoryNews, LetsOthersHaveTheirTurnWhileThousandsOfContainersAreTakenIn) {
    boost::asio::io_context io;
    batch::testing::Rig rig;
    open::Identity identity = open::Identity::generate();
    ServedLog engine{io};
    Assigner assigner{.assign =
                          [&](const SourceFacts& facts) {
                              return Assignment{.decision = {.action = tenancy::Decision::Action::seal,
                                                             .recipients = {identity.recipient()}},
                                                .whose = batch::testing::source(facts.id).whose};
                          },
                      .starter = {},
                      .keep = {}};
    constexpr std::size_t all = 100;
    for (std::size_t n = 0; n < all; ++n)
        make_container(rig.directory / "engine", std::to_string(1000 + n) + std::string(60, 'a'));
    Containers containers{io.get_executor(), {},        engine,      assigner, *rig.batcher,
                          *rig.spool,        rig.clock, rig.metrics, rig.log};
    net::TaskGroup tasks{io.get_executor(), rig.log};
    DirectoryNews news{io.get_executor(), containers, assigner, rig.metrics, rig.log};
    news.watch(*layout_at(rig.directory / "engine"), tasks);
    ASSERT_TRUE(net::testing::run_until(io, [&] { return !containers.ids().empty(); }));
    EXPECT_LT(containers.ids().size(), all);
    EXPECT_TRUE(net::testing::run_until(io, [&] { return containers.ids().size() == all; }));
    EXPECT_EQ(containers.standing().reading, all);
    tasks.cancel();
    ASSERT_TRUE(net::testing::run_to_end(io, tasks.join()));
    containers.finish(rig.clock.steady());
}

}  // namespace
}  // namespace boatswain::intake::docker
