#include "heartbeat/heartbeat.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/directory_for_test.h"
#include "crypto/digest.h"
#include "store/directory.h"

namespace boatswain::heartbeat {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

const FleetKey fleet_key{Secret{std::string(32, 'k')}};

Heartbeat make(const std::string& host = "node-7") {
    return {.host = host,
            .version = "0.1.0",
            .epoch = "20261123T043400Z-9f3a",
            .started = parse_time("2026-11-23T04:34:00Z"),
            .time = *parse_time("2026-11-23T10:00:00Z"),
            .interval_seconds = 60,
            .healthy = false,
            .troubles = {"store", "held"},
            .held_for = "no key",
            .containers = 12,
            .reading = 9,
            .held = 3,
            .lag_bytes = 0,
            .spool_bytes = 17,
            .spool_bytes_max = 1U << 30,
            .spool_segments = 1,
            .spool_oldest = parse_time("2026-11-23T09:00:00Z"),
            .last_segment = parse_time("2026-11-23T09:59:31Z"),
            .stored_segments = 1'303,
            .stored_bytes = 12'345'678,
            .put_requests = 1'305};
}

Proof proof_of(const std::string& bytes, const std::optional<Key>& key, const std::string& host = "node-7") {
    auto read = read_object(bytes, host, key);
    EXPECT_TRUE(read) << read.error().what;
    return read ? read->proof : Proof::not_checked;
}

TEST(Heartbeats, AreReadAsTheyWereWritten) {
    for (auto heartbeat : {make(), make("a/b \"c\""), Heartbeat{.host = "x", .time = make().time}}) {
        auto read = read_object(to_object(heartbeat, fleet_key.of_host(heartbeat.host)), heartbeat.host, fleet_key);
        ASSERT_TRUE(read) << read.error().what;
        EXPECT_EQ(read->heartbeat, heartbeat);
        EXPECT_EQ(read->proof, Proof::proven);
    }
}

// Computed with Python's hmac from docs/formats/heartbeat.md alone.
TEST(Heartbeats, CarryTheMacOfTheSpecification) {
    Heartbeat small{.host = "node-7", .version = "0.1.0", .epoch = "e", .time = make().time};
    EXPECT_EQ(to_object(small, fleet_key.of_host("node-7")),
              R"({"format":"boatswain-heartbeat-1","host":"node-7","version":"0.1.0","epoch":"e",)"
              R"("time":"2026-11-23T10:00:00.000000000Z","interval_seconds":60,"troubles":[],)"
              R"("mac":"5fe83c759bf5dc12d9e0c10cf19d6244d905693d665692d921f0e7b366f25b40"})"
              "\n");
}

TEST(Heartbeats, AreForgedWhenAnyByteIsChanged) {
    auto bytes = to_object(make(), fleet_key.of_host("node-7"));
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        auto changed = bytes;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        auto read = read_object(changed, "node-7", fleet_key);
        EXPECT_TRUE(!read || read->proof == Proof::forged) << "byte " << i;
    }
}

TEST(Heartbeats, AreForgedWithoutAMacWithAnotherKeyOrUnderAnotherHostsName) {
    EXPECT_EQ(proof_of(to_object(make(), std::nullopt), fleet_key), Proof::forged);
    EXPECT_EQ(proof_of(to_object(make(), FleetKey{Secret{std::string(32, 'x')}}.of_host("node-7")), fleet_key),
              Proof::forged);
    EXPECT_EQ(proof_of(to_object(make(), fleet_key.of_host("node-8")), fleet_key), Proof::forged)
        << "a host that has only its own key speaks for no other";
    auto moved = read_object(to_object(make("node-8"), fleet_key.of_host("node-8")), "node-7", fleet_key);
    EXPECT_EQ(moved.value().proof, Proof::forged);
    EXPECT_EQ(moved.value().heartbeat.host, "node-7") << "it is told of the name under which it lies";
}

TEST(Heartbeats, AreNotCheckedWithoutAKeyForTheirHost) {
    auto bytes = to_object(make(), fleet_key.of_host("node-7"));
    EXPECT_EQ(proof_of(bytes, std::nullopt), Proof::not_checked);
    EXPECT_EQ(proof_of(bytes, fleet_key.of_host("node-8")), Proof::not_checked);
    EXPECT_EQ(proof_of(bytes, fleet_key.of_host("node-7")), Proof::proven);
}

TEST(Heartbeats, AreNoneWhenWhatMattersIsMissing) {
    for (std::string bytes :
         {"", "{}", "[]", "x", R"({"format":"boatswain-heartbeat-2","host":"a","time":"2026-11-23T10:00:00Z"})",
          R"({"format":"boatswain-heartbeat-1","host":"a","interval_seconds":60})",
          R"({"format":"boatswain-heartbeat-1","host":"a","time":"2026-11-23T10:00:00Z","interval_seconds":0})"})
        EXPECT_EQ(read_object(bytes, "a", std::nullopt).error().remedy, Remedy::quarantine) << bytes;
    EXPECT_FALSE(read_object(to_object(make(), std::nullopt) + std::string(heartbeat_bytes_max, ' '), "node-7", {}));
}

TEST(HeartbeatKeys, LieOutsideOfEveryTenantsPrefix) {
    EXPECT_EQ(object_key("node-7"), "v1/fleet/host=node-7.json");
    EXPECT_EQ(object_key("a/b"), "v1/fleet/host=a%2Fb.json");
    EXPECT_EQ(host_of("v1/fleet/host=a%2Fb.json"), "a/b");
    for (const char* key : {"v1/fleet/host=.json", "v1/fleet/host=a%2fb.json", "v1/fleet/host=a", "v1/fleet/x.json",
                            "v1/tenant=a/host=b.json", "v1/fleet/host=a/b.json"})
        EXPECT_FALSE(host_of(key)) << key;
}

TEST(HeartbeatStore, KeepsOneObjectForEachHostAndNamesWhatIsNone) {
    testing::TestDirectory directory;
    store::DirectoryStore store{directory / "store"};
    for (int i = 0; i < 3; ++i)
        for (const char* host : {"b", "a"}) {
            auto heartbeat = make(host);
            heartbeat.containers = i;
            ASSERT_TRUE(put(store, heartbeat, fleet_key.of_host(host)));
        }
    ASSERT_TRUE(store.put("v1/fleet/host=c.json", "garbage", crypto::sha256("garbage")));
    ASSERT_TRUE(store.put("v1/fleet/other", "not ours", crypto::sha256("not ours")));
    auto fleet = read_fleet(store, fleet_key);
    ASSERT_TRUE(fleet) << fleet.error().what;
    ASSERT_EQ(fleet->heartbeats.size(), 2U);
    EXPECT_EQ(fleet->heartbeats[0].heartbeat.host, "a");
    EXPECT_EQ(fleet->heartbeats[0].heartbeat.containers, 2U);
    EXPECT_EQ(fleet->heartbeats[1].proof, Proof::proven);
    EXPECT_THAT(fleet->problems, ElementsAre(HasSubstr("host c: not a heartbeat")));
}

TEST(FleetKeys, AreReadAsTheyWereWritten) {
    auto fresh = FleetKey::make();
    EXPECT_NE(fresh.secret(), FleetKey::make().secret());
    auto read = parse_key(to_file(fresh));
    ASSERT_TRUE(read);
    EXPECT_EQ(std::get<FleetKey>(*read).secret(), fresh.secret());
    auto host = fresh.of_host("a b");
    auto read_host = parse_key(to_file(host));
    ASSERT_TRUE(read_host);
    EXPECT_EQ(std::get<HostKey>(*read_host).host(), "a b");
    EXPECT_EQ(std::get<HostKey>(*read_host).secret(), host.secret());
}

TEST(FleetKeys, AreRefusedWithoutBeingTold) {
    auto hex = to_hex(std::string(32, 'k'));
    for (const auto& text :
         {std::string{}, hex, "boatswain-fleet-key-1 " + hex.substr(2), "boatswain-fleet-key-2 " + hex,
          "boatswain-fleet-key-1 " + hex + " x", "boatswain-host-key-1 " + hex,
          "boatswain-fleet-key-1 " + hex + "\nboatswain-fleet-key-1 " + hex}) {
        auto refused = parse_key(text);
        ASSERT_FALSE(refused) << text;
        EXPECT_THAT(refused.error().what, Not(HasSubstr(hex.substr(0, 8))));
    }
}

}  // namespace
}  // namespace boatswain::heartbeat
