// Line filters: |= != |~ !~ |> !>, of one string or several with "or", and ip().
#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "logql/stage.h"
#include "query/filter_text.h"
#include "query/regex.h"

namespace boatswain::logql {

namespace {

// One side of a line filter: whether it is found in a line.
class Finder {
  public:
    Finder() = default;
    Finder(const Finder&) = delete;
    Finder& operator=(const Finder&) = delete;
    virtual ~Finder() = default;
    virtual bool found_in(std::string_view line) const = 0;
    virtual query::FilterPtr as_filter() const = 0;
};
using FinderPtr = std::shared_ptr<const Finder>;

// A finder as a filter on lines that were printed.
class FinderFilter final : public query::Filter {
  public:
    explicit FinderFilter(const Finder& finder) : finder_(finder) {}
    using Filter::match;
    query::Match match(const query::Entry& entry) const override {
        return entry.is_line() ? query::match_if(finder_.found_in(entry.text.line.bytes)) : query::Match::some;
    }

  private:
    const Finder& finder_;
};

class Text final : public Finder {
  public:
    explicit Text(std::string text) : text_(std::move(text)) {}
    bool found_in(std::string_view line) const override {
        return text_.empty() || ::memmem(line.data(), line.size(), text_.data(), text_.size()) != nullptr;
    }
    query::FilterPtr as_filter() const override { return query::line_has(text_); }

  private:
    std::string text_;
};

class Expression final : public Finder {
  public:
    Expression(query::Regex regex, std::string text) : regex_(std::move(regex)), text_(std::move(text)) {}
    bool found_in(std::string_view line) const override { return regex_.found_in(line); }
    query::FilterPtr as_filter() const override { return query::line_matches(text_).value(); }

  private:
    query::Regex regex_;
    std::string text_;
};

// Literal pieces with at least one byte of anything where a <_> stands; the whole line.
class Pattern final : public Finder {
  public:
    static Result<FinderPtr> parse(std::string_view text) {
        std::vector<std::string> pieces{""};
        for (std::size_t at = 0; at < text.size();) {
            if (text.substr(at).starts_with("<_>")) {
                if (pieces.size() > 1 && pieces.back().empty())
                    return fail(Remedy::stop, "found consecutive capture '<_><_>': literals have to be between them");
                pieces.emplace_back();
                at += 3;
                continue;
            }
            auto close = text[at] == '<' ? text.find('>', at) : std::string_view::npos;
            if (close != std::string_view::npos && close > at + 1 &&
                label_name(text.substr(at + 1, close - at - 1)) == text.substr(at + 1, close - at - 1))
                return fail(Remedy::stop, "named captures are not allowed in a pattern filter: " +
                                              std::string{text.substr(at, close - at + 1)});
            pieces.back() += text[at++];
        }
        return std::make_shared<Pattern>(std::move(pieces));
    }
    explicit Pattern(std::vector<std::string> pieces) : pieces_(std::move(pieces)) {}

    bool found_in(std::string_view line) const override {
        if (!line.starts_with(pieces_.front())) return false;
        if (pieces_.size() == 1) return line.size() == pieces_.front().size();
        line.remove_prefix(pieces_.front().size());
        for (std::size_t i = 1; i + 1 < pieces_.size(); ++i) {
            auto at = line.find(pieces_[i], 1);
            if (at == std::string_view::npos) return false;
            line.remove_prefix(at + pieces_[i].size());
        }
        return line.size() > pieces_.back().size() && line.ends_with(pieces_.back());
    }
    query::FilterPtr as_filter() const override { return nullptr; }

  private:
    std::vector<std::string> pieces_;
};

using Address = std::array<unsigned char, 16>;  // IPv4 as ::ffff:a.b.c.d

std::optional<Address> parse_address(const std::string& text) {
    Address address{};
    if (::inet_pton(AF_INET6, text.c_str(), address.data()) == 1) return address;
    std::array<unsigned char, 4> v4{};
    if (::inet_pton(AF_INET, text.c_str(), v4.data()) != 1) return std::nullopt;
    address[10] = address[11] = 0xFF;
    std::ranges::copy(v4, address.begin() + 12);
    return address;
}

// One address, a range A-B, or a CIDR block.
class Addresses final : public Finder {
  public:
    static Result<FinderPtr> parse(const std::string& text) {
        auto bad = [&] { return fail(Remedy::stop, "ip: \"" + text + "\" is no address, range or CIDR block"); };
        if (auto dash = text.find('-'); dash != std::string::npos) {
            auto first = parse_address(text.substr(0, dash)), last = parse_address(text.substr(dash + 1));
            if (!first || !last || *last < *first) return bad();
            return std::make_shared<Addresses>(*first, *last);
        }
        auto slash = text.find('/');
        auto address = parse_address(text.substr(0, slash));
        if (!address) return bad();
        if (slash == std::string::npos) return std::make_shared<Addresses>(*address, *address);
        auto digits = text.substr(slash + 1);
        bool is_v4 = text.find(':') == std::string::npos;
        if (digits.empty() || digits.size() > 3 || digits.find_first_not_of("0123456789") != std::string::npos)
            return bad();
        auto bits = std::stoul(digits);
        if (bits > (is_v4 ? 32U : 128U)) return bad();
        if (is_v4) bits += 96;
        auto first = *address, last = *address;
        for (std::size_t bit = bits; bit < 128; ++bit) {
            auto mask = static_cast<unsigned char>(0x80U >> (bit % 8));
            first[bit / 8] = static_cast<unsigned char>(first[bit / 8] & ~mask);
            last[bit / 8] = static_cast<unsigned char>(last[bit / 8] | mask);
        }
        return std::make_shared<Addresses>(first, last);
    }
    Addresses(Address first, Address last) : first_(first), last_(last) {}

    bool found_in(std::string_view line) const override {
        constexpr std::string_view v4 = "0123456789.", v6 = "0123456789abcdefABCDEF:.";
        return found_among(line, v4, 7) || found_among(line, v6, 2);
    }
    query::FilterPtr as_filter() const override { return nullptr; }

  private:
    // Runs of these characters that are an address.
    bool found_among(std::string_view line, std::string_view characters, std::size_t shortest) const {
        constexpr std::size_t longest = 45;
        for (std::size_t at = line.find_first_of(characters); at != std::string_view::npos;) {
            auto end = std::min(line.find_first_not_of(characters, at), line.size());
            auto text = line.substr(at, end - at);
            while (!text.empty() && (text.back() == '.' || text.back() == ':')) text.remove_suffix(1);
            if (text.size() >= shortest && text.size() <= longest)
                if (auto address = parse_address(std::string{text}); address && *address >= first_ && *address <= last_)
                    return true;
            at = line.find_first_of(characters, end);
        }
        return false;
    }
    Address first_, last_;
};

class LineFilter final : public Stage {
  public:
    LineFilter(std::vector<FinderPtr> finders, bool wanted) : finders_(std::move(finders)), wanted_(wanted) {}

    bool process(Record& record) const override {
        auto found = [&](const FinderPtr& finder) { return finder->found_in(record.line); };
        return std::ranges::any_of(finders_, found) == wanted_;
    }
    query::FilterPtr as_filter() const override {
        std::vector<query::FilterPtr> filters;
        for (const auto& finder : finders_) {
            auto filter = finder->as_filter();
            filters.push_back(filter ? filter : std::make_shared<FinderFilter>(*finder));
        }
        auto any = filters.size() == 1 ? filters.front() : query::any_of(std::move(filters));
        return wanted_ ? any : query::none_of(any);
    }

  private:
    std::vector<FinderPtr> finders_;
    bool wanted_;
};

Result<FinderPtr> finder_of(LineOperator op, const LineOperand& operand) {
    if (operand.is_address) return Addresses::parse(operand.text);
    switch (op) {
        case LineOperator::has:
        case LineOperator::has_not: return std::make_shared<Text>(operand.text);
        case LineOperator::pattern:
        case LineOperator::pattern_not: return Pattern::parse(operand.text);
        case LineOperator::matches:
        case LineOperator::matches_not: break;
    }
    TRY(auto regex, query::Regex::parse(operand.text));
    return std::make_shared<Expression>(std::move(regex), operand.text);
}

}  // namespace

Result<StagePtr> line_filter(LineOperator op, const std::vector<LineOperand>& operands) {
    std::vector<FinderPtr> finders;
    for (const auto& operand : operands) {
        TRY(finders.emplace_back(), finder_of(op, operand));
    }
    bool wanted = op == LineOperator::has || op == LineOperator::matches || op == LineOperator::pattern;
    return std::make_unique<LineFilter>(std::move(finders), wanted);
}

}  // namespace boatswain::logql
