#include "intake/docker/known_engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "batch/rig_for_test.h"

namespace boatswain::intake::docker {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class KnownEngineTest : public ::testing::Test {
  protected:
    struct Case {
        std::string id;
        std::string directory = "a";  // made when it is first named
        bool one_is_known = false;    // it lists a container that was known before
        bool any_was_known = true;
        std::string meant;
    };
    // What the agent makes of this engine after a start.
    std::string trouble_with(const Case& engine) {
        rig.restart();
        KnownEngine known{engine.meant, *rig.spool, rig.clock, rig.log};
        auto containers = rig.directory / "roots" / engine.directory;
        if (!engine.directory.empty()) std::filesystem::create_directories(containers);
        auto seen = !engine.directory.empty();
        known.met({.root_dir = seen ? "/data/" + engine.directory : "", .id = engine.id}, seen ? containers : Path{});
        known.listed(engine.one_is_known, engine.any_was_known);
        EXPECT_EQ(known.is_other(), !known.trouble().empty());
        return known.trouble();
    }
    batch::testing::Rig rig;
};

TEST_F(KnownEngineTest, IsTheFirstThatAnswered) {
    EXPECT_EQ(trouble_with({.id = ""}), "");
    EXPECT_EQ(trouble_with({.id = "a"}), "");
    EXPECT_EQ(trouble_with({.id = "a"}), "");
    EXPECT_EQ(trouble_with({.id = "", .directory = ""}), "") << "nobody can say";
    EXPECT_THAT(trouble_with({.id = "b"}),
                AllOf(HasSubstr("ID b, data directory"), HasSubstr("ID a, data directory /data/a"),
                      HasSubstr("engine.id = \"b\"")));
    EXPECT_EQ(trouble_with({.id = "a"}), "") << "it is back";
}

TEST_F(KnownEngineTest, HasTheDirectoryThatItHadThoughTheIdIsTheHosts) {
    EXPECT_EQ(trouble_with({.id = "a", .directory = "disk"}), "");
    EXPECT_THAT(trouble_with({.id = "a", .directory = "not mounted"}), HasSubstr("/data/not mounted"));
    std::filesystem::rename(rig.directory / "roots/disk", rig.directory / "roots/elsewhere");
    EXPECT_EQ(trouble_with({.id = "a", .directory = "elsewhere"}), "");
}

TEST_F(KnownEngineTest, IsTheSameWhenItListsAContainerThatWasKnown) {
    EXPECT_EQ(trouble_with({.id = "a"}), "");
    EXPECT_EQ(trouble_with({.id = "b", .directory = "restored", .one_is_known = true}), "");
    EXPECT_EQ(trouble_with({.id = "b", .directory = "restored"}), "");
    EXPECT_NE(trouble_with({.id = "a"}), "");
    EXPECT_NE(trouble_with({.id = "a", .one_is_known = true}), "") << "by now its own containers are known";
}

TEST_F(KnownEngineTest, IsAnotherWhereNothingCouldBeForgotten) {
    EXPECT_EQ(trouble_with({.id = "a"}), "");
    EXPECT_EQ(trouble_with({.id = "b", .any_was_known = false}), "");
    EXPECT_NE(trouble_with({.id = "a"}), "");
}

TEST_F(KnownEngineTest, IsTheOneThatTheOperatorMeans) {
    EXPECT_EQ(trouble_with({.id = "a"}), "");
    EXPECT_EQ(trouble_with({.id = "b", .meant = "b"}), "");
    EXPECT_EQ(trouble_with({.id = "b"}), "");
    EXPECT_NE(trouble_with({.id = "c", .one_is_known = true, .meant = "b"}), "");
}

TEST_F(KnownEngineTest, IsAnotherAfterAWeekWithoutTheFormer) {
    EXPECT_EQ(trouble_with({.id = "a"}), "");
    EXPECT_NE(trouble_with({.id = "b"}), "");
    rig.clock.advance(other_engine_max - std::chrono::hours{1});
    EXPECT_NE(trouble_with({.id = "b"}), "");
    EXPECT_NE(trouble_with({.id = "c"}), "") << "its own week begins";
    rig.clock.advance(std::chrono::hours{2});
    EXPECT_NE(trouble_with({.id = "c"}), "");
    rig.clock.advance(other_engine_max);
    EXPECT_EQ(trouble_with({.id = "c"}), "");
    EXPECT_NE(trouble_with({.id = "a"}), "");
}

}  // namespace
}  // namespace boatswain::intake::docker
