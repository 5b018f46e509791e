#include "base/durable_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <string>
#include <vector>

#include "base/directory_for_test.h"

namespace boatswain {
namespace {

using testing::contents;
using testing::names_in;

class DurableFiles : public ::testing::Test {
  protected:
    std::vector<DurableFile> make(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) texts_.push_back("bytes of " + std::to_string(i));
        std::vector<DurableFile> files;
        for (std::size_t i = 0; i < count; ++i) files.push_back({directory / std::to_string(i), texts_[i]});
        return files;
    }
    void expect(const std::vector<DurableFile>& files) {
        EXPECT_EQ(names_in(directory / ".").size(), files.size()) << "no temporary file stays";
        for (const auto& file : files) EXPECT_EQ(contents(file.path), file.bytes);
    }
    testing::TestDirectory directory;

  private:
    std::vector<std::string> texts_;
};

TEST_F(DurableFiles, AreAllThereWithTheirBytesAndNothingElseIs) {
    auto files = make(3 * files_open_max + 1);
    testing::write(files[0].path, "what was there before, and longer");
    ASSERT_TRUE(write_files_durably(files));
    expect(files);
    EXPECT_TRUE(write_files_durably({}));
}

TEST_F(DurableFiles, AreWholeOrNotThereWhereADirectoryIsMissing) {
    auto files = make(3);
    files[2].path = directory / "missing" / "2";
    auto written = write_files_durably(files);
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().remedy, Remedy::re_resolve);
    EXPECT_TRUE(names_in(directory / ".").empty());
}

TEST_F(DurableFiles, AreWrittenAFewAtATimeWhereDescriptorsAreShort) {
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    Fd lowest{::dup(STDERR_FILENO)};
    rlimit few{.rlim_cur = static_cast<rlim_t>(lowest.get()) + 4, .rlim_max = before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
    auto files = make(20);
    auto written = write_files_durably(files);
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    ASSERT_TRUE(written) << written.error().what;
    expect(files);
}

}  // namespace
}  // namespace boatswain
