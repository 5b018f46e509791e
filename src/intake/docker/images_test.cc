#include "intake/docker/images.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "batch/rig_for_test.h"
#include "intake/engine_logs/served_log_for_test.h"
#include "net/run_for_test.h"

namespace boatswain::intake::docker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using Is = Starter::Is;

class Engine final : public ServedLog {
  public:
    using ServedLog::ServedLog;
    engine::Task<engine::ImageFacts> image(std::string id, WordFilter) override {
        asked.push_back(id);
        while (hold) co_await net::sleep_for(std::chrono::milliseconds{1});
        if (trouble) co_return fail(*trouble, "GET /images/...: no");
        co_return engine::ImageFacts{.labels = {{"of.image", "1"}}, .environment = {{"TENANT", "globex"}}};
    }
    bool hold = false;
    std::optional<Remedy> trouble;
    std::vector<std::string> asked;
};

std::string image_id(char digit) { return "sha256:" + std::string(64, digit); }

SourceFacts container(char id, char image) {
    SourceFacts facts;
    facts.id = std::string(engine::container_id_size, id);
    facts.image_id = image_id(image);
    facts.labels = {{"of.image", "1"}, {"of.starter", "1"}};
    facts.environment = {{"TENANT", "globex"}};
    return facts;
}

class ImagesTest : public ::testing::Test {
  protected:
    void SetUp() override { tasks.spawn("ask", images.run()); }
    ~ImagesTest() override {
        tasks.cancel();
        EXPECT_TRUE(net::testing::run_to_end(io, tasks.join()));
    }
    void run_until(auto condition) { EXPECT_TRUE(net::testing::run_until(io, condition)); }

    boost::asio::io_context io;
    batch::testing::Rig rig;
    Engine engine{io};
    std::vector<std::string> learned;
    Images images{
        io.get_executor(),
        engine,
        WordFilter{},
        rig.metrics,
        rig.log,
        [this](const std::vector<std::string>& ids) { learned.insert(learned.end(), ids.begin(), ids.end()); },
        Images::Pauses{.unreachable = std::chrono::milliseconds{5}, .refused = std::chrono::milliseconds{5}}};
    net::TaskGroup tasks{io.get_executor(), rig.log};
};

TEST_F(ImagesTest, AsksOnceForEachImageAndTakesItsWordsOut) {
    auto one = container('1', 'a'), two = container('2', 'a'), other = container('3', 'b');
    EXPECT_EQ(images.starter(one).is, Is::asked);
    EXPECT_EQ(images.starter(two).is, Is::asked);
    EXPECT_EQ(images.starter(one).is, Is::asked);
    run_until([&] { return learned.size() == 2; });
    EXPECT_THAT(learned, ElementsAre(one.id, two.id));
    auto starter = images.starter(one);
    ASSERT_EQ(starter.is, Is::known);
    EXPECT_THAT(starter.facts.labels, ElementsAre(Pair("of.starter", "1")));
    EXPECT_THAT(starter.facts.environment, IsEmpty());
    EXPECT_EQ(images.starter(other).is, Is::asked);
    run_until([&] { return learned.size() == 3; });
    EXPECT_THAT(engine.asked, ElementsAre(image_id('a'), image_id('b')));
    images.forget();
    EXPECT_EQ(images.starter(one).is, Is::asked) << "other words may be kept now";
    run_until([&] { return learned.size() == 4; });
}

TEST_F(ImagesTest, LetsNoneOfTheWordsCountWhereTheImageIsGone) {
    engine.trouble = Remedy::re_resolve;
    auto one = container('1', 'a');
    EXPECT_EQ(images.starter(one).is, Is::asked);
    run_until([&] { return !learned.empty(); });
    auto starter = images.starter(one);
    EXPECT_EQ(starter.is, Is::known);
    EXPECT_THAT(starter.facts.labels, IsEmpty());
    EXPECT_THAT(starter.facts.environment, IsEmpty());
    EXPECT_THAT(starter.why, HasSubstr("what its image says is not known"));
    EXPECT_EQ(engine.asked.size(), 1U) << "and it is not asked for again";
    SourceFacts nameless = one;
    nameless.image_id = "busybox";
    EXPECT_THAT(images.starter(nameless).facts.labels, IsEmpty());
}

TEST_F(ImagesTest, WaitsForAnEngineThatIsAwayAndHoldsWhereItRefuses) {
    engine.trouble = Remedy::back_off;
    auto one = container('1', 'a');
    EXPECT_EQ(images.starter(one).is, Is::asked);
    run_until([&] { return engine.asked.size() > 2; });
    EXPECT_EQ(images.starter(one).is, Is::asked);
    EXPECT_THAT(images.trouble(), HasSubstr("GET /images"));
    EXPECT_THAT(learned, IsEmpty());
    engine.trouble = Remedy::stop;
    run_until([&] { return !learned.empty(); });
    auto held = images.starter(one);
    EXPECT_EQ(held.is, Is::held);
    EXPECT_THAT(held.why, HasSubstr("refuses"));
    learned.clear();
    engine.trouble.reset();
    run_until([&] { return !learned.empty(); });
    EXPECT_EQ(images.starter(one).is, Is::known) << "it answers now";
    EXPECT_EQ(images.trouble(), "");
}

TEST_F(ImagesTest, AsksForAFewAtATimeAndRemembersABoundedNumber) {
    engine.hold = true;
    auto numbered = [](std::size_t number) {
        auto facts = container('1', 'a');
        auto digits = std::to_string(number);
        facts.image_id = "sha256:" + std::string(64 - digits.size(), '0') + digits;
        return facts;
    };
    for (std::size_t i = 0; i < Images::images_max + 10; ++i) (void)images.starter(numbered(i));
    run_until([&] { return engine.asked.size() >= Images::asked_at_once_max; });
    net::testing::run_for(io, std::chrono::milliseconds{20});
    EXPECT_EQ(engine.asked.size(), Images::asked_at_once_max);
    engine.hold = false;
    run_until([&] { return learned.size() == Images::images_max + 10; });
    auto asked = engine.asked.size();
    (void)images.starter(numbered(Images::images_max + 10));  // one goes
    EXPECT_EQ(images.starter(numbered(Images::images_max + 9)).is, Is::known) << "not the one that was used last";
    run_until([&] { return engine.asked.size() == asked + 1; });
}

}  // namespace
}  // namespace boatswain::intake::docker
