// The tool as people run it: the executable, its output, its errors and its exit codes, beside a store of two tenants.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "base/bytes.h"
#include "base/file.h"
#include "crypto/recipient.h"
#include "query/chain_for_test.h"
#include "query/store_for_test.h"
#include "tenancy/derive.h"

namespace boatswain::tool {

using namespace query::testing;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

extern const std::string tool_path;  // of the executable: tool_test.cc

struct Ran {
    std::string out, err;
    int code = -1;
};

const Timestamp ten = at("2026-11-23T10:00:00Z");

inline std::string every_byte_but_newline() {
    std::string bytes;
    for (int byte = 0; byte < 256; ++byte)
        if (byte != '\n') bytes += static_cast<char>(byte);
    return bytes;
}

class Tool : public ::testing::Test {
  protected:
    Tool() {
        std::string pattern = std::filesystem::temp_directory_path() / "boatswain-tool-XXXXXX";
        directory_ = ::mkdtemp(pattern.data());
        ::unsetenv("BOATSWAIN_STORE");
        ::unsetenv("BOATSWAIN_IDENTITY");
        ::unsetenv("PAGER");
        write("acme.key", acme_.str() + "\n");
        write("globex.key", globex_.str() + "\n");
    }
    ~Tool() override { std::filesystem::remove_all(directory_); }

    // Runs a shell command in the test's directory; "boatswain" is the tool.
    Ran run(const std::string& command) {
        auto script = "cd '" + directory_.string() + "' && boatswain() { '" + tool_path + "' \"$@\"; }; " + command;
        write("script", script);
        auto line = "bash '" + (directory_ / "script").string() + "' > '" + (directory_ / "out").string() + "' 2> '" +
                    (directory_ / "err").string() + "' < /dev/null";
        int status = std::system(line.c_str());
        return {read("out"), read("err"), WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status)};
    }
    Ran logs(const std::string& options) { return run("boatswain logs --store dir:store " + options); }
    Ran query(const std::string& logql, const std::string& options) {
        return run("boatswain query --store dir:store '" + logql + "' " + options);
    }

    void write(const std::string& name, std::string_view bytes) {
        std::filesystem::create_directories((directory_ / name).parent_path());
        ASSERT_TRUE(write_file_durably(directory_ / name, bytes));
    }
    std::string read(const std::string& name) { return read_file(directory_ / name, 64U << 20).value(); }
    void put(const segment::ObjectKey& name, const std::vector<TestFrame>& frames, const open::Identity& identity) {
        write("store/" + name.str(), sealed(name, frames, identity));
    }
    // Two apps of acme, one of globex.
    void put_example() {
        auto cart = source("acme", "shop/cart", "cart-1", std::string(64, 'c'));
        auto db = source("acme", "shop/db", "db-1", std::string(64, 'd'));
        put(key("acme", ten, 1),
            {{cart, {{ten, "started"}, {ten + seconds{2}, "no stock of article 7", Stream::err}}},
             {db, {{ten + seconds{1}, "ready"}, {.time = ten + seconds{3}, .bytes = "rotated-away", .gap = true}}}},
            acme_);
        put(key("acme", ten + seconds{7200}, 2), {{cart, {{ten + seconds{7200}, "stopped"}}, 2}}, acme_);
        put(key("globex", ten, 1), {{source("globex", "web", "web-1"), {{ten, "hello"}}}}, globex_);
    }

    std::filesystem::path directory_;
    open::Identity acme_ = open::Identity::generate();
    open::Identity globex_ = open::Identity::generate();
};

}  // namespace boatswain::tool
