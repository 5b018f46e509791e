#include "query/filter_text.h"

#include <re2/re2.h>

#include <cstring>

#include "query/find_text.h"
#include "query/regex.h"
#include "query/required_text.h"

namespace boatswain::query {

namespace {

constexpr std::size_t prefix_bytes =
    40;  // of a line in the text of a frame: "2026-11-22T10:00:00.123456789Z stdout F "

std::size_t line_start(std::string_view text, std::size_t at) {
    auto newline = at == 0 ? std::string_view::npos : text.rfind('\n', at - 1);
    return newline == std::string_view::npos ? 0 : newline + 1;
}

// Stops where `find(text, from)` finds something.
template <class Find>
class ScanWith final : public LineScan {
  public:
    ScanWith(std::string_view text, Find find) : text_(text), find_(std::move(find)) {}
    std::size_t next(std::size_t from) override {
        auto at = find_(text_, from);
        return at == std::string_view::npos ? at : line_start(text_, at);
    }

  private:
    std::string_view text_;
    Find find_;
};

template <class Find>
std::unique_ptr<LineScan> scan_with(std::string_view text, Find find) {
    return std::make_unique<ScanWith<Find>>(text, std::move(find));
}

class LineHas final : public Filter {
  public:
    explicit LineHas(std::string bytes) : bytes_(std::move(bytes)), grams_(rollup::GramQuery::of(bytes_)) {}
    using Filter::match;
    Match match(const FrameSummary& frame) const override {
        bool is_out = grams_ && frame.grams && frame.frame.counts.gaps == 0 && !frame.grams->may_hold(*grams_);
        return is_out ? Match::none : Match::some;
    }
    bool wants_grams() const override { return grams_.has_value(); }
    std::unique_ptr<LineScan> scan(std::string_view text) const override {
        if (bytes_.empty()) return nullptr;
        return scan_with(text, [&](std::string_view in, std::size_t from) { return find_text(in, bytes_, from); });
    }
    Match match(const Entry& entry) const override {
        if (!entry.is_line()) return Match::some;
        auto line = entry.text.line.bytes;
        return match_if(bytes_.empty() || ::memmem(line.data(), line.size(), bytes_.data(), bytes_.size()) != nullptr);
    }

  private:
    std::string bytes_;
    std::optional<rollup::GramQuery> grams_;
};

class LineMatches final : public Filter {
  public:
    LineMatches(Regex regex, RequiredText required, std::optional<LinesRegex> lines)
        : regex_(std::move(regex)), required_(std::move(required)), lines_(std::move(lines)) {}
    using Filter::match;
    Match match(const FrameSummary& frame) const override {
        bool is_out = frame.grams && frame.frame.counts.gaps == 0 && !required_.may_be_in(*frame.grams);
        return is_out ? Match::none : Match::some;
    }
    bool wants_grams() const override { return required_.is_any(); }
    std::unique_ptr<LineScan> scan(std::string_view text) const override {
        const auto& literal = required_.literal();
        if (!literal.empty())
            return scan_with(text,
                             [&](std::string_view in, std::size_t from) { return find_folded(in, literal, from); });
        if (!required_.literals().empty())
            return scan_with(text, [&](std::string_view in, std::size_t from) {
                return find_any_folded(in, required_.literals(), from);
            });
        if (!lines_) return nullptr;
        return scan_with(text, [&](std::string_view in, std::size_t from) { return lines_->find(in, from); });
    }
    Match match(const Entry& entry) const override {
        return entry.is_line() ? match_if(regex_.found_in(entry.text.line.bytes)) : Match::some;
    }

  private:
    Regex regex_;
    RequiredText required_;
    std::optional<LinesRegex> lines_;
};

}  // namespace

FilterPtr line_has(std::string bytes) { return std::make_shared<LineHas>(std::move(bytes)); }

Result<FilterPtr> line_matches(const std::string& regex) {
    TRY(auto parsed, Regex::parse(regex));
    auto required = RequiredText::of(regex);
    bool is_scanned = !required.literal().empty() || !required.literals().empty();
    auto lines = is_scanned ? std::nullopt : LinesRegex::of(regex, prefix_bytes);
    return std::make_shared<LineMatches>(std::move(parsed), std::move(required), std::move(lines));
}

}  // namespace boatswain::query
