// A value as somebody wrote it, before it is known what it should be: typed when it comes from TOML, text when it comes
// from a flag or the environment.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace boatswain::config {

// A value of a TOML type that no setting has.
struct Other {
    std::string type;  // "a date", "a table", ...
};

struct Given {
    using Value = std::variant<std::string, std::int64_t, bool, double, std::vector<std::string>, Other>;
    Value value;
    bool is_text = false;  // from a flag or the environment: `value` is a std::string, to be read as whatever is meant
    std::string where;     // "boatswain.toml:7", "BOATSWAIN_BATCH_FLUSH_AFTER", "--batch-flush-after"
};

// Each reads a Given as one type. The error is the rest of a sentence that began with the setting's name:
// `"soon" is not a length of time; write for example "60s", "5m" or "1h30m"`.
Result<std::string> as_text(const Given& given);
Result<bool> as_bool(const Given& given);
Result<std::int64_t> as_number(const Given& given);
Result<Nanoseconds> as_duration(const Given& given);
Result<std::uint64_t> as_size(const Given& given);
// As text a list is either a TOML array (["a", "b"]) or parts between commas.
Result<std::vector<std::string>> as_list(const Given& given);

// `text` as a TOML string, with its quotes.
std::string toml_quote(std::string_view text);

}  // namespace boatswain::config
