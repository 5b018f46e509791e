// logs of pods, and of earlier runs.
#include "boatswain/tool_for_test.h"

namespace boatswain::tool {
namespace {

Source pod_source(std::string name, std::string id) {
    auto made = source("acme", "shop", std::move(name), std::move(id));
    made.kind = "cri";
    return made;
}

class Pods : public Tool {
  protected:
    Pods() {
        put(key("acme", ten, 1),
            {{pod_source("shop/web-0/app", "1111/app/0"), {{ten, "first"}}},
             {pod_source("shop/web-0/app", "1111/app/1"), {{ten + seconds{10}, "second"}}},
             {pod_source("shop/web-0/proxy", "1111/proxy/0"), {{ten + seconds{20}, "proxy"}}},
             {pod_source("bank/web-0/app", "2222/app/0"), {{ten + seconds{30}, "bank"}}},
             {source("acme", "shop", "web-1", std::string(64, 'a')), {{ten + seconds{40}, "docker, first"}}},
             {source("acme", "shop", "web-1", std::string(64, 'b')), {{ten + seconds{50}, "docker, second"}}}},
            acme_);
        put(key("acme", ten + std::chrono::hours{1}, 2),
            {{pod_source("shop/web-0/app", "1111/app/1"), {{ten + std::chrono::hours{1}, "second, later"}}},
             {pod_source("shop/web-0/app", "3333/app/0"), {{ten + std::chrono::hours{1} + seconds{1}, "third"}}}},
            acme_);
    }
    std::string raw(const std::string& options) { return logs("-i acme.key --output raw " + options).out; }
};

TEST_F(Pods, AreChosenByNamespacePodAndContainer) {
    EXPECT_EQ(raw("--namespace bank"), "bank\n");
    EXPECT_EQ(raw("--pod web-0 --container proxy"), "proxy\n");
    EXPECT_EQ(raw("--namespace shop --pod web-0 --container app"), "first\nsecond\nsecond, later\nthird\n");
    EXPECT_EQ(raw("--namespace shop --container 3333"), "third\n");
}

TEST_F(Pods, PreviousIsTheRunBeforeTheLastOfEachContainer) {
    EXPECT_EQ(raw("--namespace shop --pod web-0 --container app --previous"), "second\nsecond, later\n");
    EXPECT_EQ(raw("--namespace shop --pod web-0 --container app --previous --until '2026-11-23 10:30'"), "first\n");
    EXPECT_EQ(raw("--container web-1 --previous"), "docker, first\n");
    EXPECT_EQ(raw("--namespace shop --pod web-0 --container app --previous --grep later"), "second, later\n");
}

TEST_F(Pods, PreviousSaysThatThereIsNone) {
    auto ran = logs("-i acme.key --namespace bank --previous");
    EXPECT_EQ(ran.out, "");
    EXPECT_THAT(ran.err, HasSubstr("none of them has an earlier run"));
    ran = logs("-i acme.key --previous");
    EXPECT_EQ(ran.code, 2);
    EXPECT_THAT(ran.err, HasSubstr("--previous needs --container, --pod or --namespace"));
}

TEST_F(Pods, AreLabelsOfQueries) {
    auto lines = [&](const std::string& selector) {
        return query(selector, "-i acme.key --since 2026-11-23 --output raw").out;
    };
    EXPECT_EQ(lines(R"({namespace="bank"})"), "bank\n");
    EXPECT_EQ(lines(R"({namespace=~"sho.",pod="web-0",container!~".*/proxy"} |= "second")"), "second\nsecond, later\n");
    EXPECT_EQ(lines(R"({pod="",stream="stdout"})"), "docker, first\ndocker, second\n");
    EXPECT_THAT(run("boatswain labels --store dir:store -i acme.key").out, HasSubstr("namespace"));
}

TEST_F(Pods, ThatAreMisspeltAreNamed) {
    EXPECT_THAT(logs("-i acme.key --namespace shopp").err, HasSubstr("did you mean \"shop\"?"));
    EXPECT_THAT(logs("-i acme.key --pod web-O").err, HasSubstr("did you mean \"web-0\"?"));
    EXPECT_THAT(logs("-i acme.key --pod web-0 --container app").err, IsEmpty());
}

}  // namespace
}  // namespace boatswain::tool
