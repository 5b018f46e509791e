// The shared credentials file: an INI file with a section for each profile (AWS SDKs and Tools Reference Guide, "Shared
// config and credentials files").
#include <algorithm>

#include "base/bytes.h"
#include "store/credential_sources.h"

namespace boatswain::store {
namespace {

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r";
    auto first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::string lower_case(std::string_view text) {
    std::string lower{text};
    std::ranges::transform(lower, lower.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return lower;
}

// "[name]" or "[profile name]", the way the configuration file beside this one writes it; nothing when it is no
// section.
std::optional<std::string_view> section_name(std::string_view line) {
    auto end = line.find(']');
    if (!line.starts_with('[') || end == std::string_view::npos) return std::nullopt;
    auto name = trimmed(line.substr(1, end - 1));
    if (name.starts_with("profile ") || name.starts_with("profile\t")) name = trimmed(name.substr(8));
    return name;
}

// A comment may follow a value, after a blank. Secrets hold '/', '+' and '=', but no blank.
std::string_view without_comment(std::string_view value) {
    for (std::size_t at = 1; at < value.size(); ++at)
        if ((value[at] == '#' || value[at] == ';') && (value[at - 1] == ' ' || value[at - 1] == '\t'))
            return trimmed(value.substr(0, at));
    return value;
}

struct Profile {
    Credentials credentials;
    std::string unsupported;  // a way to get credentials that we do not speak
    bool found = false;

    void set(const std::string& name, std::string_view value) {
        if (name == "aws_access_key_id")
            credentials.access_key = value;
        else if (name == "aws_secret_access_key")
            credentials.secret_key = Secret{value};
        else if (name == "aws_session_token" || name == "aws_security_token")
            credentials.session_token = Secret{value};
        else if (name == "credential_process" || name == "role_arn" || name == "sso_session" || name == "sso_start_url")
            unsupported = name;
    }
};

std::unexpected<Error> wrong_line(std::size_t number, std::string_view why) {
    return fail(Remedy::stop, "line " + std::to_string(number) + " " + std::string{why});
}

}  // namespace

MaybeCredentials from_profile(std::string_view text, std::string_view wanted) {
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    Profile profile;
    bool inside = false;
    for (std::size_t number = 1; !text.empty(); ++number) {
        auto whole = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), whole.size() + 1));
        auto line = trimmed(whole);
        if (line.empty() || line.front() == '#' || line.front() == ';') continue;
        if (line.front() == '[') {
            auto name = section_name(line);
            if (!name) return wrong_line(number, "starts with '[' and is no [profile]");
            inside = *name == wanted;
            profile.found |= inside;
            continue;
        }
        // An indented line belongs to the value above ("s3 =" and its settings): none of those are ours.
        if (!inside || whole.starts_with(' ') || whole.starts_with('\t')) continue;
        auto equals = line.find('=');
        if (equals == std::string_view::npos) return wrong_line(number, "is no NAME = VALUE");
        profile.set(lower_case(trimmed(line.substr(0, equals))), without_comment(trimmed(line.substr(equals + 1))));
    }
    if (!profile.found) return std::nullopt;
    auto problem = problem_with(profile.credentials);
    if (problem && !profile.unsupported.empty())
        return fail(Remedy::stop,
                    profile.unsupported + " is not supported: give aws_access_key_id and aws_secret_access_key");
    if (problem) return fail(Remedy::stop, *problem);
    return profile.credentials;
}

}  // namespace boatswain::store
