// What the text is that a container carries as its key: a recipient, a secret to derive one from, or neither.
//
// Only a recipient can be told by its text. A secret cannot, so a rule has to say that there is one ("secret:env:KEY").
// Otherwise a public text (a recipient with a typing mistake, an SSH public key, a variable that nobody expanded) would
// pass for a secret, and whoever knows that text could read the lines. For the same reason a text that is plainly
// public is no secret, whatever the rule says.
//
// Pure. The text may be a secret: nothing here repeats it in an error.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "crypto/recipient.h"

namespace boatswain::tenancy {

// What a rule of tenancy.recipient answered with. Never log `text`.
struct CarriedText {
    std::string text;
    bool secret = false;  // the rule is "secret:..."
    std::string rule;     // its text
};

// A key that a container carries.
struct CarriedKey {
    crypto::Recipient recipient;
    bool derived = false;  // from a secret
    bool operator==(const CarriedKey&) const = default;
};

struct CarriedMeaning {
    enum class Is { recipient, secret, refused };
    Is is = Is::refused;
    std::optional<crypto::Recipient> recipient;  // Is::recipient
    std::string why;                             // Is::refused: names the kind of text, never the text
    bool perhaps_a_secret = false;               // Is::refused: it would be a secret if the rule said so
};

// White space and quotes around a recipient are passed over (`docker run --env-file` keeps quotes). A secret is taken
// byte for byte.
CarriedMeaning read_carried(const CarriedText& carried);

// Whether quotes stand around it: those of a secret are part of it, which is worth saying.
bool is_in_quotes(std::string_view text);

}  // namespace boatswain::tenancy
