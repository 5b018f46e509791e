#include "cell/messages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/routes.h"
#include "cell/packing.h"
#include "cell/setup.h"

namespace boatswain::cell {
namespace {

using namespace ::testing;

std::string_view content(std::string_view message) { return message.substr(message_head_bytes); }

TEST(Messages, AQuestionArrivesAsItWasAsked) {
    api::Question question{.route = *api::route_named("label/*/values"),
                           .name = "app",
                           .who = {.tenant = TenantId::parse("acme").value(), .apps = {"shop/cart", "b"}},
                           .given = api::Parameters::of({{"query", "{}"}, {"start", "1"}}).value(),
                           .categorised = true,
                           .now = Timestamp{Nanoseconds{-7}},
                           .limits = {.memory = 1, .bytes_max = 2, .time_max = std::chrono::milliseconds{3}}};
    question.coding = http::Coding::zstd;
    auto parsed = parse_question(content(pack(question)), question.who.tenant);
    ASSERT_TRUE(parsed) << parsed.error().what;
    EXPECT_EQ(&parsed->route, &question.route);
    EXPECT_EQ(parsed->name, "app");
    EXPECT_EQ(parsed->who.apps, question.who.apps);
    EXPECT_EQ(parsed->given.all(), question.given.all());
    EXPECT_TRUE(parsed->categorised);
    EXPECT_EQ(parsed->now, question.now);
    EXPECT_EQ(parsed->limits.memory, 1);
    EXPECT_EQ(parsed->limits.bytes_max, 2);
    EXPECT_EQ(parsed->limits.time_max, std::chrono::milliseconds{3});
    EXPECT_EQ(parsed->limits.stream_time_max, question.limits.stream_time_max);
    EXPECT_EQ(parsed->limits.range_max, question.limits.range_max);
    EXPECT_EQ(parsed->coding, http::Coding::zstd);
}

TEST(Messages, CallsAndTheirAnswersArriveAsTheyWereSent) {
    auto read = parse_read_call(content(pack(ReadCall{.id = 7, .key = "a/b", .range = {1, 2, true}})));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->id, 7);
    EXPECT_EQ(read->key, "a/b");
    EXPECT_EQ(read->range.first, 1);
    EXPECT_EQ(read->range.length, 2);
    EXPECT_TRUE(read->range.suffix);
    auto list = parse_list_call(content(pack(ListCall{.id = 8, .prefix = "a/", .delimited = true, .next = "n"})));
    ASSERT_TRUE(list);
    EXPECT_EQ(list->prefix, "a/");
    EXPECT_TRUE(list->delimited);
    EXPECT_EQ(list->next, "n");
    auto bytes = parse_read_reply(content(pack(ReadReply{.id = 9, .range = {"bytes", 3, 100}})));
    ASSERT_TRUE(bytes);
    EXPECT_EQ(bytes->range.bytes, "bytes");
    EXPECT_EQ(bytes->range.first, 3);
    EXPECT_EQ(bytes->range.object_size, 100);
    auto page = parse_list_reply(content(pack(ListReply{
        .id = 10,
        .page = {.objects = {{"a/b", 5}}, .prefixes = {"a/c/"}, .next = "n", .foreign = 2, .last_foreign = "a/~"}})));
    ASSERT_TRUE(page);
    ASSERT_EQ(page->page.objects.size(), 1);
    EXPECT_EQ(page->page.objects[0].key, "a/b");
    EXPECT_EQ(page->page.objects[0].size, 5);
    EXPECT_THAT(page->page.prefixes, ElementsAre("a/c/"));
    EXPECT_EQ(page->page.next, "n");
    EXPECT_EQ(page->page.foreign, 2);
    EXPECT_EQ(page->page.last_foreign, "a/~");
    auto refused = parse_call_refused(content(pack(CallRefused{.id = 11, .remedy = Remedy::quarantine})));
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->remedy, Remedy::quarantine);
}

TEST(Messages, AnAnswerIsOfTheKindsThatOurRoutesGive) {
    auto parse = [](AnswerHead head) { return parse_answer_head(content(pack(head))).has_value(); };
    const AnswerHead good{.status = 200, .content_type = "application/json", .disposition = {}};
    auto with = [&](auto change) {
        auto head = good;
        change(head);
        return head;
    };
    EXPECT_TRUE(parse(good));
    EXPECT_TRUE(parse(with([](auto& head) { head.disposition = "attachment; filename=\"logs-1.csv\""; })));
    EXPECT_FALSE(parse(with([](auto& head) { head.content_type = "text/html"; })));
    EXPECT_FALSE(parse(with([](auto& head) { head.status = 302; })));
    EXPECT_FALSE(parse(with([](auto& head) { head.disposition = "attachment; filename=\"a\"\r\nSet-Cookie: x=\""; })));
    EXPECT_FALSE(parse(with([](auto& head) { head.disposition = "inline"; })));
}

TEST(Messages, ShortLongAndLargeOnesAreRefused) {
    auto whole = pack(ReadCall{.id = 7, .key = "a/b", .range = {1, 2, false}});
    for (auto size = message_head_bytes; size < whole.size(); ++size)
        EXPECT_FALSE(parse_read_call(content(whole.substr(0, size)))) << size;
    EXPECT_FALSE(parse_read_call(content(whole + "x")));
    EXPECT_FALSE(parse_read_call(content(pack(ReadCall{.key = "a", .range = {0, read_bytes_max + 1, false}}))));
    EXPECT_FALSE(parse_read_call(content(pack(ReadCall{.key = std::string(2000, 'a')}))));
    EXPECT_FALSE(parse_ready("").has_value());
    EXPECT_FALSE(parse_setup("abcdefg").has_value());
}

TEST(Messages, ACellsSetupArrives) {
    auto setup = parse_setup(pack(CellSetup{.tenant = TenantId::parse("acme").value(),
                                            .version = "1.2",
                                            .footer_cache = 5,
                                            .questions_max = 6,
                                            .read_ahead = 7}));
    ASSERT_TRUE(setup);
    EXPECT_EQ(setup->tenant.str(), "acme");
    EXPECT_EQ(setup->version, "1.2");
    EXPECT_EQ(setup->footer_cache, 5);
    EXPECT_EQ(setup->read_ahead, 7);
    EXPECT_EQ(setup->questions_max, 6);
}

}  // namespace
}  // namespace boatswain::cell
