#include "intake/pod_watch/pod_event.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "intake/pod_watch/known_pods.h"
#include "intake/pod_watch/watch_lines.h"

namespace boatswain::intake::cri {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using Is = PodEvent::Is;

WordFilter filter() {
    return {.label = [](std::string_view key) { return key == "pod-label:team" || key == "pod-annotation:a/b"; },
            .more_labels = [](std::string_view key) { return key.starts_with("pod-label:app"); }};
}

// As an API server of 1.30 writes it, asked for the metadata alone.
std::string event(const std::string& type, const std::string& metadata) {
    return R"({"type":")" + type +
           R"(","object":{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{)" + metadata +
           "}}}";
}
std::string pod(const std::string& more = "", const std::string& uid = "u-1") {
    return R"("name":"web-0","namespace":"shop","uid":")" + uid + R"(","resourceVersion":"812")" + more;
}

TEST(PodEvent, SaysWhichPodItIsAndWhatRulesRead) {
    auto told = parse_pod_event(
        event("ADDED",
              pod(R"(,"labels":{"team":"blue","app":"web","other":"x"},"annotations":{"a/b":"c","b":"secret"})")),
        filter());
    ASSERT_TRUE(told) << told.error().what;
    EXPECT_EQ(told->is, Is::there);
    EXPECT_EQ(told->pod, (Pod{"shop", "web-0", "u-1"}));
    EXPECT_EQ(told->version, "812");
    EXPECT_THAT(told->attributes, ElementsAre(Pair("pod-annotation:a/b", "c"), Pair("pod-label:app", "web"),
                                              Pair("pod-label:team", "blue")));
}

TEST(PodEvent, KnowsAStaticPodByItsKubeletsUid) {
    auto told =
        parse_pod_event(event("MODIFIED", pod(R"(,"annotations":{"kubernetes.io/config.mirror":"abc123"})")), filter());
    ASSERT_TRUE(told);
    EXPECT_EQ(told->pod.uid, "abc123");
}

TEST(PodEvent, IsAnEndABookmarkOrARefusal) {
    EXPECT_EQ(parse_pod_event(event("DELETED", pod()), filter())->is, Is::gone);
    auto mark = parse_pod_event(event("BOOKMARK", R"("resourceVersion":"900")"), filter());
    EXPECT_EQ(mark->is, Is::bookmark);
    EXPECT_EQ(mark->version, "900");
    auto error = [](const std::string& status) {
        return *parse_pod_event(R"({"type":"ERROR","object":{"kind":"Status",)" + status + "}}", filter());
    };
    EXPECT_EQ(error(R"("code":410,"reason":"Gone")").is, Is::expired);
    EXPECT_EQ(error(R"("code":500,"reason":"Expired")").is, Is::expired);
    EXPECT_EQ(error(R"("code":500,"message":"etcd\u001b is away")").is, Is::refused);
    EXPECT_EQ(error(R"("code":500,"message":"etcd\u001b is away")").why, "etcd\\x1b is away");
}

TEST(PodEvent, ThatCannotBeUnderstoodIsRefused) {
    for (const auto& line :
         {std::string{"{"}, std::string{"[]"}, event("ADDED", R"("name":"web-0","namespace":"shop","uid":"u")"),
          event("EXPLODED", pod()), event("ADDED", pod("", "u/../1")), event("ADDED", pod("", "")),
          event("BOOKMARK", R"("resourceVersion":"9&watch=0")"), event("BOOKMARK", R"("resourceVersion":12)"),
          event("BOOKMARK", R"("resourceVersion":")" + std::string(version_bytes_max + 1, '1') + "\""),
          event("ADDED", R"("name":"../x","namespace":"shop","uid":"u","resourceVersion":"1")")}) {
        auto told = parse_pod_event(line, filter());
        ASSERT_FALSE(told) << line;
        EXPECT_EQ(told.error().remedy, Remedy::quarantine);
        EXPECT_THAT(told.error().what, HasSubstr("an event of the API server"));
    }
}

TEST(PodEvent, KeepsNoWordThatIsTooLong) {
    auto told = parse_pod_event(event("ADDED", pod(R"(,"annotations":{"a/b":")" + std::string(1U << 20, 'x') + "\"}")),
                                filter());
    ASSERT_TRUE(told);
    EXPECT_THAT(told->attributes, ElementsAre(Pair("pod-annotation:a/b", word_too_long)));
}

TEST(StatusMessage, IsPrintableOrNothing) {
    EXPECT_EQ(status_message(R"({"kind":"Status","message":"pods is forbidden\n"})"), "pods is forbidden\\x0a");
    EXPECT_EQ(status_message("<html>"), "");
    EXPECT_LE(status_message(R"({"message":")" + std::string(10'000, 'x') + "\"}").size(), 210U);
}

TEST(WatchLines, AreTheSameInWhateverPiecesTheyCome) {
    std::string text = "one\n\ntwo\r\nthree\nfour";
    for (std::size_t piece = 1; piece <= text.size(); ++piece) {
        std::vector<std::string> lines;
        WatchLines split;
        for (std::string_view rest = text; !rest.empty(); rest.remove_prefix(std::min(piece, rest.size())))
            split.take(rest.substr(0, piece), [&](std::string line) { lines.push_back(std::move(line)); });
        EXPECT_THAT(lines, ElementsAre("one", "two\r", "three")) << piece;
    }
}

TEST(WatchLines, LeaveOutWhatIsTooLongAndGoOnBehindIt) {
    std::vector<std::string> lines;
    WatchLines split;
    auto take = [&](const std::string& bytes) {
        split.take(bytes, [&](std::string line) { lines.push_back(std::move(line)); });
    };
    take("before\n");
    for (int piece = 0; piece < 5; ++piece) take(std::string(1U << 20, 'x'));
    take("x\nbehind\n");
    EXPECT_THAT(lines, ElementsAre("before", "behind"));
    EXPECT_EQ(split.too_long(), 1U);
    take("half");
    split.begin_again();
    take("whole\n");
    EXPECT_EQ(lines.back(), "whole");
}

PodEvent said(const std::string& uid, Is is = Is::there, const std::string& team = "blue") {
    PodEvent event{.is = is, .pod = {"shop", "web-0", uid}};
    if (is == Is::there) event.attributes = {{"pod-label:team", team}};
    return event;
}
bool nobody(const Pod&) { return false; }

TEST(KnownPods, AreKnownUntilTheyAreGoneAndNobodyNeedsThem) {
    KnownPods known;
    EXPECT_TRUE(known.take(said("a")));
    EXPECT_FALSE(known.take(said("a", Is::there, "green"))) << "what was assigned stays";
    EXPECT_EQ(known.find({"shop", "web-0", "a"})->at("pod-label:team"), "green") << "for runs that come later";
    EXPECT_EQ(known.find({"bank", "web-0", "a"}), nullptr) << "the same uid in another namespace is nobody's";
    known.forget(nobody, true);
    EXPECT_EQ(known.size(), 1U);
    EXPECT_FALSE(known.take(said("a", Is::gone)));
    known.forget([](const Pod& pod) { return pod.uid == "a"; }, true);
    EXPECT_EQ(known.size(), 1U) << "its log is still read";
    known.forget(nobody, false);
    EXPECT_EQ(known.size(), 0U);
    EXPECT_EQ(known.bytes(), 0U);
}

TEST(KnownPods, ThatAreNotSaidAgainAreGone) {
    KnownPods known;
    known.take(said("a"));
    known.take(said("b"));
    known.begin_again();
    EXPECT_FALSE(known.is_current({"shop", "web-0", "b"}));
    EXPECT_TRUE(known.take(said("b"))) << "more of it may be wanted now";
    EXPECT_TRUE(known.is_current({"shop", "web-0", "b"}));
    known.forget(nobody, false);
    EXPECT_EQ(known.size(), 2U) << "not all were said yet";
    known.forget(nobody, true);
    EXPECT_EQ(known.find({"shop", "web-0", "a"}), nullptr);
    EXPECT_NE(known.find({"shop", "web-0", "b"}), nullptr);
}

TEST(KnownPods, AreBounded) {
    KnownPods known;
    for (std::size_t i = 0; i < known_pods_max + 10; ++i) known.take(said(std::to_string(i)));
    EXPECT_EQ(known.size(), known_pods_max);
    EXPECT_EQ(known.passed_over(), 10U);
}

}  // namespace
}  // namespace boatswain::intake::cri
