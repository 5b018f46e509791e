// Every line once: whatever the hub drops, whenever segments reach the store, and however often hosts come and go.
#include "follow/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "base/seed_for_test.h"
#include "query/store_for_test.h"

namespace boatswain::follow {
namespace {

using namespace std::chrono_literals;
using query::testing::MemoryStore;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const Timestamp ten = *parse_time("2026-11-23T10:00:00Z");

// An agent with its containers: what it printed, what of that is sealed, and what of that is in the store.
class FakeHost {
  public:
    FakeHost(std::string name, MemoryStore& store, const open::Identity& identity)
        : name_(std::move(name)), store_(store), identity_(identity) {}

    void print(const std::string& source, std::size_t lines = 1) { printed_[source] += lines; }
    std::uint64_t printed(const std::string& source) const { return printed_.at(source); }
    const std::map<std::string, std::uint64_t>& all() const { return printed_; }
    // A segment of all that is not sealed; it waits for the store.
    void seal() {
        segment::SegmentParts parts{.key = query::testing::key("acme", ten, sequence_ + 1, name_, "e1"),
                                    .sealed_at = ten};
        for (auto& [id, printed] : printed_) {
            auto& sealed = sealed_[id];
            if (sealed == printed) continue;
            auto who = query::testing::source("acme", "app", id);
            segment::FrameText text{who};
            for (auto ordinal = sealed; ordinal < printed; ++ordinal) text.append(line(id, ordinal));
            segment::Compressor compressor{1};
            parts.frames.push_back({.source = parts.sources.size(),
                                    .compressed = compressor.compress(text.text()),
                                    .text_bytes = text.text().size(),
                                    .first_ordinal = sealed,
                                    .counts = text.counts()});
            parts.sources.push_back(who);
            sealed = printed;
        }
        if (parts.frames.empty()) return;
        ++sequence_;
        auto key = parts.key.str();
        std::vector<crypto::Recipient> recipients{identity_.recipient()};
        waiting_.emplace_back(key, segment::seal(std::move(parts), recipients).value().bytes);
    }
    void ship() {
        for (auto& [key, bytes] : waiting_) store_.objects[key] = std::move(bytes);
        waiting_.clear();
    }

    void join(hub::Follower& follower) {
        live_ = printed_;
        marks_.clear();
        follower.add(hub::Joined{.host = name_, .epoch = "e1", .run = "r"});
        is_joined_ = true;
    }
    void leave(hub::Follower& follower) {
        if (is_joined_) follower.add(hub::Left{.host = name_, .reason = "test"});
        is_joined_ = false;
    }
    bool is_joined() const { return is_joined_; }
    const std::string& name() const { return name_; }
    void mark(hub::Follower& follower) {
        if (!is_joined_) return;
        send(follower);
        seal();
        auto marked = std::make_shared<hub::Marked>(hub::Marked{.host = name_, .mark = ++mark_, .sources = {}});
        for (const auto& [id, printed] : printed_) marked->sources.push_back({.source = live(id), .next = printed});
        follower.add(std::shared_ptr<const hub::Marked>{marked});
        marks_.push_back(mark_);
    }
    // What is before the marks is in the store.
    void store(hub::Follower& follower) {
        ship();
        if (is_joined_)
            for (auto mark : std::exchange(marks_, {})) follower.add(hub::Stored{.host = name_, .mark = mark});
    }
    // What was printed since the last time, as the hub hands it on; `lost`: it did not.
    void send(hub::Follower& follower, bool lost = false) {
        for (auto& [id, printed] : printed_) {
            auto& from = live_[id];
            if (is_joined_ && from < printed && !lost) {
                auto source = live(id);
                segment::FrameText text{source->source};
                for (auto ordinal = from; ordinal < printed; ++ordinal) text.append(line(id, ordinal));
                auto lines = std::make_shared<hub::LiveLines>();
                lines->source = source;
                lines->first_ordinal = from;
                lines->text = text.text();
                follower.add(std::shared_ptr<const hub::LiveLines>{std::move(lines)});
            }
            from = printed;
        }
    }
    std::string of(const std::string& source, std::uint64_t ordinal) const {
        return name_ + "/" + source + " " + std::to_string(ordinal);
    }

  private:
    Line line(const std::string& source, std::uint64_t ordinal) {
        text_ = of(source, ordinal);
        return {.time = ten + std::chrono::seconds{ordinal % 600}, .bytes = text_};
    }
    hub::LiveSourcePtr live(const std::string& id) {
        auto& one = sources_[id];
        if (!one) {
            auto who = query::testing::source("acme", "app", id);
            one = std::make_shared<const hub::LiveSource>(hub::LiveSource{
                .origin = {.tenant = who.whose.tenant, .host = name_, .epoch = "e1"}, .source = who, .heading = {}});
        }
        return one;
    }

    std::string name_, text_;
    MemoryStore& store_;
    const open::Identity& identity_;
    std::map<std::string, std::uint64_t> printed_, sealed_, live_;
    std::map<std::string, hub::LiveSourcePtr> sources_;
    std::vector<std::pair<std::string, std::string>> waiting_;
    std::vector<std::uint32_t> marks_;
    std::uint32_t mark_ = 0;
    std::uint64_t sequence_ = 0;
    bool is_joined_ = false;
};

class Nobody final : public query::Observer {
    void damaged(const Error& error) override { ADD_FAILURE() << error.what; }
};

class FollowSessionTest : public ::testing::Test {
  protected:
    FollowSessionTest() : follower(made()) {}
    std::shared_ptr<hub::Follower> made() {
        return std::make_shared<hub::Follower>(
            hub::Follower::Asks{.mark = [this](const std::string& host) { marks_asked.insert(host); },
                                .streams = [this] { ++streams_asked; }});
    }

    Outside outside() {
        return {.show =
                    [this](const query::Entry& entry) {
                        shown.emplace_back(entry.text.line.bytes);
                        return shown.size() < enough;
                    },
                .note = [this](const std::string& note) { notes.push_back(note); },
                .wants = [](const query::Origin&) { return true; },
                .read = [this](const query::FilterPtr& filter, const query::TimeRange& range,
                               const std::function<bool(const query::Entry&)>& each) -> Result<void> {
                    query::Selection selection{.tenant = {}, .range = range, .filter = filter, .numbered = true};
                    query::Budget budget{64U << 20};
                    CHECK(query::read_lines(store, std::vector{identity}, selection, {.budget = budget}, nobody, each));
                    return {};
                }};
    }
    FollowSession session(bool with_hub = true) {
        return FollowSession{with_hub ? follower : nullptr, outside(), ten - 1h, *clock};
    }
    void turn(FollowSession& session, std::chrono::milliseconds later = 100ms) {
        clock->advance(later);
        ASSERT_TRUE(session.turn(0ms));
    }
    // Marks that were asked for are given.
    void answer(std::vector<FakeHost>& hosts) {
        auto asked = std::exchange(marks_asked, {});
        for (auto& host : hosts)
            if (asked.contains(host.name())) host.mark(*follower);
    }

    open::Identity identity = open::Identity::generate();
    MemoryStore store;
    std::unique_ptr<SimulatedClock> clock = std::make_unique<SimulatedClock>(ten + 10min);
    Nobody nobody;
    std::set<std::string> marks_asked;
    int streams_asked = 0;
    std::shared_ptr<hub::Follower> follower;
    std::vector<std::string> shown, notes;
    std::size_t enough = SIZE_MAX;
};

TEST_F(FollowSessionTest, HistoryComesFromTheStoreAndThenLinesAsTheyArePrinted) {
    FakeHost node{"n", store, identity};
    node.print("web", 2);
    node.join(*follower);
    node.mark(*follower);
    auto all = session();
    turn(all);
    EXPECT_THAT(shown, IsEmpty()) << "the segment is not in the store";
    node.print("web");
    node.send(*follower);
    turn(all);
    EXPECT_THAT(shown, IsEmpty()) << "no later line comes before an earlier one";
    node.store(*follower);
    turn(all, 300ms);
    EXPECT_THAT(shown, ElementsAre("n/web 0", "n/web 1", "n/web 2"));
    EXPECT_EQ(all.live_hosts(), 1U);
    node.print("db");
    node.send(*follower);
    turn(all);
    EXPECT_THAT(shown, SizeIs(4));
    EXPECT_THAT(notes, IsEmpty());
}

TEST_F(FollowSessionTest, WithoutAHubTheStoreIsAskedAgain) {
    FakeHost node{"n", store, identity};
    auto all = session(false);
    turn(all);
    node.print("web", 3);
    node.seal();
    node.ship();
    turn(all, 3s);
    node.print("web", 1);
    node.seal();
    node.ship();
    turn(all, 3s);
    turn(all, 3s);
    EXPECT_THAT(shown, ElementsAre("n/web 0", "n/web 1", "n/web 2", "n/web 3"));
}

TEST_F(FollowSessionTest, AStoreThatIsLateHoldsUpNoLiveLineAndIsShownWhenItIsThere) {
    FakeHost node{"n", store, identity};
    node.print("web", 2);
    node.join(*follower);
    node.mark(*follower);
    auto all = session();
    turn(all);
    node.print("web");
    node.send(*follower);
    turn(all, 6s);
    turn(all, 6s);
    EXPECT_THAT(shown, ElementsAre("n/web 2"));
    EXPECT_THAT(notes, SizeIs(1));
    node.store(*follower);
    turn(all);
    turn(all, 6s);
    EXPECT_THAT(shown, ElementsAre("n/web 2", "n/web 0", "n/web 1"));
}

TEST_F(FollowSessionTest, LinesThatWereDroppedComeFromTheStore) {
    std::vector<FakeHost> hosts;
    auto& node = hosts.emplace_back("n", store, identity);
    node.print("web");
    node.join(*follower);
    node.mark(*follower);
    node.store(*follower);
    auto all = session();
    turn(all, 300ms);
    turn(all, 300ms);
    node.print("web", 2);
    node.send(*follower, true);
    node.print("web");
    node.send(*follower);
    turn(all);
    EXPECT_THAT(shown, SizeIs(1));
    EXPECT_THAT(marks_asked, ElementsAre("n"));
    answer(hosts);
    turn(all);
    node.store(*follower);
    turn(all);
    EXPECT_THAT(shown, ElementsAre("n/web 0", "n/web 1", "n/web 2", "n/web 3"));
}

TEST_F(FollowSessionTest, LinesThatHisQueueDroppedComeFromTheStoreThoughNoneFollows) {
    std::vector<FakeHost> hosts;
    auto& node = hosts.emplace_back("n", store, identity);
    node.join(*follower);
    node.mark(*follower);
    node.store(*follower);
    auto all = session();
    turn(all, 300ms);
    turn(all, 300ms);
    std::size_t lines = 0;
    for (std::size_t bytes = 0; bytes <= hub::follower_bytes_max; lines += 10'000, bytes += 10'000 * 45) {
        node.print("web-" + std::to_string(lines), 10'000);
        node.send(*follower);
    }
    turn(all);
    ASSERT_THAT(marks_asked, ElementsAre("n")) << "some were dropped";
    answer(hosts);
    turn(all);
    node.store(*follower);
    turn(all);
    EXPECT_THAT(shown, SizeIs(lines));
}

TEST_F(FollowSessionTest, AHostThatIsRefusedAgainAndAgainCostsOthersNothing) {
    std::vector<FakeHost> hosts;
    auto& good = hosts.emplace_back("good", store, identity);
    good.join(*follower);
    good.mark(*follower);
    good.store(*follower);
    FakeHost refused{"refused", store, identity};
    auto all = session();
    turn(all, 300ms);
    for (int second = 0; second < 120; ++second) {
        refused.join(*follower);
        refused.leave(*follower);
        turn(all, 1s);
    }
    EXPECT_THAT(marks_asked, IsEmpty()) << "a mark is an object in the store";
    EXPECT_GE(streams_asked, 3);
    EXPECT_LE(streams_asked, 8) << "less and less often";
    EXPECT_THAT(notes, SizeIs(1));
    // A hole of the good one is not kept waiting.
    good.print("web", 2);
    good.send(*follower, true);
    good.print("web");
    good.send(*follower);
    turn(all);
    EXPECT_THAT(marks_asked, ElementsAre("good"));
}

TEST_F(FollowSessionTest, LinesThatTookTheOrdinalsOfLostOnesAreShown) {
    FakeHost node{"n", store, identity};
    node.join(*follower);
    node.mark(*follower);
    node.store(*follower);
    auto all = session();
    turn(all, 300ms);
    turn(all, 300ms);
    node.print("web", 3);
    node.send(*follower);
    turn(all);
    EXPECT_THAT(shown, SizeIs(3));
    // The agent was killed, and had sealed none of them.
    FakeHost again{"n", store, identity};
    again.print("web", 0);
    node.leave(*follower);
    again.join(*follower);
    auto marked = std::make_shared<hub::Marked>(hub::Marked{.host = "n", .mark = 9, .sources = {}});
    auto who = query::testing::source("acme", "app", "web");
    marked->sources.push_back(
        {.source = std::make_shared<const hub::LiveSource>(hub::LiveSource{
             .origin = {.tenant = who.whose.tenant, .host = "n", .epoch = "e1"}, .source = who, .heading = {}}),
         .next = 0,
         .again = false});
    follower->add(std::shared_ptr<const hub::Marked>{marked});
    follower->add(hub::Stored{.host = "n", .mark = 9});
    turn(all);
    again.print("web");
    again.send(*follower);
    turn(all);
    EXPECT_EQ(shown.back(), "n/web 0");
    EXPECT_THAT(shown, SizeIs(4));
}

TEST_F(FollowSessionTest, EndsWhenNobodyTakesMore) {
    FakeHost node{"n", store, identity};
    node.print("web", 5);
    node.seal();
    node.ship();
    enough = 2;
    auto all = session(false);
    turn(all);
    EXPECT_THAT(shown, SizeIs(2));
    EXPECT_TRUE(all.is_over());
}

// Any order of printing, sealing, shipping, dropping, joining and leaving.
TEST_F(FollowSessionTest, EveryLineIsShownOnceWhateverHappens) {
    auto seed = boatswain::testing::test_seed();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random{seed};
    auto one_in = [&](unsigned n) { return random() % n == 0; };
    for (int round = 0; round < 30; ++round) {
        store.objects.clear();
        shown.clear();
        marks_asked.clear();
        clock = std::make_unique<SimulatedClock>(ten + 10min);
        follower = made();
        std::vector<FakeHost> hosts;
        for (const char* name : {"a", "b", "c"}) hosts.emplace_back(name, store, identity);
        auto all = session();
        for (int step = 0; step < 120; ++step) {
            auto& host = hosts[random() % hosts.size()];
            switch (random() % 8) {
                case 0:
                case 1: host.print(one_in(2) ? "web" : "db", 1 + random() % 3); break;
                case 2:
                    // An agent that had to drop lines ends its stream.
                    if (one_in(4)) {
                        host.send(*follower, true);
                        host.leave(*follower);
                    } else {
                        host.send(*follower);
                    }
                    break;
                case 3: host.seal(); break;
                case 4: host.store(*follower); break;
                case 5: host.mark(*follower); break;
                case 6:
                    if (host.is_joined() && one_in(4))
                        host.leave(*follower);
                    else if (!host.is_joined())
                        host.join(*follower);
                    break;
                default: break;
            }
            answer(hosts);
            turn(all, std::chrono::milliseconds{random() % (one_in(10) ? 8'000 : 400)});
        }
        for (int end = 0; end < 8; ++end) {
            answer(hosts);
            for (auto& host : hosts) {
                host.send(*follower);
                host.seal();
                host.store(*follower);
            }
            turn(all, 6s);
        }
        std::map<std::string, int> times;
        for (const auto& line : shown) ++times[line];
        for (const auto& host : hosts)
            for (const auto& [source, lines] : host.all())
                for (std::uint64_t i = 0; i < lines; ++i)
                    ASSERT_EQ(times[host.of(source, i)], 1) << host.of(source, i) << " in round " << round;
    }
}

}  // namespace
}  // namespace boatswain::follow
