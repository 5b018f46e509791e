// Stages that change labels and lines: drop, keep, decolorize, label_format, line_format.
#include <algorithm>
#include <set>

#include "logql/stage.h"
#include "logql/template.h"

namespace boatswain::logql {

namespace {

constexpr std::string_view template_error = "TemplateFormatErr";

// Whether a choice names the label, and the condition on its value holds.
bool is_chosen(const std::vector<LabelChoice>& choices, const Label& label, Record& record) {
    return std::ranges::any_of(choices, [&](const LabelChoice& choice) {
        return choice.label == label.name && (!choice.condition || choice.condition->process(record));
    });
}

// Names of labels that are to go, found before any of them does: conditions look at all.
class Choose : public Stage {
  public:
    Choose(std::vector<LabelChoice> choices, bool keeps) : choices_(std::move(choices)), keeps_(keeps) {}

    bool process(Record& record) const override {
        std::vector<std::string> gone;
        const auto labels = record.labels.all();
        for (const auto& label : labels) {
            bool is_error = label.name == error_label || label.name == error_details_label;
            if (keeps_ && is_error) continue;
            if (is_chosen(choices_, label, record) != keeps_) gone.push_back(label.name);
        }
        for (const auto& name : gone) record.labels.erase(name);
        return true;
    }

  private:
    std::vector<LabelChoice> choices_;
    bool keeps_;
};

// Without what colours a terminal: ESC [ ... letter.
class Decolorize final : public Stage {
  public:
    bool process(Record& record) const override {
        if (!record.line.contains('\x1b')) return true;
        std::string plain;
        auto rest = record.line;
        while (!rest.empty()) {
            if (rest.starts_with("\x1b[")) {
                auto end = rest.find_first_not_of("0123456789;:?<=>", 2);
                if (end == std::string_view::npos) break;
                rest.remove_prefix(end + 1);
                continue;
            }
            plain += rest.front();
            rest.remove_prefix(1);
        }
        record.replace_line(std::move(plain));
        return true;
    }
    bool replaces_line() const override { return true; }
};

class LineFormat final : public Stage {
  public:
    explicit LineFormat(Template format) : format_(std::move(format)) {}

    bool process(Record& record) const override {
        auto text = format_.fill(record);
        if (text)
            record.replace_line(std::move(*text));
        else
            record.labels.set_error(template_error, text.error().what);
        return true;
    }
    bool replaces_line() const override { return true; }

  private:
    Template format_;
};

class LabelFormat final : public Stage {
  public:
    struct Change {
        std::string label;
        std::string from;  // the label that it renames
        std::optional<Template> format{};
    };
    explicit LabelFormat(std::vector<Change> changes) : changes_(std::move(changes)) {}

    bool process(Record& record) const override {
        for (const auto& change : changes_) {
            if (!change.format) {
                if (!record.labels.has(change.from)) continue;
                record.labels.set(change.label, std::string{record.labels.value(change.from)}, LabelKind::parsed);
                if (change.from != change.label) record.labels.erase(change.from);
                continue;
            }
            auto text = change.format->fill(record);
            if (text)
                record.labels.set(change.label, *text, LabelKind::parsed);
            else
                record.labels.set_error(template_error, text.error().what);
        }
        return true;
    }

  private:
    std::vector<Change> changes_;
};

}  // namespace

StagePtr drop_labels(std::vector<LabelChoice> choices) { return std::make_unique<Choose>(std::move(choices), false); }
StagePtr keep_labels(std::vector<LabelChoice> choices) { return std::make_unique<Choose>(std::move(choices), true); }
StagePtr decolorize() { return std::make_unique<Decolorize>(); }

Result<StagePtr> line_format(const std::string& text) {
    TRY(auto format, Template::parse(text));
    return std::make_unique<LineFormat>(std::move(format));
}

Result<StagePtr> label_format(const std::vector<LabelChange>& changes) {
    std::set<std::string> targets;
    std::vector<LabelFormat::Change> parsed;
    for (const auto& change : changes) {
        if (!targets.insert(change.label).second)
            return fail(Remedy::stop,
                        "multiple label name '" + change.label + "' not allowed in a single format operation");
        if (change.label == error_label) return fail(Remedy::stop, "__error__ cannot be formatted");
        LabelFormat::Change one{.label = change.label, .from = change.is_template ? "" : change.value};
        if (change.is_template) {
            TRY(auto format, Template::parse(change.value));
            one.format.emplace(std::move(format));
        }
        parsed.push_back(std::move(one));
    }
    return std::make_unique<LabelFormat>(std::move(parsed));
}

}  // namespace boatswain::logql
