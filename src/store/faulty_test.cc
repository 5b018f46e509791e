#include "store/faulty.h"

#include <gtest/gtest.h>

#include "crypto/digest.h"
#include "store/directory.h"

namespace boatswain::store {
namespace {

class Faulty : public testing::Test {
  protected:
    void SetUp() override {
        char name[] = "/tmp/faulty_test.XXXXXX";
        ASSERT_NE(::mkdtemp(name), nullptr);
        top = name;
        directory = std::make_unique<DirectoryStore>(top);
        store = std::make_unique<FaultyStore>(*directory);
    }
    void TearDown() override { std::filesystem::remove_all(top); }
    Result<PutOutcome> put(std::string_view key) { return store->put(key, key, crypto::sha256(key)); }

    Path top;
    std::unique_ptr<DirectoryStore> directory;
    std::unique_ptr<FaultyStore> store;
};

const Error outage{.remedy = Remedy::back_off, .what = "outage"};

TEST_F(Faulty, FailsTheCallItIsToldToAndNoOther) {
    store->on_call(Operation::put, 2, {.error = outage});
    EXPECT_TRUE(put("a"));
    EXPECT_FALSE(put("b"));
    EXPECT_TRUE(store->read("a"));
    EXPECT_FALSE(directory->read("b"));
    EXPECT_EQ(put("b"), PutOutcome::created);
    EXPECT_EQ(store->calls(Operation::put), 3U);
}

TEST_F(Faulty, LosesTheAnswerOfAPutThatWasDone) {
    store->on_call(Operation::put, 1, {.when = Fault::When::after, .error = outage});
    EXPECT_FALSE(put("a"));
    EXPECT_EQ(put("a"), PutOutcome::already_there);
}

TEST_F(Faulty, FailsEveryCallUntilItHeals) {
    store->on_every_call(Operation::list, {.error = outage});
    EXPECT_FALSE(store->list("", false, {}));
    EXPECT_FALSE(store->list("", false, {}));
    store->heal();
    EXPECT_TRUE(store->list("", false, {}));
}

TEST_F(Faulty, OnlyDelaysWithoutAnError) {
    using namespace std::chrono_literals;
    store->on_every_call(Operation::probe, {.delay = 20ms});
    auto began = std::chrono::steady_clock::now();
    EXPECT_TRUE(store->probe());
    EXPECT_GE(std::chrono::steady_clock::now() - began, 20ms);
}

}  // namespace
}  // namespace boatswain::store
