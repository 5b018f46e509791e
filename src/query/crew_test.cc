#include "query/crew.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <semaphore>

namespace boatswain::query {
namespace {

// Pieces of one question: each is `piece()`, and says that there is another one as long as there is.
class Pieces final : public Crew::Work {
  public:
    Pieces(Crew& crew, int count, std::function<void()> piece) : crew_(crew), left_(count), piece_(std::move(piece)) {
        crew_.enlist(*this);
    }
    ~Pieces() override { crew_.dismiss(*this); }
    void do_one(open::FrameOpener&) override {
        if (take()) piece_();
    }
    bool take() {
        auto left = left_--;
        if (left > 1) crew_.call(*this);
        return left > 0;
    }
    void do_rest() {
        while (take()) piece_();
    }

  private:
    Crew& crew_;
    std::atomic<int> left_;
    std::function<void()> piece_;
};

TEST(Crew, DoesEveryPieceOnceWithSoManyHandsAtMost) {
    std::atomic<int> done = 0, at_once = 0, most = 0;
    auto piece = [&] {
        auto now = ++at_once;
        for (auto known = most.load(); known < now && !most.compare_exchange_weak(known, now);) {
        }
        ++done;
        --at_once;
    };
    Crew crew{3};
    {
        Pieces one{crew, 500, piece}, other{crew, 500, piece}, third{crew, 500, piece};
        for (auto* work : {&one, &other, &third}) crew.call(*work);
        for (auto* work : {&one, &other, &third}) work->do_rest();
    }
    EXPECT_EQ(done, 1500);
    EXPECT_LE(most, 3 + 1) << "the hands, and the one who asks";
    EXPECT_LE(crew.hands(), 3U);
}

TEST(Crew, ALongQuestionDoesNotKeepAnotherWaiting) {
    Crew crew{1};
    std::atomic<int> of_long = 0;
    std::binary_semaphore is_done{0};
    std::atomic<int> seen = -1;
    Pieces endless{crew, 1'000'000'000, [&] { ++of_long; }};
    crew.call(endless);
    while (of_long < 10) std::this_thread::yield();
    Pieces brief{crew, 1, [&] {
                     seen = of_long.load();
                     is_done.release();
                 }};
    crew.call(brief);
    is_done.acquire();
    EXPECT_GE(seen, 10) << "it came in its turn, between pieces of the other";
}

TEST(Crew, WhoIsDismissedIsLeftAlone) {
    Crew crew{4};
    for (int round = 0; round < 200; ++round) {
        auto alive = std::make_unique<std::atomic<int>>(0);
        {
            Pieces work{crew, 50, [&] { ++*alive; }};
            crew.call(work);
            if (round % 2) work.do_rest();
        }
        alive.reset();  // the address sanitizer sees who comes later
    }
}

TEST(Crew, WithoutHandsWhoAsksDoesAll) {
    Crew crew{0};
    int done = 0;
    Pieces work{crew, 10, [&] { ++done; }};
    crew.call(work);
    work.do_rest();
    EXPECT_EQ(done, 10);
    EXPECT_EQ(crew.hands(), 0U);
}

}  // namespace
}  // namespace boatswain::query
