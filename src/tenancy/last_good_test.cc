#include "tenancy/last_good.h"

#include <gtest/gtest.h>

#include "base/directory_for_test.h"

namespace boatswain::tenancy {
namespace {

crypto::Recipient recipient(std::uint8_t number) {
    std::array<std::uint8_t, 32> key{};
    key.fill(number);
    return crypto::Recipient{key};
}

const Path keyring = "/etc/boat swain/keys";
const LastGood known{
    .files = {{"acme", {recipient(1), recipient(2)}},
              {"globex & söhne", {recipient(3)}},
              {"_unassigned", {recipient(9)}}},
    .removed = {{"hooli & söhne", Timestamp{Nanoseconds{1'796'000'000'000'000'000}}}, {"old", Timestamp{}}}};

TEST(LastGood, IsReadAsItWasWritten) {
    testing::TestDirectory directory;
    auto file = directory / "keyring.last";
    EXPECT_EQ(read_last_good(file, keyring).value(), LastGood{}) << "no file";
    ASSERT_TRUE(write_last_good(file, keyring, known));
    EXPECT_EQ(read_last_good(file, keyring).value(), known);
    ASSERT_TRUE(write_last_good(file, keyring, {}));
    EXPECT_EQ(read_last_good(file, keyring).value(), LastGood{});
}

TEST(LastGood, SaysNothingOfAnotherKeyring) {
    EXPECT_EQ(parse_last_good(format_last_good(keyring, known), "/etc/boatswain/keys").value(), LastGood{});
}

TEST(LastGood, IsRefusedUnlessItIsWhole) {
    auto whole = format_last_good(keyring, known);
    ASSERT_TRUE(parse_last_good(whole, keyring));
    auto head = whole.find("key ");  // before, nothing tells that it is of this keyring
    for (auto size = head; size + 1 < whole.size(); ++size)
        EXPECT_FALSE(parse_last_good(whole.substr(0, size), keyring)) << size << " bytes of it";
    for (const auto& [was, is] : {std::pair<std::string, std::string>{"end 5", "end 3"},
                                  {"end 5\n", "end 5\nmore\n"},
                                  {"key acme", "key globex%20%26%20s%C3%B6hne"},
                                  {"key acme", "key %"},
                                  {"key acme age1", "key acme age2"},
                                  {"key acme", "kee acme"},
                                  {"removed old 0", "removed old"},
                                  {"removed old 0", "removed old 0x"},
                                  {"removed old 0", "removed acme 0"},
                                  {"removed old 0", "removed old 99999999999999999999"},
                                  {"boatswain keyring 1", "boatswain keyring 2"}}) {
        auto text = whole;
        auto at = text.find(was);
        ASSERT_NE(at, text.npos) << was;
        text.replace(at, was.size(), is);
        EXPECT_FALSE(parse_last_good(text, keyring)) << is;
    }
}

}  // namespace
}  // namespace boatswain::tenancy
