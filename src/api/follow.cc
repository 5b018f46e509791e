// Following: history, then lines as they are printed, as records that go on and on.
#include <algorithm>

#include "api/asking.h"
#include "api/follow_forms.h"
#include "api/parameters.h"
#include "api/routes.h"
#include "follow/session.h"
#include "logql/entry_query.h"
#include "open/text.h"

namespace boatswain::api {
namespace {

constexpr std::chrono::milliseconds look_pause{200};
// A client, and whatever is between, sees that the answer goes on.
constexpr std::chrono::seconds alive_pause{10};
// Whether the one who follows still may is asked so often: a token that was revoked or has expired ends it.
constexpr std::chrono::seconds may_pause{5};

class Following {
  public:
    Following(Asking& asking, const logql::LogQuery& query, FollowForm& form)
        : asking_(asking),
          form_(form),
          ground_(ground_of(asking)),
          lines_(ground_, query),
          query_(query),
          shared_question_(question_of(asking)) {}

    // Until it is over; the body of the answer says why.
    Result<http::Answer> run(Timestamp since) {
        follow::FollowSession session{asking_.follow(), outside(), since, asking_.clock()};
        asking_.out().begin(form_.head());
        auto began = asking_.clock().steady();
        std::string_view why;
        while (why.empty()) {
            CHECK(session.turn(look_pause));
            if (session.has_history()) form_.turn_is_over(session.live_hosts());
            tell_alive();
            why = end_of(session, began);
            if (!asking_.out().flush()) return http::Answer{};
        }
        form_.done(why);
        (void)asking_.out().finish();
        return http::Answer{.body = std::string{why}};
    }

  private:
    static logql::Ground ground_of(Asking& asking) {
        auto ground = asking.ground();
        ground.levels = true;
        ground.numbered = true;
        return ground;
    }

    // What all who share a form have in common, beside the tenant.
    static std::string question_of(const Asking& asking) {
        std::string text;
        for (const auto& app : asking.question().who.apps) text += std::to_string(app.size()) + ":" + app + ",";
        return text + ";" + std::string{asking.given().value("query")};
    }

    follow::Outside outside() {
        return {
            .show = [this](const query::Entry& entry) { return show(entry); },
            .show_whole = [this](const hub::LiveLines& lines) { return show_whole(lines); },
            .note = [this](const std::string& note) { form_.note(note); },
            .wants = [this](const query::Origin& origin) { return lines_.wants(origin); },
            .read = [this](const query::FilterPtr& filter, const query::TimeRange& range,
                           const std::function<bool(const query::Entry&)>& each) { return read(filter, range, each); }};
    }

    bool show(const query::Entry& entry) {
        const logql::Record* record = nullptr;
        if (!lines_.lets_through(entry, record)) return true;
        told_ = asking_.clock().steady();
        return form_.show(entry, record);
    }

    // Many look at the same: what they see of it is made once.
    std::optional<std::uint64_t> show_whole(const hub::LiveLines& lines) {
        if (!form_.is_shared()) return std::nullopt;
        auto made = lines.forms.of(shared_question_, [&] { return form_of(lines); });
        if (!made || made->has_notes) return std::nullopt;
        if (!made->text.empty()) {
            told_ = asking_.clock().steady();
            (void)form_.show_text(made->text);
        }
        return made->lines;
    }

    hub::SharedForms::Form form_of(const hub::LiveLines& lines) {
        hub::SharedForms::Form form;
        open::EntryWalk walk{lines.text};
        for (;;) {
            auto text = walk.next();
            // What is broken is said where lines are shown one by one, and notes are shown there.
            form.has_notes = !text || (*text != nullptr && ((*text)->kind == open::TextEntry::Kind::gap ||
                                                            (*text)->kind == open::TextEntry::Kind::end));
            if (form.has_notes || *text == nullptr) return form;
            if ((*text)->kind == open::TextEntry::Kind::heading) continue;
            query::Entry entry{.segment = lines.source->origin,
                               .source = lines.source->source,
                               .text = **text,
                               .ordinal = lines.first_ordinal + form.lines++};
            const logql::Record* record = nullptr;
            if (lines_.lets_through(entry, record)) form.text += form_.text_of(entry, record);
        }
    }

    // With bounds of its own, each time: following goes on for longer than a question.
    Result<void> read(const query::FilterPtr& filter, const query::TimeRange& range,
                      const std::function<bool(const query::Entry&)>& each) {
        auto once = asking_.again();
        auto ground = ground_of(*once);
        ground.scope = ground.scope ? query::all_of({ground.scope, filter}) : filter;
        auto read = logql::read_lines(ground, query_, range, [&](const query::Entry& entry, const logql::Record*) {
            return !once->is_over() && each(entry);
        });
        asking_.count(*once);
        if (!read) return std::unexpected(std::move(read).error());
        return once->whole();
    }

    void tell_alive() {
        auto now = asking_.clock().steady();
        if (now - told_ < alive_pause) return;
        told_ = now;
        form_.alive(asking_.clock().now());
    }

    // Why it is over; empty: it is not.
    std::string_view end_of(const follow::FollowSession& session, std::chrono::steady_clock::time_point began) {
        auto now = asking_.clock().steady();
        if (session.is_over() || asking_.is_given_up()) return "the client is gone";
        if (asking_.is_ending()) return "the server ends: ask again";
        if (now - began >= follow_time_max) return "it was followed for as long as one request may: ask again";
        if (now - asked_may_ < may_pause) return {};
        asked_may_ = now;
        return asking_.still_may() ? "" : "the token is not valid any more";
    }

    Asking& asking_;
    FollowForm& form_;
    const logql::Ground ground_;
    logql::EntryQuery lines_;
    const logql::LogQuery& query_;
    const std::string shared_question_;
    std::chrono::steady_clock::time_point told_ = asking_.clock().steady(), asked_may_ = told_;
};

// `since` where no start is given.
Result<http::Answer> run(Asking& asking, FollowForm& form, Timestamp since) {
    TRY(auto parsed, asking.query());
    const auto* query = std::get_if<logql::LogQuery>(&parsed);
    if (query == nullptr) return fail(Remedy::stop, "only queries for lines can be followed");
    if (!asking.given().value("start").empty()) {
        TRY(auto range, asking.range());
        since = range.since;
    }
    return Following{asking, *query, form}.run(since);
}

}  // namespace

Result<http::Answer> follow_lines(Asking& asking) {
    auto form = record_form(asking.out());
    return run(asking, *form, asking.question().now);
}

// Loki's: `limit` lines of history at most, from an hour ago on.
Result<http::Answer> tail(Asking& asking) {
    TRY(auto limit, count_of(asking.given(), "limit", tail_lines_default, tail_lines_max));
    auto form = tail_form(asking, limit);
    return run(asking, *form, asking.question().now - std::chrono::hours{1});
}

}  // namespace boatswain::api
