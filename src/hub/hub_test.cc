// Agent and hub over a real socket: a batcher as the daemon has it, an uplink, and those who follow.
#include "hub/hub.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <exception>
#include <functional>

#include "batch/rig_for_test.h"
#include "net/run_for_test.h"
#include "open/segment_reader.h"
#include "uplink/uplink.h"

namespace boatswain::hub {
namespace {

using namespace std::chrono_literals;
using batch::testing::Rig;
using batch::testing::source;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const Timestamp ten = *parse_time("2026-11-23T10:20:00Z");
const TenantId acme = TenantId::parse("acme").value(), umbrella = TenantId::parse("umbrella").value();

// What a follower was told, as text: lines as "SOURCE ORDINAL MESSAGE".
struct Heard {
    std::vector<std::string> lines;
    std::vector<std::string> hosts;   // "+node-7", "-node-7"
    std::vector<std::string> places;  // "SOURCE NEXT" of the last mark
    std::vector<std::uint32_t> marks, stored;
    bool dropped = false;

    void hear(const LiveEvent& event) {
        if (const auto* joined = std::get_if<Joined>(&event)) hosts.push_back("+" + joined->host);
        if (const auto* left = std::get_if<Left>(&event)) hosts.push_back("-" + left->host);
        if (const auto* one = std::get_if<Stored>(&event)) stored.push_back(one->mark);
        if (const auto* marked = std::get_if<std::shared_ptr<const Marked>>(&event)) {
            marks.push_back((*marked)->mark);
            places.clear();
            for (const auto& place : (*marked)->sources)
                places.push_back(place.source->source.id + " " + std::to_string(place.next) +
                                 (place.again ? "" : " once"));
            std::ranges::sort(places);
        }
        if (const auto* some = std::get_if<std::shared_ptr<const LiveLines>>(&event)) {
            auto ordinal = (*some)->first_ordinal;
            EXPECT_TRUE(open::for_each_entry((*some)->text, [&](const open::TextEntry& entry) {
                if (entry.kind == open::TextEntry::Kind::line)
                    lines.push_back((*some)->source->source.id + " " + std::to_string(ordinal++) + " " +
                                    std::string{entry.line.bytes});
                return true;
            }));
        }
    }
};

class HubTest : public ::testing::Test {
  protected:
    HubTest() { open_hub(fleet); }
    ~HubTest() override {
        hang_up.emit(boost::asio::cancellation_type::terminal);
        close_server();
        net::testing::run_for(io, 50ms);
        uplink.reset();
        feeds.clear();
    }

    void open_hub(const heartbeat::FleetKey& key, const std::string& address = "127.0.0.1:0") {
        hub = std::make_unique<Hub>(io.get_executor(), key, rig.metrics, rig.log);
        open_server(address);
    }
    void open_server(const std::string& address) {
        server = std::move(
            http::Server::open(io.get_executor(), address, hub->handler(), {.limits = Hub::limits()}).value());
        served = false;
        boost::asio::co_spawn(io, server->run(), [this](const std::exception_ptr&) { served = true; });
    }
    void close_server() {
        server->stop();
        EXPECT_TRUE(until([this] { return served; }));
    }
    void dial() {
        uplink.emplace(io.get_executor(), uplink::parse_hub("http://" + server->address()).value(), nullptr, self,
                       ground, rig.log);
        boost::asio::co_spawn(io, uplink->run(),
                              boost::asio::bind_cancellation_slot(hang_up.slot(), boost::asio::detached));
    }
    std::shared_ptr<Follower> follow(const TenantId& tenant = acme) { return hub->follow(tenant, {identity}); }
    // Turns both sides until it holds.
    bool until(const std::function<bool()>& holds, Follower& follower, Heard& heard) {
        return net::testing::run_until(io, [&] {
            auto taken = follower.take(0ms);
            heard.dropped = heard.dropped || taken.dropped;
            for (const auto& event : taken.events) heard.hear(event);
            return holds();
        });
    }
    bool until(const std::function<bool()>& holds) { return net::testing::run_until(io, holds); }
    batch::Feed& feed(const std::string& id, const TenantId& tenant = acme, bool unreplayable = false) {
        feeds.push_back(rig.batcher->open_feed(source(id, tenant.str()), {identity.recipient()}, {}, unreplayable));
        return *feeds.back();
    }
    void print(batch::Feed& feed, std::string_view line) {
        feed.append(Line{.time = ten, .bytes = line});
        feed.mark(FilePosition{.device = 1, .out_offset = ++offset});
    }
    void pass_second() { rig.clock.advance(1s); }

    boost::asio::io_context io{1};
    boost::asio::cancellation_signal hang_up;
    open::Identity identity = open::Identity::generate();
    heartbeat::FleetKey fleet = heartbeat::FleetKey::make();
    Rig rig;
    std::vector<std::unique_ptr<batch::Feed>> feeds;
    uplink::StreamGround ground{*rig.batcher, *rig.sealing, *rig.spool, rig.clock, rig.metrics};
    uplink::Self self{.key = fleet.of_host("node-7"), .version = "1", .run = "run-1"};
    std::unique_ptr<Hub> hub;
    std::unique_ptr<http::Server> server;
    bool served = false;
    std::optional<uplink::Uplink> uplink;
    std::uint64_t offset = 0;
};

TEST_F(HubTest, LinesBehindAMarkComeLiveAndWhatIsBeforeItIsInTheStore) {
    auto& web = feed("web");
    print(web, "before");
    print(web, "before, too");
    dial();
    auto follower = follow();
    Heard heard;
    ASSERT_TRUE(until([&] { return !heard.marks.empty(); }, *follower, heard));
    EXPECT_THAT(heard.hosts, ElementsAre("+node-7"));
    EXPECT_THAT(heard.places, ElementsAre("web 2"));
    ASSERT_TRUE(rig.drain());
    ASSERT_TRUE(until([&] { return rig.spool->count() == 1; }));
    net::testing::run_for(io, 300ms);
    EXPECT_TRUE(until([] { return true; }, *follower, heard));
    EXPECT_THAT(heard.stored, IsEmpty()) << "the segment waits in the spool";
    rig.take_all();
    ASSERT_TRUE(until([&] { return !heard.stored.empty(); }, *follower, heard));
    print(web, "live");
    print(web, "and on");
    ASSERT_TRUE(until([&] { return heard.lines.size() == 2; }, *follower, heard));
    EXPECT_THAT(heard.lines, ElementsAre("web 2 live", "web 3 and on"));
}

TEST_F(HubTest, AContainerThatStartsIsSeenAndATenantSeesItsOwnAlone) {
    dial();
    auto ours = follow(), theirs = follow(umbrella);
    Heard at_ours, at_theirs;
    ASSERT_TRUE(until([&] { return !at_ours.stored.empty(); }, *ours, at_ours));
    ASSERT_TRUE(until([&] { return !at_theirs.stored.empty(); }, *theirs, at_theirs));
    print(feed("web"), "mine");
    print(feed("db", umbrella), "theirs");
    ASSERT_TRUE(until([&] { return !at_ours.lines.empty(); }, *ours, at_ours));
    ASSERT_TRUE(until([&] { return !at_theirs.lines.empty(); }, *theirs, at_theirs));
    EXPECT_THAT(at_ours.lines, ElementsAre("web 0 mine"));
    EXPECT_THAT(at_theirs.lines, ElementsAre("db 0 theirs"));
}

TEST_F(HubTest, AHostThatDoesNotProveItsKeyIsNotLetIn) {
    self.key = heartbeat::FleetKey::make().of_host("node-7");
    dial();
    ASSERT_TRUE(until([&] { return uplink->trouble().has_value(); }));
    EXPECT_THAT(*uplink->trouble(), HasSubstr("does not prove its key"));
    EXPECT_THAT(rig.metrics.text(), HasSubstr("boatswain_hub_agents 0"));
}

TEST_F(HubTest, LinesOfNewKeysComeInAPartOfTheirOwnAndForOthersNot) {
    dial();
    auto follower = follow();
    Heard heard;
    ASSERT_TRUE(until([&] { return !heard.stored.empty(); }, *follower, heard));
    print(feed("web"), "old key");
    auto stranger = open::Identity::generate();
    feeds.push_back(rig.batcher->open_feed(source("both"), {stranger.recipient(), identity.recipient()}, {}, false));
    print(*feeds.back(), "two keys");
    feeds.push_back(rig.batcher->open_feed(source("other"), {stranger.recipient()}, {}, false));
    print(*feeds.back(), "not for us");
    print(feed("web-2"), "last");
    ASSERT_TRUE(until([&] { return heard.lines.size() == 3; }, *follower, heard));
    std::ranges::sort(heard.lines);
    EXPECT_THAT(heard.lines, ElementsAre("both 0 two keys", "web 0 old key", "web-2 0 last"));
}

TEST_F(HubTest, SourcesThatCannotBeReadAgainAreSaid) {
    feed("web");
    feed("attached", acme, true);
    dial();
    auto follower = follow();
    Heard heard;
    ASSERT_TRUE(until([&] { return !heard.marks.empty(); }, *follower, heard));
    EXPECT_THAT(heard.places, ElementsAre("attached 0 once", "web 0"));
}

TEST_F(HubTest, ALaterFollowerGetsAMarkOfHisOwnAndMarksAreASecondApart) {
    auto& web = feed("web");
    dial();
    auto first = follow();
    Heard heard;
    ASSERT_TRUE(until([&] { return !heard.stored.empty(); }, *first, heard));
    print(web, "one");
    auto second = follow();
    Heard later;
    net::testing::run_for(io, 400ms);
    ASSERT_TRUE(until([] { return true; }, *second, later));
    EXPECT_THAT(later.marks, IsEmpty()) << "the agent's clock stands still";
    pass_second();
    ASSERT_TRUE(until([&] { return !later.marks.empty(); }, *second, later));
    EXPECT_THAT(later.places, ElementsAre("web 1"));
}

TEST_F(HubTest, AConnectionThatEndsIsMadeAgainAndMarkedAgain) {
    auto& web = feed("web");
    dial();
    auto follower = follow();
    Heard heard;
    ASSERT_TRUE(until([&] { return !heard.stored.empty(); }, *follower, heard));
    auto address = server->address();
    close_server();
    ASSERT_TRUE(until([&] { return heard.hosts.size() == 2; }, *follower, heard));
    print(web, "while nobody listened");
    open_server(address);
    ASSERT_TRUE(until([&] { return heard.marks.size() == 2; }, *follower, heard));
    EXPECT_THAT(heard.hosts, ElementsAre("+node-7", "-node-7", "+node-7"));
    EXPECT_THAT(heard.places, ElementsAre("web 1")) << "it comes from the store";
    print(web, "live again");
    ASSERT_TRUE(until([&] { return !heard.lines.empty(); }, *follower, heard));
    EXPECT_THAT(heard.lines, ElementsAre("web 1 live again"));
}

TEST_F(HubTest, AFollowerThatDoesNotTakeLosesLinesAndIsTold) {
    dial();
    auto follower = follow();
    Heard heard;
    ASSERT_TRUE(until([&] { return !heard.stored.empty(); }, *follower, heard));
    auto& web = feed("web");
    std::string large(400U << 10, 'x');
    for (int i = 0; i < 12; ++i) {
        print(web, large);
        net::testing::run_for(io, 150ms);
    }
    ASSERT_TRUE(until([&] { return heard.dropped; }, *follower, heard));
    auto had = heard.lines.size();
    EXPECT_LT(had, 12U);
    print(web, "behind");
    ASSERT_TRUE(until([&] { return heard.lines.size() > had; }, *follower, heard));
    EXPECT_EQ(heard.lines.back(), "web 12 behind");
}

TEST_F(HubTest, AStreamThatHadToDropLinesEndsAndBeginsAgainWhenItIsAskedFor) {
    auto& web = feed("web");
    dial();
    auto follower = follow();
    Heard heard;
    ASSERT_TRUE(until([&] { return !heard.stored.empty(); }, *follower, heard));
    std::string large(900U << 10, 'x');
    for (int i = 0; i < 3; ++i) print(web, large);
    ASSERT_TRUE(until([&] { return heard.hosts.size() == 2; }, *follower, heard));
    follower->ask_streams();
    ASSERT_TRUE(until([&] { return heard.marks.size() == 2; }, *follower, heard));
    EXPECT_THAT(heard.hosts, ElementsAre("+node-7", "-node-7", "+node-7"));
    EXPECT_THAT(heard.places, ElementsAre("web 3"));
    follower->ask_mark("another-host");
    follower->ask_mark("node-7");
    pass_second();
    ASSERT_TRUE(until([&] { return heard.marks.size() == 3; }, *follower, heard));
}

TEST_F(HubTest, NothingIsAskedOfAnAgentWhenNobodyFollows) {
    auto& web = feed("web");
    dial();
    auto follower = follow();
    Heard heard;
    ASSERT_TRUE(until([&] { return !heard.stored.empty(); }, *follower, heard));
    follower.reset();
    ASSERT_TRUE(
        until([&] { return rig.metrics.text().find("boatswain_hub_followed_tenants 0") != std::string::npos; }));
    net::testing::run_for(io, 300ms);
    print(web, "for nobody");
    auto before = rig.metrics.text();
    net::testing::run_for(io, 300ms);
    auto bytes = [](const std::string& text) {
        return text.substr(text.find("boatswain_hub_record_bytes_total "), 60);
    };
    EXPECT_EQ(bytes(before), bytes(rig.metrics.text()));
}

TEST(HubAddressTest, IsAUrlWithoutAPath) {
    EXPECT_EQ(uplink::parse_hub("https://logs.example.com").value().address.port, 3101);
    EXPECT_EQ(uplink::parse_hub("http://[::1]:99/").value().address.host, "::1");
    EXPECT_FALSE(uplink::parse_hub("http://[::1]:99").value().tls);
    for (auto* wrong : {"", "logs.example.com", "ftp://x", "https://", "https://x/path", "https://user@x",
                        "https://x:0", "unix:/run/x", "https:///run/x"})
        EXPECT_FALSE(uplink::parse_hub(wrong)) << wrong;
}

}  // namespace
}  // namespace boatswain::hub
