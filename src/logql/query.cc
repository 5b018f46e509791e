#include "logql/query.h"

#include <algorithm>

#include "query/filter_stream.h"

namespace boatswain::logql {

namespace {

// A matcher as a filter. Of labels that no source has, the value is "".
class OfOrigin final : public query::Filter {
  public:
    explicit OfOrigin(Matcher matcher) : matcher_(std::move(matcher)) {}
    query::Match match(const query::Origin& origin) const override {
        return query::match_if(matcher_.holds(origin_label(origin, matcher_.label)));
    }
    query::Match match(const query::FrameSummary& frame) const override { return match(frame.origin); }
    query::Match match(const query::Entry& entry) const override { return match(entry.origin()); }

  private:
    Matcher matcher_;
};

query::FilterPtr filter_of(const Matcher& matcher) {
    if (matcher.label != stream_label) return std::make_shared<OfOrigin>(matcher);
    std::vector<query::FilterPtr> streams;
    for (auto stream : {Stream::out, Stream::err})
        if (matcher.holds(to_string(stream))) streams.push_back(query::stream_is(stream));
    return query::any_of(std::move(streams));
}

}  // namespace

bool Matcher::holds(std::string_view text) const {
    switch (op) {
        case MatchOperator::equal: return text == value;
        case MatchOperator::not_equal: return text != value;
        case MatchOperator::matches: return regex->matches_whole(text);
        case MatchOperator::matches_not: break;
    }
    return !regex->matches_whole(text);
}

query::FilterPtr LogQuery::filter() const {
    std::vector<query::FilterPtr> filters;
    for (const auto& matcher : matchers) filters.push_back(filter_of(matcher));
    for (const auto& stage : stages) {
        if (stage->replaces_line()) break;
        if (auto filter = stage->as_filter()) filters.push_back(std::move(filter));
    }
    return query::all_of(std::move(filters));
}

bool LogQuery::process(Record& record) const {
    return std::ranges::all_of(stages, [&](const StagePtr& stage) { return stage->process(record); });
}

}  // namespace boatswain::logql
