// `boatswain export` into a real S3 server (with_rgw.sh starts it): killed in the middle and run again, it is what an
// export is that nobody killed, object by object.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>
#include <vector>

#include "query/store_for_test.h"
#include "rgw_for_test.h"

namespace boatswain::live {
namespace {

using namespace query::testing;
using std::chrono::hours;
using std::chrono::seconds;
using ::testing::HasSubstr;

constexpr int hours_of_lines = 24;
constexpr std::string_view manifest_name = "_boatswain.json";

class ExportS3 : public ::testing::Test {
  protected:
    ExportS3() {
        std::string pattern = std::filesystem::temp_directory_path() / "boatswain-export-XXXXXX";
        directory_ = ::mkdtemp(pattern.data());
        make_bucket("exports");
        auto reader = open::Identity::generate();
        std::ofstream{directory_ / "acme.key"} << reader.str() << "\n";
        for (int hour = 0; hour < hours_of_lines; ++hour) {
            auto from = at("2026-11-23T00:00:00Z") + hours{hour};
            TestFrame frame{.source = source("acme", "web", "web-1"), .entries = {}};
            for (int i = 0; i < 50; ++i)
                frame.entries.push_back({from + seconds{i}, "line " + std::to_string(hour) + "-" + std::to_string(i)});
            auto name = key("acme", from, static_cast<std::uint64_t>(hour + 1));
            auto path = directory_ / "store" / name.str();
            std::filesystem::create_directories(path.parent_path());
            std::ofstream{path, std::ios::binary} << sealed(name, {frame}, reader);
        }
    }
    ~ExportS3() override { std::filesystem::remove_all(directory_); }

    // The export, begun; its output goes to the file "out".
    pid_t begin(const std::string& to) {
        auto store = "dir:" + (directory_ / "store").string(), identity = (directory_ / "acme.key").string(),
             out = (directory_ / "out").string();
        auto child = ::fork();
        if (child != 0) return child;
        int file = ::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        ::dup2(file, STDOUT_FILENO);
        ::dup2(file, STDERR_FILENO);
        ::execl(BOATSWAIN_TOOL, "boatswain", "export", "--store", store.c_str(), "--identity", identity.c_str(),
                "--out", to.c_str(), nullptr);
        ::_exit(127);
    }
    static int wait(pid_t child) {
        int status = 0;
        ::waitpid(child, &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    }
    std::string output() const {
        std::ifstream file{directory_ / "out"};
        return {std::istreambuf_iterator<char>{file}, {}};
    }
    static std::map<std::string, std::string> objects_of(Store& store) {
        std::map<std::string, std::string> objects;
        auto listed = for_each_object(store, "", [&](const ObjectInfo& info) {
            auto read = store.read(info.key);
            EXPECT_TRUE(read) << read.error().what;
            return objects.emplace(info.key, read ? *read : std::string{}).second;
        });
        EXPECT_TRUE(listed) << listed.error().what;
        return objects;
    }
    static int manifests_in(Store& store) {
        int found = 0;
        (void)for_each_object(store, "", [&](const ObjectInfo& info) {
            if (info.key.ends_with(manifest_name)) ++found;
            return true;
        });
        return found;
    }

    std::filesystem::path directory_;
};

TEST_F(ExportS3, KilledInTheMiddleAndRunAgainItIsWhole) {
    auto url = "s3://exports/lines?region=us-east-1&path_style=true&endpoint=" + from_wrapper("RGW_ENDPOINT");
    auto opened = open_store(url, system_clock);
    ASSERT_TRUE(opened) << opened.error().what;
    auto& exported = **opened;

    int kills = 0;
    for (int reached = 5; reached < 15; reached += 5, ++kills) {
        auto child = begin(url);
        auto end = std::chrono::steady_clock::now() + seconds{60};
        while (manifests_in(exported) < reached && std::chrono::steady_clock::now() < end &&
               ::waitpid(child, nullptr, WNOHANG) == 0) {
        }
        ::kill(child, SIGKILL);
        ASSERT_EQ(wait(child), -SIGKILL) << "it had ended by itself: " << output();
        ASSERT_LT(manifests_in(exported), hours_of_lines) << "killed too late";
    }
    EXPECT_EQ(kills, 2);
    EXPECT_EQ(wait(begin(url)), 0) << output();
    auto in_s3 = objects_of(exported);

    auto beside = "dir:" + (directory_ / "beside").string();
    ASSERT_EQ(wait(begin(beside)), 0) << output();
    EXPECT_THAT(output(), HasSubstr("1200 lines and 0 gaps of 24 hours in 24 files"));
    auto in_directory = objects_of(**open_store(beside, system_clock));
    EXPECT_EQ(in_s3.size(), 2U * hours_of_lines);
    ASSERT_EQ(in_s3, in_directory);

    EXPECT_EQ(wait(begin(url)), 0);
    EXPECT_EQ(objects_of(exported), in_s3) << "nothing is left to do";
}

}  // namespace
}  // namespace boatswain::live
