// What goes to one who follows, in the form of each route.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "api/asking.h"
#include "http/message.h"
#include "http/pieces.h"
#include "logql/record.h"
#include "query/filter.h"

namespace boatswain::api {

inline constexpr std::uint64_t tail_lines_default = 100, tail_lines_max = 5'000;

// Belongs to the worker that follows.
class FollowForm {
  public:
    virtual ~FollowForm() = default;
    virtual http::Answer head() const = 0;
    // `record`: what a pipeline made of a line; nullptr for what is no line. False: nobody takes more.
    virtual bool show(const query::Entry& entry, const logql::Record* record) = 0;
    // Whether records can be made by one follower for others; then show_text() takes several of them.
    virtual bool is_shared() const { return false; }
    virtual std::string text_of(const query::Entry&, const logql::Record*) const { return {}; }
    virtual bool show_text(std::string_view) { return false; }
    // A sentence for people.
    virtual void note(std::string_view text) = 0;
    // All that came was shown, history as well; so many hosts are read live.
    virtual void turn_is_over(std::size_t live_hosts) = 0;
    // Nothing was sent for a while.
    virtual void alive(Timestamp now) = 0;
    virtual void done(std::string_view why) = 0;
};

// Records as lines of JSON (docs/reading/http.md). `out` is borrowed.
std::unique_ptr<FollowForm> record_form(http::PieceWriter& out);
// Loki's messages, one a line; of history the last `limit` lines. `asking` is borrowed.
std::unique_ptr<FollowForm> tail_form(Asking& asking, std::uint64_t limit);

}  // namespace boatswain::api
