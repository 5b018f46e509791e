#include "boatswaind/health_snapshot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace boatswain::boatswaind {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

HealthSnapshot well() {
    HealthSnapshot condition{.spool_bytes = 10, .spool_bytes_max = 100};
    condition.intakes = {{.part = "engine", .follows = true, .state = "followed"}};
    return condition;
}

std::vector<std::string> parts(const serve::Health& health) {
    std::vector<std::string> found;
    for (const auto& reason : health.reasons) found.push_back(reason.part);
    return found;
}

TEST(HealthSnapshot, AnAgentThatReadsAndShipsIsAliveAndReady) {
    EXPECT_THAT(aliveness(well()).reasons, IsEmpty());
    EXPECT_THAT(readiness(well()).reasons, IsEmpty());
    EXPECT_EQ(readiness(well()).detail.at("engine"), "followed");
}

TEST(HealthSnapshot, IsNotReadyWhileAKeyFileIsBroken) {
    auto condition = well();
    condition.key_troubles = {"acme.pub: line 1: not an age recipient"};
    EXPECT_THAT(aliveness(condition).reasons, IsEmpty());
    EXPECT_THAT(parts(readiness(condition)), ElementsAre("keyring"));
    EXPECT_THAT(readiness(condition).reasons.front().what, HasSubstr("acme.pub: line 1"));
}

TEST(HealthSnapshot, WhatComesFromOutsideIsNoReasonToBeEndedFor) {
    auto condition = well();
    condition.intakes.front() = {.part = "engine",
                                 .state = "not followed: connect: refused",
                                 .troubles = {"the engine is not followed: connect: refused"}};
    condition.reading.stuck = 2;
    condition.reading.ended_readers = {"read abc"};
    condition.sealing_trouble = "No space left on device";
    condition.shipping_trouble = "put: 503";
    condition.spool_bytes = condition.spool_bytes_max;
    EXPECT_THAT(aliveness(condition).reasons, IsEmpty());
    EXPECT_THAT(parts(readiness(condition)), ElementsAre("engine", "reading", "reading", "sealing", "spool", "store"));
    EXPECT_THAT(readiness(condition).reasons[0].what, HasSubstr("connect: refused"));
    for (const auto& part : parts(readiness(condition)))
        EXPECT_TRUE(std::ranges::find(ready_parts, part) != ready_parts.end()) << part;
}

TEST(HealthSnapshot, AnotherEngineThanBeforeIsTold) {
    auto condition = well();
    condition.intakes.front().troubles = {"another engine answers"};
    EXPECT_THAT(aliveness(condition).reasons, IsEmpty());
    EXPECT_THAT(parts(readiness(condition)), ElementsAre("engine"));
    EXPECT_EQ(readiness(condition).reasons[0].what, "another engine answers");
}

TEST(HealthSnapshot, IsNotReadyWhileAKeyWasTakenOrTheStoreRefusesASegment) {
    auto condition = well();
    condition.conflicts = {{.tenant = "acme", .key = "v1/tenant=acme/x.age", .count = 3}};
    condition.aside = {.refused = 2, .last_reason = "413 EntityTooLarge"};
    EXPECT_THAT(aliveness(condition).reasons, IsEmpty());
    EXPECT_THAT(parts(readiness(condition)), ElementsAre("store", "conflict"));
    EXPECT_THAT(readiness(condition).reasons[0].what, HasSubstr("2 segments, offered again each hour"));
    EXPECT_THAT(readiness(condition).reasons[0].what, HasSubstr("413 EntityTooLarge"));
    EXPECT_THAT(readiness(condition).reasons[1].what, HasSubstr("keys of 1 tenant,"));
    EXPECT_THAT(readiness(condition).reasons[1].what, ::testing::Not(HasSubstr("acme")));
    for (const auto& part : parts(readiness(condition)))
        EXPECT_TRUE(std::ranges::find(ready_parts, part) != ready_parts.end()) << part;
}

TEST(HealthSnapshot, OneTenantWithoutRoomOrALineThatDidNotComeBackIsToldAndALostStateHidesNothing) {
    auto condition = well();
    condition.tenants_without_room = 1;
    condition.has_canary = true;
    condition.canary_trouble = "the canary lost 1 line";
    condition.state_trouble = "the state was put aside";
    EXPECT_THAT(parts(readiness(condition)), ElementsAre("spool", "canary"));
    EXPECT_THAT(readiness(condition).reasons[0].what, HasSubstr("full for 1 tenant:"));
    EXPECT_EQ(readiness(condition).detail.at("state"), "the state was put aside");
    EXPECT_EQ(readiness(condition).detail.at("canary"), "the canary lost 1 line");
}

TEST(HealthSnapshot, WhatHasToRunForEverAndEndedIsAReasonToStartAnew) {
    auto condition = well();
    condition.intakes.front().ended_tasks = {"read log files"};
    condition.ended_tasks = {"tick"};
    ASSERT_THAT(parts(aliveness(condition)), ElementsAre("tasks", "tasks"));
    EXPECT_THAT(aliveness(condition).reasons[1].what, HasSubstr("read log files"));
    EXPECT_FALSE(readiness(condition).ok()) << "and it is not ready either";
}

TEST(HealthSnapshot, AStoreOutOfReachOfOurSandboxIsAReasonToStartAnew) {
    auto condition = well();
    condition.store_lost = "dir:/mnt/store: it is another directory than at the start";
    ASSERT_THAT(parts(aliveness(condition)), ElementsAre("store"));
    EXPECT_THAT(readiness(condition).reasons.front().what, HasSubstr("another directory"));
}

TEST(HealthSnapshot, WhereOnlyANewStartHelpsTheAgentIsNotAlive) {
    auto condition = well();
    condition.intakes.front().restart_helps = {"mount the socket's directory"};
    ASSERT_THAT(parts(aliveness(condition)), ElementsAre("engine"));
    EXPECT_THAT(aliveness(condition).reasons[0].what, HasSubstr("mount the socket's directory"));
    EXPECT_THAT(parts(readiness(condition)), ElementsAre("engine"));
}

TEST(HealthSnapshot, AWriteOrAPutThatHangsIsToldAfterItsTime) {
    auto condition = well();
    condition.sealing_for = seal_stuck_after;
    condition.putting_for = put_stuck_after;
    EXPECT_THAT(readiness(condition).reasons, IsEmpty());
    condition.sealing_for = seal_stuck_after + 1s;
    condition.putting_for = put_stuck_after + 1s;
    EXPECT_THAT(parts(readiness(condition)), ElementsAre("sealing", "store"));
    EXPECT_THAT(readiness(condition).reasons[0].what, HasSubstr("61 s"));
}

TEST(HealthSnapshot, HeldContainersAreANoteWhileOthersAreReadAndAReasonWhereNoneIs) {
    using tenancy::Lack;
    auto condition = well();
    auto& reading = condition.reading;
    reading = {.containers = 7, .reading = 1, .held = {{Lack::key, 5}, {Lack::removed_key, 1}}};
    EXPECT_TRUE(readiness(condition).ok()) << "one without a key makes no rollout wait";
    ASSERT_EQ(readiness(condition).notes.size(), 1U);
    EXPECT_EQ(readiness(condition).notes[0].part, "held");
    EXPECT_THAT(readiness(condition).notes[0].what,
                HasSubstr("6 of 7 containers are held: no key (5), its key file was removed (1)"));
    EXPECT_EQ(readiness(condition).detail.at("held"), "6");
    reading.reading = 0;
    EXPECT_THAT(parts(readiness(condition)), ElementsAre("held"));
    EXPECT_THAT(readiness(condition).notes, IsEmpty());
    EXPECT_TRUE(aliveness(condition).ok()) << "no new start helps";
    reading = {.containers = 1, .held = {{Lack::key, 1}}};
    EXPECT_EQ(held_text(reading), "1 of 1 container is held: no key");
    reading = {.containers = 1, .unreadable = 1};
    EXPECT_TRUE(readiness(condition).ok()) << "its log driver keeps nothing: whoever started it wanted that";
    EXPECT_THAT(readiness(condition).notes[0].what, HasSubstr("1 of 1 container cannot be read"));
    reading = {};
    EXPECT_TRUE(readiness(condition).ok()) << "a host without containers";
    EXPECT_THAT(readiness(condition).notes, IsEmpty());
    condition.removed_keys = {"acme.pub was removed"};
    EXPECT_EQ(readiness(condition).notes[0].part, "keyring");
}

}  // namespace
}  // namespace boatswain::boatswaind
