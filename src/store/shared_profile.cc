#include "store/shared_profile.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "base/text.h"

namespace boatswain::store {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

// Ways to credentials that the SDKs know and we do not.
constexpr std::array<std::string_view, 8> not_spoken{"role_arn",      "source_profile",         "credential_source",
                                                     "sso_session",   "sso_start_url",          "sso_account_id",
                                                     "login_session", "web_identity_token_file"};

std::string_view without_quotes(std::string_view name) {
    bool quoted = name.size() > 1 && (name.front() == '"' || name.front() == '\'') && name.front() == name.back();
    return quoted ? name.substr(1, name.size() - 2) : name;
}

// The profile that "[name]" or "[profile name]" begins, empty for a section that is none; nothing when the line is no
// section. A credentials file that somebody wrote like a configuration file is understood, too.
std::optional<std::string_view> section_name(std::string_view line, SharedFile file) {
    auto end = line.find(']');
    if (!line.starts_with('[') || end == std::string_view::npos) return std::nullopt;
    auto name = trimmed(line.substr(1, end - 1));
    if (name.starts_with("profile ") || name.starts_with("profile\t")) return without_quotes(trimmed(name.substr(8)));
    if (file == SharedFile::config && name != "default") return std::string_view{};
    return without_quotes(name);
}

// A comment may follow a value, after a blank. Secrets hold '/', '+' and '=', but no blank. A command may hold
// anything.
std::string_view without_comment(std::string_view value) {
    for (std::size_t at = 1; at < value.size(); ++at)
        if ((value[at] == '#' || value[at] == ';') && (value[at - 1] == ' ' || value[at - 1] == '\t'))
            return trimmed(value.substr(0, at));
    return value;
}

struct Setting {
    std::string name;  // in lower case
    std::string_view value;
};

std::optional<Setting> read_setting(std::string_view line) {
    auto end = line.find_first_of("=:");
    if (end == std::string_view::npos || trimmed(line.substr(0, end)).empty()) return std::nullopt;
    return Setting{lower_case(trimmed(line.substr(0, end))), trimmed(line.substr(end + 1))};
}

// Whether the setting is one of a profile's that we read.
bool set(SharedProfile& profile, const Setting& setting) {
    const auto& [name, value] = setting;
    if (name == "aws_access_key_id")
        profile.credentials.access_key = without_comment(value);
    else if (name == "aws_secret_access_key")
        profile.credentials.secret_key = Secret{without_comment(value)};
    else if (name == "aws_session_token" || name == "aws_security_token")
        profile.credentials.session_token = Secret{without_comment(value)};
    else if (name == "credential_process")
        profile.process = value;
    else if (std::ranges::find(not_spoken, name) != not_spoken.end())
        profile.unsupported = profile.unsupported.empty() ? name : profile.unsupported;
    else
        return false;
    return true;
}

std::unexpected<Error> wrong_line(std::size_t number, std::string_view why) {
    return fail(Remedy::stop, "line " + std::to_string(number) + " " + std::string{why});
}

// Goes through the lines of a file; knows which section it is in, and which setting the next indented line belongs to.
class Reader {
  public:
    Reader(std::string_view wanted, SharedFile file) : wanted_(wanted), file_(file) {}

    Result<void> take(std::string_view whole) {
        ++number_;
        auto line = trimmed(whole);
        if (line.empty() || line.front() == '#' || line.front() == ';') return {};
        auto indent = whole.find_first_not_of(" \t\v\f");
        bool goes_on = !above_.empty() && indent > indent_above_ && line.front() != '[';
        if (goes_on) return check_continuation(line);
        indent_above_ = indent;
        return line.front() == '[' ? begin_section(line) : take_setting(line);
    }

    SharedProfile profile() && { return std::move(profile_); }

  private:
    Result<void> begin_section(std::string_view line) {
        auto name = section_name(line, file_);
        if (!name) return wrong_line(number_, "starts with '[' and is no [profile]");
        inside_ = !name->empty() && *name == wanted_;
        profile_.found |= inside_;
        above_.clear();
        return {};
    }

    Result<void> take_setting(std::string_view line) {
        auto setting = read_setting(line);
        above_ = setting ? setting->name : "?";
        opens_nested_ = setting && setting->value.empty() && !above_.starts_with("aws_");
        if (!inside_) return {};
        if (!setting) return wrong_line(number_, "is no NAME = VALUE");
        if (setting->name == "region") profile_.region = without_comment(setting->value);
        set(profile_, *setting);
        return {};
    }

    // Of nested settings ("s3 =" and what is below it) none is ours. A key that was indented by mistake is lost to
    // every tool.
    Result<void> check_continuation(std::string_view line) const {
        auto setting = inside_ && !opens_nested_ ? read_setting(line) : std::nullopt;
        SharedProfile ignored;
        if (setting && set(ignored, *setting))
            return wrong_line(number_,
                              "is indented further than the line above, so that it goes on with the value of " +
                                  printable(above_) + ": take the blanks at its start away");
        return {};
    }

    const std::string_view wanted_;
    const SharedFile file_;
    SharedProfile profile_;
    bool inside_ = false;
    std::string above_;          // the setting that an indented line goes on with; empty behind a section's name
    bool opens_nested_ = false;  // it has no value of its own: "s3 ="
    std::size_t indent_above_ = 0;
    std::size_t number_ = 0;
};

}  // namespace

Result<SharedProfile> parse_profile(std::string_view text, std::string_view wanted, SharedFile file) {
    if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF"))
        return fail(Remedy::stop, "the file is UTF-16: save it as UTF-8");
    if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
    Reader reader{wanted, file};
    while (!text.empty()) {
        auto line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        CHECK(reader.take(line));
    }
    return std::move(reader).profile();
}

}  // namespace boatswain::store
