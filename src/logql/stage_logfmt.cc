// The parser "logfmt": key=value, key="quoted value", key.
#include <algorithm>
#include <set>

#include "base/text.h"
#include "logql/stage.h"

namespace boatswain::logql {

namespace {

struct Pair {
    std::string_view key;
    std::string value;
    bool has_value = false;
};

// One pair after the other. What it cannot read it passes over, and notes that it did.
class Pairs {
  public:
    explicit Pairs(std::string_view line) : rest_(line) {}

    bool next(Pair& pair) {
        while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
        if (rest_.empty()) return false;
        pair = {};
        std::size_t end = 0;
        while (end < rest_.size() && !is_blank(rest_[end]) && rest_[end] != '=' && rest_[end] != '"') ++end;
        pair.key = rest_.substr(0, end);
        rest_.remove_prefix(end);
        if (rest_.starts_with('"')) broken("unexpected '\"'");
        if (!rest_.starts_with('=')) return true;
        if (pair.key.empty()) broken("unexpected '='");
        rest_.remove_prefix(1);
        pair.has_value = true;
        if (rest_.starts_with('"')) {
            quoted(pair.value);
            return true;
        }
        end = 0;
        while (end < rest_.size() && !is_blank(rest_[end])) ++end;
        pair.value = rest_.substr(0, end);
        if (pair.value.find_first_of("=\"") != std::string::npos) broken("unexpected '=' or '\"' in a value");
        rest_.remove_prefix(end);
        return true;
    }
    const std::string& trouble() const { return trouble_; }

  private:
    static bool is_blank(char c) { return static_cast<unsigned char>(c) <= ' '; }

    void quoted(std::string& value) {
        rest_.remove_prefix(1);
        while (true) {
            if (rest_.empty()) return broken("unterminated quoted value");
            char c = rest_.front();
            rest_.remove_prefix(1);
            if (c == '"') return;
            if (c != '\\' || rest_.empty()) {
                value += c;
                continue;
            }
            char escaped = rest_.front();
            rest_.remove_prefix(1);
            value += escaped == 'n' ? '\n' : escaped == 't' ? '\t' : escaped == 'r' ? '\r' : escaped;
        }
    }
    // At least one byte further, so that it ends.
    void broken(std::string what) {
        if (trouble_.empty()) trouble_ = "logfmt syntax error: " + std::move(what);
        if (rest_.starts_with('"') || rest_.starts_with('='))
            while (!rest_.empty() && !is_blank(rest_.front())) rest_.remove_prefix(1);
    }
    std::string_view rest_;
    std::string trouble_;
};

class Logfmt final : public Stage {
  public:
    Logfmt(std::vector<Extraction> wanted, bool strict, bool keep_empty)
        : wanted_(std::move(wanted)), strict_(strict), keep_empty_(keep_empty) {}

    bool process(Record& record) const override {
        Pairs pairs{record.line};
        Pair pair;
        std::set<std::string> seen;
        if (!wanted_.empty())
            for (const auto& extraction : wanted_) record.labels.add_parsed(extraction.label, "");
        while (pairs.next(pair)) {
            if (pair.key.empty()) continue;
            if (wanted_.empty()) {
                auto name = label_name(pair.key);
                bool is_kept = keep_empty_ || !pair.value.empty();
                if (is_kept && seen.insert(name).second) record.labels.add_parsed(name, pair.value);
                continue;
            }
            for (const auto& extraction : wanted_)
                if (extraction.path == pair.key && seen.insert(extraction.label).second)
                    record.labels.add_parsed(extraction.label, pair.value);
        }
        if (strict_ && !pairs.trouble().empty()) record.labels.set_error("LogfmtParserErr", pairs.trouble());
        return true;
    }

  private:
    std::vector<Extraction> wanted_;
    bool strict_, keep_empty_;
};

}  // namespace

Result<StagePtr> logfmt_parser(const std::vector<Extraction>& extractions, bool strict, bool keep_empty) {
    for (const auto& extraction : extractions)
        if (extraction.path.empty()) return fail(Remedy::stop, "logfmt: the key of " + extraction.label + " is empty");
    return std::make_unique<Logfmt>(extractions, strict, keep_empty);
}

std::string label_name(std::string_view text) {
    std::string name;
    if (!text.empty() && text.front() >= '0' && text.front() <= '9') name += '_';
    for (char c : text) {
        bool is_fine = is_letter_or_digit(c) || c == '_';
        name += is_fine ? c : '_';
    }
    return name;
}

}  // namespace boatswain::logql
