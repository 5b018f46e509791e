#include "http/mounts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/serving_for_test.h"

namespace boatswain::http {
namespace {

using ::testing::EndsWith;

Handler says(std::string what) {
    return [what](Request, AnswerWriter& writer) -> net::Task<void> { co_return co_await writer.send({.body = what}); };
}

TEST(MountsTest, TheFirstThatTakesAPathAnswersAndTheLastOneTheRest) {
    testing::Serving serving{testing::Serving::MakeService{[](const boost::asio::any_io_executor&) -> Service {
        return mounted({{.takes = [](std::string_view path) { return path == "/"; }, .handler = says("page")},
                        {.takes = [](std::string_view path) { return path.starts_with("/a"); }, .handler = says("a")}},
                       says("rest"));
    }}};
    auto get = [&](const std::string& path) {
        return testing::Peer{serving}.ask("GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    };
    EXPECT_THAT(get("/"), EndsWith("\r\n\r\npage"));
    EXPECT_THAT(get("/?x=/a"), EndsWith("\r\n\r\npage"));
    EXPECT_THAT(get("/assets/x"), EndsWith("\r\n\r\na"));
    EXPECT_THAT(get("/b"), EndsWith("\r\n\r\nrest"));
    serving.stop();
}

}  // namespace
}  // namespace boatswain::http
