// Every way in which a store can be changed is noticed, or is one of those that docs/operate/verify.md names.
#include "query/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "crypto/digest.h"
#include "query/chain_for_test.h"

namespace boatswain::query {
namespace {

using namespace testing;
using std::chrono::hours;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const auto acme = open::Identity::generate();
const Timestamp ten = at("2026-11-23T10:00:00Z");

using Identities = std::vector<open::Identity>;

Verification verify(MemoryStore& store, const Identities& identities, const VerifyRequest& request = {}) {
    Budget budget;
    auto verified = verify_store(store, identities, request, budget, [](std::uint64_t, std::uint64_t) {});
    EXPECT_TRUE(verified) << verified.error().what;
    return verified ? std::move(*verified) : Verification{};
}

std::vector<std::string> problems(MemoryStore& store, const Identities& identities) {
    std::vector<std::string> found;
    for (const auto& problem : verify(store, identities).findings.problems)
        found.push_back(std::string{to_string(problem.fault)} + ": " + problem.what);
    return found;
}

std::string hash_of(std::string_view bytes) {
    crypto::Sha256 hash;
    hash.update(bytes);
    return hash.finish();
}

auto fault(Fault kind, const std::string& what) {
    return Contains(AllOf(Field(&Problem::fault, kind), Field(&Problem::what, HasSubstr(what))));
}

// Five segments, two sources, a gap; one of the sources ends in the fourth.
struct Example {
    MemoryStore store;
    ChainForTest chain{store, acme};

    Example() {
        chain.seal({{.source = "web"}, {.source = "db"}}, ten);
        chain.seal({{.source = "web", .gap = true}, {.source = "web", .lines = 3}}, ten);
        chain.seal({{.source = "db"}}, ten + hours{1});
        chain.seal({{.source = "web", .end = true}, {.source = "db"}}, ten + hours{1});
        chain.seal({{.source = "db", .lines = 4}}, ten + hours{2});
    }
    std::string& object(std::size_t number) { return store.objects[chain.names.at(number - 1)]; }
    void remove(std::size_t number) { store.objects.erase(chain.names.at(number - 1)); }
};

TEST(Verify, ProvesAStoreThatIsWhole) {
    Example example;
    auto verified = verify(example.store, {acme});
    EXPECT_TRUE(verified.proven());
    ASSERT_EQ(verified.chains.size(), 1U);
    const auto& chain = verified.chains[0];
    EXPECT_EQ(chain.first, 1U);
    EXPECT_EQ(chain.last, 5U);
    EXPECT_EQ(chain.opened, 5U);
    EXPECT_EQ(chain.lines, 19U);
    EXPECT_EQ(chain.sources, 2U);
    EXPECT_EQ(chain.ended, 1U);
    EXPECT_EQ(chain.gaps, 1U);
    ASSERT_EQ(verified.findings.gaps.size(), 1U);
    EXPECT_EQ(verified.findings.gaps[0].gap.reason, "rotated-away");
    EXPECT_EQ(verified.findings.gaps_by_reason.at("rotated-away").bytes_min, 40U);
}

TEST(Verify, ProvesNumbersAndLinksWithoutAKey) {
    Example example;
    auto verified = verify(example.store, {});
    EXPECT_TRUE(verified.proven());
    EXPECT_EQ(verified.chains.at(0).for_others, 5U);
    EXPECT_EQ(verified.chains.at(0).unlinked, 0U);
    EXPECT_EQ(verified.chains.at(0).lines, 0U);
    EXPECT_EQ(verify(example.store, {open::Identity::generate()}).chains.at(0).for_others, 5U);
}

TEST(Verify, ProvesNothingWhereThereIsNothing) {
    MemoryStore store;
    EXPECT_FALSE(verify(store, {acme}).proven());
}

TEST(Verify, NoticesEverySegmentThatIsMissingButTheFirstAndTheLastOfWhichItSaysWhereTheyAre) {
    for (const auto& identities : {Identities{}, Identities{acme}}) {
        for (std::size_t number = 2; number <= 4; ++number) {
            Example example;
            example.remove(number);
            EXPECT_THAT(problems(example.store, identities),
                        ElementsAre(HasSubstr("1 segment missing, number " + std::to_string(number))));
        }
        Example front, back;
        front.remove(1);
        back.remove(5);
        auto without_first = verify(front.store, identities), without_last = verify(back.store, identities);
        EXPECT_TRUE(without_first.proven());
        EXPECT_EQ(without_first.chains.at(0).first, 2U);
        EXPECT_TRUE(without_last.proven());
        EXPECT_EQ(without_last.chains.at(0).last, 4U);
    }
}

TEST(Verify, CountsTheLinesThatAMissingSegmentHeld) {
    Example example;
    example.remove(2);
    auto verified = verify(example.store, {acme});
    EXPECT_EQ(verified.chains.at(0).lines_missing, 5U);
    EXPECT_EQ(verified.findings.problem_count(), 1U) << "one cause, one problem";
}

TEST(Verify, NoticesEveryFlippedBitWithAKeyAndAllButThoseOfTheLastObjectWithout) {
    Example whole;
    for (std::size_t number = 1; number <= 5; ++number) {
        auto size = whole.object(number).size();
        for (std::size_t at = 0; at < size; at += 1 + size / 60) {
            auto bytes = whole.object(number);
            whole.object(number)[at] ^= static_cast<char>(1U << (at % 8));
            EXPECT_THAT(problems(whole.store, {acme}), Not(IsEmpty())) << number << " at " << at;
            if (number < 5) EXPECT_THAT(problems(whole.store, {}), Not(IsEmpty())) << number << " at " << at;
            whole.object(number) = bytes;
        }
    }
    EXPECT_THAT(problems(whole.store, {acme}), IsEmpty());
}

TEST(Verify, NoticesAnObjectThatNoKeyOpensAmongOthersOfTheTenantAndPassesOverOtherTenants) {
    Example example;
    const auto other = open::Identity::generate();
    ChainForTest rotated{example.store, other, "acme", "node-2"};
    rotated.seal({{.source = "web"}}, ten);
    ChainForTest others{example.store, other, "globex"};
    others.seal({{.source = "web"}}, ten);
    auto verified = verify(example.store, {acme});
    EXPECT_EQ(verified.findings.problem_count(), 1U);
    EXPECT_THAT(verified.findings.problems, fault(Fault::unopened, "node-2"));
    EXPECT_EQ(verified.chains.back().for_others, 1U);
    EXPECT_EQ(verified.chains.back().problems, 0U);
}

TEST(Verify, NoticesEveryCut) {
    Example whole;
    for (std::size_t number : {1U, 5U}) {
        auto bytes = whole.object(number);
        for (std::size_t size = 0; size < bytes.size(); size += 1 + bytes.size() / 60) {
            whole.object(number) = bytes.substr(0, size);
            EXPECT_THAT(problems(whole.store, {acme}), Not(IsEmpty())) << number << " to " << size;
            if (number == 1) EXPECT_THAT(problems(whole.store, {}), Not(IsEmpty())) << number << " to " << size;
        }
        whole.object(number) = bytes;
    }
}

TEST(Verify, NoticesEveryTwoObjectsThatAreExchangedAndEveryOneInPlaceOfAnother) {
    for (const auto& identities : {Identities{}, Identities{acme}})
        for (std::size_t one = 1; one <= 5; ++one)
            for (std::size_t other = 1; other <= 5; ++other) {
                if (one == other) continue;
                Example replaced;
                replaced.object(one) = replaced.object(other);
                EXPECT_THAT(problems(replaced.store, identities), Contains(HasSubstr("renamed: "))) << one << other;
                if (other < one) continue;
                Example exchanged;
                std::swap(exchanged.object(one), exchanged.object(other));
                EXPECT_THAT(problems(exchanged.store, identities), Contains(HasSubstr("renamed: "))) << one << other;
            }
}

TEST(Verify, NoticesACopyUnderAnotherName) {
    for (const auto& identities : {Identities{}, Identities{acme}}) {
        Example hour;
        hour.store.objects[key("acme", ten + hours{5}, 3).str()] = hour.object(3);
        EXPECT_THAT(problems(hour.store, identities), ElementsAre(HasSubstr("repeated: ")));
        Example appended;
        appended.store.objects[key("acme", ten + hours{2}, 6).str()] = appended.object(5);
        EXPECT_THAT(problems(appended.store, identities), Contains(HasSubstr("renamed: ")));
        Example host;
        host.store.objects[key("acme", ten, 1, "node-2").str()] = host.object(1);
        EXPECT_THAT(problems(host.store, identities), ElementsAre(HasSubstr("renamed: ")));
        Example epoch;
        epoch.store.objects[key("acme", ten, 1, "node-1", "e2").str()] = epoch.object(1);
        EXPECT_THAT(problems(epoch.store, identities), ElementsAre(HasSubstr("renamed: ")));
    }
    // The tenant is not outside: who has no key sees a chain of another tenant.
    Example other;
    other.store.objects[key("globex", ten, 1).str()] = other.object(1);
    EXPECT_THAT(problems(other.store, {acme}), ElementsAre(HasSubstr("its footer says tenant \"acme\"")));
    EXPECT_THAT(problems(other.store, {}), IsEmpty());
}

// The key of `name`, with the hash of an object that could not have it.
std::string second_name(const std::string& name, std::string_view bytes) {
    return segment::parse_object_key(name).value().second_form(hash_of(bytes)).str();
}

TEST(Verify, TakesTheSameBytesUnderBothFormsOfAKeyForOne) {
    for (const auto& identities : {Identities{}, Identities{acme}}) {
        Example example;
        for (std::size_t number : {1U, 3U, 5U})
            example.store.objects[second_name(example.chain.names[number - 1], example.object(number))] =
                example.object(number);
        auto verified = verify(example.store, identities);
        EXPECT_TRUE(verified.proven()) << problems(example.store, identities).front();
        EXPECT_EQ(verified.chains.at(0).copies, 3U);
        EXPECT_EQ(verified.chains.at(0).segments, 5U);
        EXPECT_EQ(verified.chains.at(0).lines, identities.empty() ? 0U : 19U);
    }
}

TEST(Verify, TakesASegmentThatIsThereInTheSecondFormAloneForALinkOfTheChain) {
    Example example;
    auto bytes = example.object(3);
    example.remove(3);
    example.store.objects[second_name(example.chain.names[2], bytes)] = bytes;
    for (const auto& identities : {Identities{}, Identities{acme}})
        EXPECT_TRUE(verify(example.store, identities).proven());
}

// The attacker links what he puts to the last real object, so without the host's own objects the chain is whole.
TEST(Verify, NamesBothObjectsOfANumberWhoseKeyWasTaken) {
    for (const auto& identities : {Identities{}, Identities{acme}}) {
        Example example;
        ChainForTest forger{example.store, acme};
        forger.seal({{.source = "web"}, {.source = "db"}}, ten);
        auto second = forger.names.front();
        std::vector<std::string> real;
        for (std::size_t number = 2; number <= 5; ++number) real.push_back(example.object(number));
        auto previous = to_hex(hash_of(example.store.objects[forger.names.front()]));
        example.store.objects[example.chain.names[0]] = example.store.objects[forger.names.front()];
        for (std::size_t number = 2; number <= 5; ++number)
            forger.seal({{.source = "web"}}, segment::parse_object_key(example.chain.names[number - 1])->hour);
        EXPECT_THAT(problems(example.store, identities), IsEmpty()) << "forged, and not to be told";

        example.store.objects[second_name(example.chain.names[1], real[0])] = real[0];
        EXPECT_THAT(
            problems(example.store, identities),
            ElementsAre(AllOf(HasSubstr("conflict: "), HasSubstr(".0000000002."), HasSubstr(example.chain.names[1]))));
        EXPECT_FALSE(verify(example.store, identities).proven());
    }
}

TEST(Verify, CountsTheLinesOfTheObjectThatOpensWhereTheKeyHoldsGarbage) {
    Example example;
    auto bytes = example.object(2);
    example.object(2) = "not a segment";
    example.store.objects[second_name(example.chain.names[1], bytes)] = bytes;
    auto verified = verify(example.store, {acme});
    EXPECT_EQ(verified.chains.at(0).lines, 19U);
    EXPECT_EQ(verified.chains.at(0).lines_missing, 0U);
    EXPECT_THAT(problems(example.store, {acme}), ElementsAre(HasSubstr("damaged: "), HasSubstr("conflict: ")));
}

TEST(Verify, NoticesASecondFormWhoseHashIsNotThatOfItsBytes) {
    for (const auto& identities : {Identities{}, Identities{acme}}) {
        Example example;
        example.store.objects[second_name(example.chain.names[2], "other bytes")] = example.object(3);
        EXPECT_THAT(problems(example.store, identities), Contains(HasSubstr("renamed: ")));
    }
}

// Whoever knows a recipient can seal, and knows every hash that is in the bucket: the object behind the forged one
// gives it away. What is behind the last one is not there.
TEST(Verify, NoticesAForgedObjectByTheOneBehindIt) {
    for (std::size_t number = 1; number <= 5; ++number) {
        Example example;
        segment::SegmentParts parts{.key = segment::parse_object_key(example.chain.names[number - 1]).value(),
                                    .sealed_at = ten};
        if (number > 1) parts.previous_sha256 = to_hex(hash_of(example.object(number - 1)));
        std::vector<crypto::Recipient> recipients{acme.recipient()};
        example.object(number) = segment::seal(std::move(parts), recipients).value().bytes;
        for (const auto& identities : {Identities{}, Identities{acme}}) {
            auto broken = Contains(HasSubstr("broken-link: "));
            if (number < 5)
                EXPECT_THAT(problems(example.store, identities), broken) << number;
            else
                EXPECT_THAT(problems(example.store, identities), IsEmpty());
        }
    }
}

// One who holds the key too can seal again with the right predecessor.
TEST(Verify, NoticesALastObjectThatWasSealedAnewWithoutAFrameByItsOrdinalsUnlessTheTailIsGone) {
    MemoryStore store;
    ChainForTest chain{store, acme};
    chain.seal({{.source = "web"}}, ten);
    chain.seal({{.source = "web"}, {.source = "web"}, {.source = "web"}}, ten);
    for (std::size_t frame : {0U, 1U, 2U}) {
        MemoryStore other;
        ChainForTest again{other, acme};
        again.seal({{.source = "web"}}, ten);
        other.objects[again.names[0]] = store.objects[chain.names[0]];
        again.seal({{.source = "web"}, {.source = "web"}, {.source = "web"}}, ten, [&](auto& parts) {
            parts.previous_sha256 = to_hex(hash_of(store.objects[chain.names[0]]));
            parts.frames.erase(parts.frames.begin() + static_cast<std::ptrdiff_t>(frame));
        });
        auto found = problems(other, {acme});
        if (frame < 2)
            EXPECT_THAT(found, ElementsAre(HasSubstr("lines: "))) << frame;
        else
            EXPECT_THAT(found, IsEmpty()) << "the tail of the last object, sealed by one who holds the key";
    }
}

TEST(Verify, NoticesAnObjectThatIsSealedAnewWithTheSameContent) {
    Example example;
    MemoryStore elsewhere;
    ChainForTest again{elsewhere, acme};
    again.seal({{.source = "web"}, {.source = "db"}}, ten);
    example.object(1) = elsewhere.objects[again.names[0]];
    EXPECT_THAT(problems(example.store, {}), ElementsAre(HasSubstr("broken-link: ")));
}

TEST(Verify, TakesLinesForNamedThatAGapRecordSaysCouldNotBeSealed) {
    for (std::string reason : {"unsealed", "rotated-away"}) {
        MemoryStore store;
        ChainForTest chain{store, acme};
        chain.seal({{.source = "web"}}, ten);
        chain.seal({{.source = "web", .lines = 0, .gap = true, .gap_reason = reason}, {.source = "web"}}, ten,
                   [](auto& parts) {
                       for (auto& frame : parts.frames) frame.first_ordinal += 3;
                   });
        if (reason == "unsealed")
            EXPECT_THAT(problems(store, {acme}), IsEmpty());
        else
            EXPECT_THAT(problems(store, {acme}), ElementsAre(HasSubstr("lacks 3 lines")));
    }
}

TEST(Verify, NoticesAnAgentThatCountsWrongly) {
    struct Case {
        std::function<void(segment::SegmentParts&)> change;
        Fault fault;
        std::string what;
    };
    for (const auto& [change, kind, what] : std::vector<Case>{
             {[](auto& parts) { ++parts.frames[0].counts.lines; }, Fault::miscounted, "2 lines, 12 bytes"},
             {[](auto& parts) { --parts.frames[0].counts.message_bytes; }, Fault::miscounted, "where the footer says"},
             {[](auto& parts) { parts.frames[0].counts.last_time += hours{1}; }, Fault::miscounted, "to 2026"},
             {[](auto& parts) { parts.frames[0].counts.gaps = 1; }, Fault::miscounted, "1 gaps"},
             {[](auto& parts) { parts.frames[0].counts.end->lines = 9; }, Fault::miscounted, "after 9 lines"},
             {[](auto& parts) { parts.frames[0].counts.end.reset(); }, Fault::miscounted, "and the end after"},
             {[](auto& parts) { parts.frames[0].first_ordinal = 3; }, Fault::lines, "lacks 1 line, number 2"},
             {[](auto& parts) { parts.frames[0].first_ordinal = 1; }, Fault::lines, "repeats 1 line, from number 1"},
             {[](auto& parts) { parts.frames[0].first_ordinal = UINT64_MAX; }, Fault::lines, "counts its lines from"},
             {[](auto& parts) { parts.frames[0].first_ordinal = 1; }, Fault::totals, "ended after 4 lines, and 3"}}) {
        MemoryStore store;
        ChainForTest chain{store, acme};
        chain.seal({{.source = "web"}}, ten);
        chain.seal({{.source = "web", .end = true}}, ten, change);
        EXPECT_THAT(verify(store, {acme}).findings.problems, fault(kind, what)) << what;
    }
}

TEST(Verify, NoticesATotalOfBytesThatIsNotWhatWasFoundAndLinesAfterTheEnd) {
    auto seal_end = [](ChainForTest& chain, std::uint64_t bytes) {
        chain.seal({{.source = "web"}}, ten, [&](auto& parts) {
            segment::FrameText text{parts.sources[0]};
            text.append(End{.time = ten, .reason = end_removed, .lines = 2, .bytes = bytes});
            segment::Compressor compressor{1};
            parts.frames.push_back({.source = 0,
                                    .compressed = compressor.compress(text.text()),
                                    .text_bytes = text.text().size(),
                                    .first_ordinal = 2,
                                    .counts = text.counts()});
        });
    };
    MemoryStore store;
    ChainForTest chain{store, acme};
    seal_end(chain, 12);
    EXPECT_THAT(problems(store, {acme}), IsEmpty());
    chain.seal({{.source = "web"}}, ten);
    EXPECT_THAT(problems(store, {acme}), ElementsAre(HasSubstr("goes on after its closing record")));
    MemoryStore other;
    ChainForTest wrong{other, acme};
    seal_end(wrong, 13);
    EXPECT_THAT(problems(other, {acme}), ElementsAre(HasSubstr("ended after 13 bytes, and 12 were counted")));
}

TEST(Verify, TakesASourceThatCameBackFromAnotherTenantForWhatItIs) {
    MemoryStore store;
    ChainForTest chain{store, acme};
    chain.seal({{.source = "web", .end = true}}, ten, [](auto& parts) {
        segment::FrameText text{parts.sources[0]};
        for (int i = 0; i < 2; ++i) text.append(Line{.time = ten, .bytes = "line " + std::to_string(i)});
        text.append(End{.time = ten, .reason = end_reassigned, .lines = 2});
        segment::Compressor compressor{1};
        parts.frames[0] = {.source = 0,
                           .compressed = compressor.compress(text.text()),
                           .text_bytes = text.text().size(),
                           .counts = text.counts()};
    });
    chain.seal({{.source = "web"}}, ten, [](auto& parts) { parts.frames[0].first_ordinal = 500; });
    EXPECT_THAT(problems(store, {acme}), IsEmpty());
}

TEST(Verify, FindsWhatAnAgentSealedForAnOlderHourBetweenSegmentsOfTheStretch) {
    MemoryStore store;
    ChainForTest chain{store, acme};
    chain.seal({{.source = "web"}}, ten);
    chain.seal({{.source = "old"}}, ten - hours{300});  // caught up with an old log
    chain.seal({{.source = "web"}}, ten);
    chain.seal({{.source = "web"}}, ten + hours{30});
    VerifyRequest request{.range = {.since = ten, .until = ten + hours{1}}};
    auto verified = verify(store, {acme}, request);
    EXPECT_TRUE(verified.proven());
    EXPECT_EQ(verified.chains.at(0).segments, 3U);
    EXPECT_EQ(verified.chains.at(0).last, 3U);
    EXPECT_EQ(verified.chains.at(0).last_in_store, 4U);

    request.range = {.since = ten + hours{20}};
    verified = verify(store, {acme}, request);
    EXPECT_TRUE(verified.proven()) << "its predecessor lies outside";
    EXPECT_EQ(verified.chains.at(0).first, 4U);
    EXPECT_EQ(verified.chains.at(0).begun_before, 1U);
}

TEST(Verify, KeepsTenantsHostsAndEpochsApartAndChoosesAmongThem) {
    MemoryStore store;
    for (const auto* whose : {"acme", "globex"})
        for (const auto* host : {"node-1", "node-2"}) {
            ChainForTest chain{store, acme, whose, host};
            chain.seal({{.source = "web"}}, ten);
            chain.seal({{.source = "web"}}, ten);
        }
    ChainForTest epoch{store, acme, "acme", "node-1", "e2"};
    epoch.seal({{.source = "web"}}, ten);
    EXPECT_EQ(verify(store, {acme}).chains.size(), 5U);
    EXPECT_TRUE(verify(store, {acme}).proven());
    EXPECT_EQ(verify(store, {acme}, {.tenant = tenant("globex")}).chains.size(), 2U);
    EXPECT_EQ(verify(store, {acme}, {.host = "node-1"}).chains.size(), 3U);
}

TEST(Verify, SaysWhichSegmentsHaveNoLinkOutside) {
    MemoryStore store;
    auto vector = read_file(Path{BOATSWAIN_VECTORS} / "segment/tiny", 1U << 20).value();
    store.objects[key("acme", at("2026-11-22T10:00:00Z"), 1, "node-7", "20261122T100000Z-9f3a").str()] =
        vector.substr(vector.find("\n\n") + 2);
    auto verified = verify(store, {});
    EXPECT_TRUE(verified.proven());
    EXPECT_EQ(verified.chains.at(0).unlinked, 1U);
}

TEST(Verify, StopsWhereTheStoreFails) {
    Example example;
    example.store.read_error = Error{.remedy = Remedy::back_off, .what = "503"};
    Budget budget;
    auto verified = verify_store(example.store, Identities{acme}, {}, budget, [](std::uint64_t, std::uint64_t) {});
    ASSERT_FALSE(verified);
    EXPECT_EQ(verified.error().remedy, Remedy::back_off);
}

TEST(Verify, TellsHowFarItIs) {
    Example example;
    std::vector<std::uint64_t> told;
    Budget budget;
    ASSERT_TRUE(verify_store(example.store, Identities{}, {}, budget, [&](std::uint64_t done, std::uint64_t total) {
        told.push_back(done);
        EXPECT_EQ(total, 5U);
    }));
    EXPECT_THAT(told, ElementsAre(1, 2, 3, 4, 5));
}

}  // namespace
}  // namespace boatswain::query
