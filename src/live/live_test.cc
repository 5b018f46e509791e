// Messages, records and proofs, as docs/formats/live.md has them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "live/message.h"
#include "live/proof.h"
#include "live/record.h"

namespace boatswain::live {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

TEST(LiveRecord, SaysWhatWasWritten) {
    Source source{.id = "c1", .kind = "docker", .name = "web", .whose = {.app = "shop"}, .labels = {{"a", "b"}}};
    std::string record;
    append_item(record, source);
    append_item(record, LinesItem{.source = 0, .first_ordinal = 1ULL << 40, .text = "lines\n"});
    append_item(record, Mark{.mark = 7, .sources = {{.source = 0, .next = 9, .again = false}}});
    auto items = parse_record(record);
    ASSERT_TRUE(items) << items.error().what;
    ASSERT_THAT(*items, SizeIs(3));
    const auto& read = std::get<Source>((*items)[0]);
    EXPECT_EQ(read.id, "c1");
    EXPECT_EQ(read.whose.app, "shop");
    EXPECT_EQ(read.labels.at("a"), "b");
    EXPECT_EQ(std::get<LinesItem>((*items)[1]).first_ordinal, 1ULL << 40);
    EXPECT_EQ(std::get<LinesItem>((*items)[1]).text, "lines\n");
    EXPECT_EQ(std::get<Mark>((*items)[2]).sources[0].next, 9U);
    EXPECT_FALSE(std::get<Mark>((*items)[2]).sources[0].again);
}

TEST(LiveRecord, RefusesWhatBreaksOffOrIsOutOfBounds) {
    std::string record;
    append_item(record, LinesItem{.source = 0, .first_ordinal = 0, .text = "x"});
    for (std::size_t size = 1; size < record.size(); ++size) EXPECT_FALSE(parse_record(record.substr(0, size))) << size;
    auto item = [](char kind, const std::string& json) {
        std::string text{kind};
        append_number(text, static_cast<std::uint32_t>(json.size()));
        return text + json;
    };
    for (const auto* json :
         {R"({"mark":0,"sources":[]})", R"({"mark":1,"sources":[[0,-1,1]]})",
          R"({"mark":1,"sources":[[4294967296,1,1]]})", R"({"mark":1,"sources":[[0]]})", "[]", "nothing"})
        EXPECT_FALSE(parse_record(item('m', json))) << json;
    EXPECT_FALSE(parse_record(item('s', R"({"name":"no id"})")));
    EXPECT_FALSE(parse_record(item('s', R"({"id":")" + std::string(5000, 'x') + R"("})")));
    EXPECT_FALSE(parse_record(item('?', "{}")));
}

TEST(LiveMessage, HoldsNumbersAndTextsToTheirBounds) {
    EXPECT_EQ(parse_order(R"({"stream":3,"mark":4,"tenant":"acme"})").value().mark, 4U);
    for (const auto* json : {R"({"stream":-1})", R"({"stream":4294967296})", "[]", ""}) EXPECT_FALSE(parse_order(json));
    EXPECT_FALSE(parse_order(R"({"stream":1,"tenant":")" + std::string(2000, 'x') + R"("})"));
    EXPECT_FALSE(parse_challenge(R"({"nonce":"short"})"));
    EXPECT_FALSE(parse_hello(R"({"host":"h","epoch":"e","run":"r","nonce":"short"})"));
    EXPECT_EQ(message(Kind::ping, ""), std::string("\0\0\0\x01P", 5));
}

// The same as tests with other software: HMAC-SHA256 over the texts, with zeros between.
TEST(LiveProof, IsOfOneSideAndOneConversation) {
    heartbeat::FleetKey fleet{Secret{std::string(heartbeat::key_bytes, 'k')}};
    auto key = fleet.of_host("node-1");
    Handshake said{.hub_nonce = "aa", .agent_nonce = "bb", .host = "node-1", .epoch = "e", .run = "r"};
    auto proof = proof_of(Who::agent, key, said);
    EXPECT_TRUE(is_proof(proof, Who::agent, key, said));
    EXPECT_FALSE(is_proof(proof, Who::hub, key, said));
    EXPECT_FALSE(is_proof(proof, Who::agent, fleet.of_host("node-2"), said));
    for (auto Handshake::* part :
         {&Handshake::hub_nonce, &Handshake::agent_nonce, &Handshake::host, &Handshake::epoch, &Handshake::run}) {
        auto other = said;
        other.*part = "x";
        EXPECT_FALSE(is_proof(proof, Who::agent, key, other));
    }
    EXPECT_FALSE(is_proof("", Who::agent, key, said));
    auto acme = TenantId::parse("acme").value(), globex = TenantId::parse("globex").value();
    auto secret = std::string(part_secret_bytes, 's');
    EXPECT_NE(part_key(secret, "aa", acme, "h", "e"), part_key(secret, "aa", globex, "h", "e"));
    EXPECT_NE(part_key(secret, "aa", acme, "h", "e"), part_key(secret, "ab", acme, "h", "e"));
    EXPECT_NE(part_key(secret, "aa", acme, "h", "e"), part_key(secret, "aa", acme, "h", "f"));
}

}  // namespace
}  // namespace boatswain::live
