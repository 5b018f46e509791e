#include "net/address.h"

#include <gtest/gtest.h>

namespace boatswain::net {
namespace {

TEST(Address, ReadsEveryForm) {
    for (auto [text, expected] :
         {std::pair<std::string, Address>{"/var/run/docker.sock", {.unix_path = "/var/run/docker.sock"}},
          {"unix:/a", {.unix_path = "/a"}},
          {"unix:///a", {.unix_path = "/a"}},
          {"tcp://127.0.0.1:2375", {.host = "127.0.0.1", .port = 2375}},
          {"tcp://host:2375/", {.host = "host", .port = 2375}},
          {"host:0", {.host = "host", .port = 0}},
          {"[::1]:65535", {.host = "::1", .port = 65535}}}) {
        auto address = parse_address(text);
        ASSERT_TRUE(address) << text;
        EXPECT_EQ(*address, expected) << text;
        EXPECT_EQ(parse_address(to_text(*address)).value(), *address);
    }
}

TEST(Address, RefusesEverythingElse) {
    using namespace std::string_literals;
    for (const auto& text :
         {""s, "host"s, ":80"s, "host:"s, "host:x"s, "host:65536"s, "host:-1"s, "::1:80"s, "http://host:80"s, "unix:a"s,
          "unix:"s, "host:80 "s, "/"s + std::string(107, 'x'), "/a\0b"s, "a b:80"s, "[]:80"s})
        EXPECT_FALSE(parse_address(text)) << text;
}

}  // namespace
}  // namespace boatswain::net
