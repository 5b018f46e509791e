#include "intake/cri/pods_watch.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

#include "base/directory_for_test.h"

namespace boatswain::intake::cri {
namespace {

class Deaf final : public PodsListener {
    void log_appeared(const PodLog&) override {}
    void log_born(const PodLog&, unsigned) override {}
    void log_grew(const PodLog&) override {}
    void log_closed(const PodLog&) override {}
    void log_deleted(const PodLog&) override {}
    void logs_vanished(const Pod&, const std::string&) override {}
    void news_lost() override {}
};

TEST(PodsWatch, IsCompleteUntilAnotherDirectoryLiesInThePlaceOfTheWatchedOne) {
    boatswain::testing::TestDirectory directory;
    boost::asio::io_context io;
    Deaf deaf;
    auto pods = directory / "pods";
    std::filesystem::create_directories(pods / "acme_web-0_u1/app");
    auto watch = PodsWatch::open(io.get_executor(), pods, deaf).value();
    ASSERT_TRUE(watch->look());
    EXPECT_TRUE(watch->is_complete());
    std::filesystem::rename(pods, directory / "away");
    EXPECT_FALSE(watch->is_complete());
    std::filesystem::create_directories(pods);
    EXPECT_FALSE(watch->is_complete()) << "a directory that was mounted over it looks like this";
    ASSERT_TRUE(watch->look());
    EXPECT_TRUE(watch->is_complete());
}

}  // namespace
}  // namespace boatswain::intake::cri
