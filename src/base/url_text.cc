#include "base/url_text.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "base/text.h"

namespace boatswain {
namespace {

constexpr std::string_view redacted = "REDACTED";
constexpr std::array<std::string_view, 6> secret_words{"secret",     "password",   "token",
                                                       "access_key", "credential", "signature"};

// One character of the text, as it means when every percent-encoding is undone.
struct Letter {
    char is = 0;
    std::size_t begin = 0, end = 0;
};

// "a", "%61", "%2561", "%252561", ... are all one letter.
Letter letter_at(std::string_view text, std::size_t at) {
    Letter plain{.is = text[at], .begin = at, .end = at + 1};
    if (text[at] != '%') return plain;
    auto digits = at + 1;
    while (text.substr(digits).starts_with("25")) digits += 2;
    auto pair = [&](std::size_t from) -> std::optional<Letter> {
        if (from + 2 > text.size() || hex_value(text[from]) < 0 || hex_value(text[from + 1]) < 0) return std::nullopt;
        return Letter{.is = static_cast<char>(hex_value(text[from]) * 16 + hex_value(text[from + 1])),
                      .begin = at,
                      .end = from + 2};
    };
    // "%25" itself, with nothing encoded behind it, is a percent sign.
    if (auto found = pair(digits)) return *found;
    return pair(at + 1).value_or(plain);
}

std::vector<Letter> letters_of(std::string_view text) {
    std::vector<Letter> letters;
    for (std::size_t at = 0; at < text.size(); at = letters.back().end) letters.push_back(letter_at(text, at));
    return letters;
}

enum class Whole { one_url, text };

class Redacting {
  public:
    Redacting(std::string_view text, Whole whole) : text_(text), whole_(whole), letters_(letters_of(text)) {
        bool begins = whole == Whole::one_url;  // an address without a scheme
        for (std::size_t at = 0; at < letters_.size(); ++at) {
            if (is(at, ':') && is(at + 1, '/') && is(at + 2, '/')) begins = false;
        }
        if (begins) look_at_authority(is(0, '/') && is(1, '/') ? 2 : 0);
        for (std::size_t at = 0; at < letters_.size(); ++at) {
            if (is(at, ':') && is(at + 1, '/') && is(at + 2, '/'))
                look_at_authority(at + 3);
            else if (is(at, '?') || is(at, '&'))
                look_at_parameter(at + 1);
        }
    }

    bool found_userinfo() const { return found_userinfo_; }

    std::string str() const {
        std::string out;
        std::size_t done = 0;
        for (const auto& [begin, end] : hidden_) {
            if (begin < done) continue;  // within what is hidden
            out += text_.substr(done, begin - done);
            out += redacted;
            done = end;
        }
        return out += text_.substr(done);
    }

  private:
    bool is(std::size_t at, char c) const { return at < letters_.size() && letters_[at].is == c; }
    std::size_t begin_of(std::size_t at) const { return at < letters_.size() ? letters_[at].begin : text_.size(); }

    bool ends_url(std::size_t at) const {
        if (whole_ == Whole::one_url) return false;
        auto c = static_cast<unsigned char>(letters_[at].is);
        return c <= ' ' || c == '"' || c == '\'' || c == '<' || c == '>' || c == '`';
    }

    // Up to the last '@' before the path. A password that holds a '/', '?' or '#' as it stands breaks the URL, but not
    // this: nobody can tell "user:pa/ss@host" from "host:80/a@b", so behind a ':' any '@' counts.
    void look_at_authority(std::size_t first) {
        std::optional<std::size_t> last_at, path;
        bool colon = false, colon_before_path = false;
        for (auto at = first; at < letters_.size() && !ends_url(at); ++at) {
            auto c = letters_[at].is;
            if (!path && (c == '/' || c == '?' || c == '#')) path = at;
            if (path && c == ':' && is(at + 1, '/') && is(at + 2, '/')) break;  // another one
            if (c == ':' && !is(at + 1, '/')) colon = true;
            if (!path) colon_before_path = colon;
            if (c != '@' || (path && !colon)) continue;
            last_at = at;
            found_userinfo_ |= !path || colon_before_path;
        }
        if (last_at) hidden_.emplace_back(begin_of(first), begin_of(*last_at));
    }

    void look_at_parameter(std::size_t first) {
        std::string name;
        auto at = first;
        for (; at < letters_.size() && !is(at, '='); ++at) {
            auto c = letters_[at].is;
            if (is(at, '&') || is(at, '#') || ends_url(at)) return;
            name += c == '-' ? '_' : lower_case(c);
        }
        auto sounds = [&](std::string_view word) { return name.contains(word); };
        if (at >= letters_.size() || std::ranges::none_of(secret_words, sounds)) return;
        auto end = at + 1;
        while (end < letters_.size() && !is(end, '&') && !is(end, '#') && !ends_url(end)) ++end;
        hidden_.emplace_back(begin_of(at + 1), begin_of(end));
    }

    std::string_view text_;
    Whole whole_;
    std::vector<Letter> letters_;
    std::vector<std::pair<std::size_t, std::size_t>> hidden_;  // by where they begin
    bool found_userinfo_ = false;
};

}  // namespace

std::string url_for_people(std::string_view url) { return Redacting{url, Whole::one_url}.str(); }
std::string without_url_secrets(std::string_view text) { return Redacting{text, Whole::text}.str(); }
bool has_userinfo(std::string_view url) { return Redacting{url, Whole::one_url}.found_userinfo(); }

}  // namespace boatswain
