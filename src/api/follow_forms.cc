#include "api/follow_forms.h"

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "api/answers.h"
#include "api/records.h"
#include "base/json_writer.h"

namespace boatswain::api {
namespace {

// Lines of one message, as Loki has them; and gaps, which it calls dropped entries.
constexpr std::size_t message_lines_max = 100, message_gaps_max = 1'000;

class RecordForm final : public FollowForm {
  public:
    explicit RecordForm(http::PieceWriter& out) : out_(out) {}

    http::Answer head() const override {
        return {.content_type = std::string{content_type_of(RecordFormat::ndjson)}, .body = {}};
    }
    bool show(const query::Entry& entry, const logql::Record* record) override {
        return out_.put(record_json(entry, record));
    }
    bool is_shared() const override { return true; }
    std::string text_of(const query::Entry& entry, const logql::Record* record) const override {
        return record_json(entry, record);
    }
    bool show_text(std::string_view text) override { return out_.put(text); }
    void note(std::string_view text) override {
        (void)out_.put(json_object().member("kind", "note").member("text", text).take_line());
    }
    void turn_is_over(std::size_t live_hosts) override {
        if (std::exchange(live_hosts_, live_hosts) == live_hosts) return;
        (void)out_.put(json_object().member("kind", "live").member("hosts", live_hosts).take_line());
    }
    void alive(Timestamp now) override {
        (void)out_.put(json_object().member("kind", "alive").member("time", now).take_line());
    }
    void done(std::string_view why) override {
        (void)out_.put(json_object().member("kind", "done").member("reason", why).take_line());
    }

  private:
    http::PieceWriter& out_;
    std::optional<std::size_t> live_hosts_;
};

class TailForm final : public FollowForm {
  public:
    TailForm(Asking& asking, std::uint64_t limit) : asking_(asking), limit_(limit) {}

    http::Answer head() const override { return {}; }
    bool show(const query::Entry& entry, const logql::Record* record) override {
        if (record == nullptr) {
            if (!entry.is_end()) add_gap(entry);
            return true;
        }
        // A line is a stream of its own.
        Streams one{asking_.question().categorised, asking_.budget()};
        if (!one.add(*record)) return false;
        auto json = one.json();
        lines_.push_back(json.substr(1, json.size() - 2));
        if (!has_history_) {
            if (lines_.size() > limit_) lines_.pop_front();
            return true;
        }
        return lines_.size() < message_lines_max || send();
    }
    void note(std::string_view) override {}
    void turn_is_over(std::size_t) override {
        has_history_ = true;
        while (!lines_.empty() || !gaps_.empty())
            if (!send()) return;
    }
    // A ping (http/websocket.h).
    void alive(Timestamp) override { (void)asking_.out().put("\n"); }
    void done(std::string_view) override {}

  private:
    void add_gap(const query::Entry& entry) {
        if (gaps_.size() == message_gaps_max) return;
        logql::Labels labels;
        logql::add_origin_labels(entry, labels);
        auto json = json_object();
        json.member("timestamp", std::to_string(entry.time().time_since_epoch().count())).object("labels");
        for (const auto& label : labels.sorted()) json.member(label.name, label.value);
        gaps_.push_back(json.take());
    }
    bool send() {
        auto json = json_object();
        json.array("streams");
        for (std::size_t i = 0; i < message_lines_max && !lines_.empty(); ++i) {
            json.raw(lines_.front());
            lines_.pop_front();
        }
        json.end();
        if (!gaps_.empty()) {
            json.array("dropped_entries");
            for (const auto& gap : gaps_) json.raw(gap);
            gaps_.clear();
            json.end();
        }
        if (asking_.question().categorised) json.array("encodingFlags").value("categorize-labels").end();
        return asking_.out().put(json.take_line());
    }

    Asking& asking_;
    const std::uint64_t limit_;
    bool has_history_ = false;
    std::deque<std::string> lines_;  // streams of one line each
    std::vector<std::string> gaps_;
};

}  // namespace

std::unique_ptr<FollowForm> record_form(http::PieceWriter& out) { return std::make_unique<RecordForm>(out); }
std::unique_ptr<FollowForm> tail_form(Asking& asking, std::uint64_t limit) {
    return std::make_unique<TailForm>(asking, limit);
}

}  // namespace boatswain::api
