// Questions to the API, answered from the store: what blocks, and runs on a worker.
//
// Invariants
//   - A question reads one tenant's objects, with that tenant's identity, which is read from its file for this question
//     and wiped behind it; and of them nothing but the apps that the token is for.
//   - Memory, bytes read and time are bounded; what goes beyond is refused with how much that is.
//   - What is wrong with the store or a key is for our log. The client learns only that it is so.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <string>

#include "api/parameters.h"
#include "api/routes.h"
#include "api/tokens.h"
#include "base/file.h"
#include "http/coding.h"
#include "http/message.h"
#include "http/pieces.h"
#include "hub/hub.h"
#include "open/identity.h"
#include "query/budget.h"
#include "store/store.h"

namespace boatswain::api {

inline constexpr std::size_t series_max = 500;
inline constexpr std::size_t warnings_max = 10;
// One who follows asks again after so long.
inline constexpr std::chrono::hours follow_time_max{1};

struct QuestionLimits {
    std::uint64_t memory = 128U << 20;      // query/budget.h
    std::uint64_t bytes_max = 64ULL << 30;  // read of the store
    std::chrono::milliseconds time_max{60'000};
    // Of an answer that is sent while it is read: its client's time counts, too.
    std::chrono::milliseconds stream_time_max{600'000};
    Nanoseconds range_max = std::chrono::hours{721};
};

struct Question {
    const Route& route;
    std::string name;  // what the path names: a label, a field
    Token who;
    Parameters given;
    bool categorised = false;
    std::string byte_range = {};  // the field Range, as sent
    Timestamp now{};
    QuestionLimits limits{};  // of this tenant
    http::Coding coding = http::Coding::none;
    std::function<bool()> still_may{};          // whether the credential is still valid; any thread may ask
    const std::atomic<bool>* ending = nullptr;  // the server ends: who follows asks another one

    std::chrono::milliseconds time_max() const { return route.streams ? limits.stream_time_max : limits.time_max; }
};

struct Reply {
    http::Answer answer;
    std::uint64_t bytes_read = 0;
    std::string trouble;   // for our log alone; empty: there is none
    bool is_whole = true;  // false: an error took the answer's place, or ended it
};

// Answers questions somewhere else than in this process (cell/cells.h). Blocks; thread-safe.
class Answering {
  public:
    virtual ~Answering() = default;
    // As answer() below, but that pieces come coded as the question wants them: `out` leaves them as they are.
    virtual Reply answer(const Question& question, const std::atomic<bool>& given_up, http::PieceWriter& out) = 0;
};

// What all questions share. Borrowed.
struct Sources {
    store::Store& store;
    Path identities;  // a directory of TENANT.key; empty: there are none, and readers open what they read
    QuestionLimits limits;
    const Clock& clock;
    std::string version = {};
    query::Crew* crew = nullptr;           // who reads for all questions; none: each has its own
    query::KnownFooters* known = nullptr;  // that earlier questions have read
    hub::Hub* hub = nullptr;               // nullptr: who follows asks the store again and again
    // Who answers what opens segments, but for those who follow; nullptr: this process.
    Answering* answering = nullptr;
    // Identities that were read already; nullptr: each question reads them of `identities`.
    const std::vector<open::Identity>* opened_with = nullptr;
};

// `out`: of a route that streams. When it has begun there, the reply is not to be sent.
Reply answer(const Question& question, const Sources& sources, const std::atomic<bool>& given_up,
             http::PieceWriter* out = nullptr);

// An error for the client, as Loki says it: plain text.
http::Answer error_answer(int status, std::string_view what);
http::Answer json_answer(std::string body);

}  // namespace boatswain::api
