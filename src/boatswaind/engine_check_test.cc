#include "boatswaind/engine_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/directory_for_test.h"
#include "base/file.h"

namespace boatswain::boatswaind {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class EngineCheck : public ::testing::Test {
  protected:
    EngineCheck() {
        config.engine.socket = (directory / "docker.sock").string();
        std::filesystem::create_directories(directory / "data/containers");
    }
    boatswain::testing::TestDirectory place;
    const Path directory = place.path();
    config::Config config;
    engine::EngineInfo answer{.version = "28.5.2",
                              .api_version = "1.51",
                              .min_api_version = "1.44",
                              .spoken_api_version = "1.51",
                              .root_dir = (directory / "data").string(),
                              .id = "A"};
};

TEST_F(EngineCheck, SaysWhichVersionIsSpokenAndThatLogsAreReadFromFiles) {
    auto report = report_engine(config, answer);
    EXPECT_THAT(report.warnings, IsEmpty());
    EXPECT_THAT(report.facts,
                ElementsAre("engine 28.5.2, API 1.51 (it offers 1.44 to 1.51)", HasSubstr("read from their files")));
}

TEST_F(EngineCheck, SaysWhyLogsAreNotReadFromFiles) {
    config.docker.root = directory / "data/containers";
    EXPECT_THAT(report_engine(config, answer).warnings,
                ElementsAre(AllOf(HasSubstr("No such file"), HasSubstr("docker.root is the directory above it"))));
    config.docker.root = directory / "elsewhere";
    EXPECT_THAT(report_engine(config, answer).warnings, ElementsAre(HasSubstr("read through the engine")));
    config.docker.root.clear();
    answer.root_dir.clear();
    EXPECT_THAT(report_engine(config, answer).warnings, ElementsAre(HasSubstr("set docker.root")));
}

TEST_F(EngineCheck, SaysThatTheEngineIsNewerOrAnother) {
    answer.newer = true;
    config.engine.id = "B";
    EXPECT_THAT(report_engine(config, answer).warnings,
                ElementsAre(HasSubstr("newer than this Boatswain"), HasSubstr("its ID is A")));
}

TEST_F(EngineCheck, SaysThatNobodyIsThere) {
    EXPECT_THAT(ask_engine(config).warnings,
                ElementsAre(AllOf(HasSubstr("docker.sock"), HasSubstr("is the engine running"))));
    // A socket file whose engine is gone.
    sockaddr_un address{.sun_family = AF_UNIX};
    config.engine.socket.copy(address.sun_path, sizeof address.sun_path - 1);
    Fd bound{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    ASSERT_EQ(::bind(bound.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_THAT(ask_engine(config).warnings, ElementsAre(HasSubstr("mount its directory instead")));
}

TEST_F(EngineCheck, SaysWhatToDoAboutPermission) {
    Result<engine::EngineInfo> refused =
        fail(Remedy::stop, "connect: Permission denied", std::make_error_code(std::errc::permission_denied));
    EXPECT_THAT(report_engine(config, refused).warnings, ElementsAre(HasSubstr("boatswaind guard")));
}

}  // namespace
}  // namespace boatswain::boatswaind
