// URLs as they may be shown to people: without the user name and password that somebody put into one, and without the
// values of parameters that sound like secrets. They are found percent-encoded, too, however often.
//
// Credentials do not belong into an URL at all, and where we can we refuse it; but a refusal is a message as well.
#pragma once

#include <string>
#include <string_view>

namespace boatswain {

// `url` is one URL, or what somebody took for one: "s3://REDACTED@bucket/prefix?secret_key=REDACTED".
std::string url_for_people(std::string_view url);

// A text with URLs in it, such as another library's error.
std::string without_url_secrets(std::string_view text);

// Whether there is a user name or password in it, or something that looks like them.
bool has_userinfo(std::string_view url);

}  // namespace boatswain
