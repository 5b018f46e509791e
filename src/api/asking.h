// One question under way: what every family of routes asks of the store, within its bounds, for the one who asks.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/answers.h"
#include "api/bounded_store.h"
#include "api/questions.h"
#include "http/pieces.h"
#include "logql/evaluate.h"
#include "open/identity.h"
#include "query/merge.h"

namespace boatswain::api {

// What was met on the way, as sentences for the tenant.
class Met final : public query::Observer {
  public:
    // Errors name objects and the store: they are for our log.
    void damaged(const Error& error) override;
    void gap(const query::Entry& entry);
    const std::string& trouble() const { return trouble_; }
    std::vector<std::string> warnings(const query::Tally& tally) const;

  private:
    std::uint64_t damaged_ = 0;
    std::uint64_t gaps_ = 0;
    std::vector<std::string> said_;
    std::string trouble_;
};

class Asking {
  public:
    Asking(const Question& question, const Sources& sources, const std::atomic<bool>& given_up,
           http::PieceWriter* out = nullptr);
    Asking(const Asking&) = delete;
    Asking& operator=(const Asking&) = delete;

    Reply reply();
    // The same question once more, with bounds of its own: for one who follows.
    std::unique_ptr<Asking> again() const;
    // What another one read counts here, too.
    void count(const Asking& other) { read_elsewhere_ += other.store_.bytes(); }
    // An error as the client is told of it: whose fault it is decides who learns what.
    Reply refusal(const Error& error);
    // Of a route that streams: where its answer goes.
    http::PieceWriter& out() { return *out_; }

    const Question& question() const { return question_; }
    const Parameters& given() const { return question_.given; }
    const QuestionLimits& limits() const { return question_.limits; }
    std::chrono::milliseconds time_max() const { return question_.time_max(); }
    const std::string& version() const { return sources_.version; }
    const Clock& clock() const { return sources_.clock; }
    // Whether this server holds the tenant's identity; else its readers open what they read (routes that are sealed).
    bool has_identity() const;
    // Within the bounds of the question.
    store::Store& store() { return store_; }
    // Live lines of the tenant from now on; nullptr without a hub.
    std::shared_ptr<hub::Follower> follow() const;
    bool still_may() const { return !question_.still_may || question_.still_may(); }
    bool is_given_up() const { return given_up_; }
    bool is_ending() const { return question_.ending != nullptr && *question_.ending; }
    query::Budget& budget() { return budget_; }
    Met& met() { return met_; }

    // `query`, parsed.
    Result<logql::Query> query() const;
    Result<query::TimeRange> range() const;
    // A selector without a pipeline.
    Result<std::vector<logql::Matcher>> matchers(std::string_view text) const;
    Result<query::FilterPtr> selector(std::string_view text) const;
    // The same of `query`; nothing where it is absent or {}: everything.
    Result<query::FilterPtr> selector_if_given() const;

    logql::Ground ground();
    // Each frame that the selection wants, by its footer.
    using EachFrame = std::function<Result<void>(const query::Origin& origin, const open::FooterFrame& frame)>;
    Result<query::Tally> each_frame(const query::TimeRange& range, query::FilterPtr filter, const EachFrame& each);

    // Each source that has such a frame, once for each of its segments: what tells sources apart costs more than to look
    // at a frame, and a segment has hundreds of them.
    using EachSource = std::function<Result<void>(const query::Origin& origin)>;
    Result<query::Tally> each_source(const query::TimeRange& range, query::FilterPtr filter, const EachSource& each);

    // Whether nothing more may be read: an answer from here on would not be whole.
    bool is_over() { return store_.is_over(); }
    // Half an answer is none: the client would take it for the whole.
    Result<void> whole();
    // Memory that is kept until the question ends.
    Result<void> hold(std::uint64_t bytes, std::string_view what = "the labels of the answer");
    Effort effort(const query::Tally& tally, std::uint64_t returned) const;

  private:
    using EachFooter = std::function<Result<void>(const query::SegmentInfo& info, const open::Footer& footer,
                                                  const query::Selection&)>;
    Result<query::Tally> each_footer(const query::TimeRange& range, query::FilterPtr filter, const EachFooter& each);

    const Question& question_;
    const Sources& sources_;
    const std::atomic<bool>& given_up_;
    const std::chrono::steady_clock::time_point began_;
    BoundedStore store_;
    query::Budget budget_;
    Met met_;
    http::PieceWriter* const out_;
    query::FilterPtr scope_;
    std::vector<open::Identity> identities_;
    Path identity_file() const;

    std::vector<query::Share> held_;
    std::uint64_t read_elsewhere_ = 0;
};

}  // namespace boatswain::api
