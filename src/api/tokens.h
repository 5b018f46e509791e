// Bearer tokens, each bound to one tenant: who may read what.
//
// A token is 32 random bytes; the file holds its SHA-256 alone, so whoever reads the file can present none. (A slow
// hash is for secrets that people choose.) One line a token: ID SHA256 TENANT EXPIRES APPS, names percent-encoded,
// EXPIRES a time or "never", APPS "*" or a list with commas (docs/operate/serve.md). Of an operator's token, which reads
// nobody's lines, TENANT is "_operator".
//
// Invariants
//   - Comparing takes the same time whatever was presented: every token of the file is compared, whole.
//   - find() gives no operator's token and find_operator() no tenant's: neither can be used as the other.
//   - While the file cannot be read, or holds anything that is no token, no token is accepted.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/time.h"
#include "record/source.h"

namespace boatswain::api {

inline constexpr std::size_t tokens_max = 10'000;
inline constexpr std::uint64_t tokens_file_bytes_max = 16U << 20;
inline constexpr std::size_t token_apps_max = 100;
// How old what was read of the file may be.
inline constexpr std::chrono::milliseconds tokens_look_every{1000};

struct Token {
    std::string id;                    // for people: it names the token in lists and logs, and opens nothing
    std::string sha256;                // 32 raw bytes, of the token's text
    TenantId tenant;                   // of an operator's token without meaning
    std::optional<Timestamp> expires;  // nothing: never
    std::vector<std::string> apps;     // nothing but these may be read; empty: all of the tenant
    bool is_operator = false;
};

// One that sees how the fleet stands, and no tenant's lines.
struct OperatorToken {
    std::string id;
    std::optional<Timestamp> expires;
};

// A token that nobody has, and its text, which is shown once.
struct NewToken {
    Token token;
    Secret text;
};
NewToken make_token(TenantId tenant, std::optional<Timestamp> expires, std::vector<std::string> apps);
NewToken make_operator_token(std::optional<Timestamp> expires);

// The error names the line and never repeats it.
Result<std::vector<Token>> parse_tokens(std::string_view text);
std::string to_file(const std::vector<Token>& tokens);

// Refuses a file that others than its owner may write to. A missing file is Remedy::re_resolve.
Result<std::vector<Token>> read_tokens(const Path& file);

// Reads, changes and writes the file while nobody else does. A missing file is one without tokens.
Result<void> change_tokens(const Path& file, const std::function<Result<void>(std::vector<Token>&)>& change);

// The token of "Authorization: Bearer TOKEN"; empty when there is none.
std::string_view bearer_of(std::string_view authorization);

// Thread-safe.
class TokenFile {
  public:
    TokenFile(Path file, const Clock& clock) : file_(std::move(file)), clock_(clock) {}

    // Whose `text` is; nothing when it is nobody's, or has expired. A token that is not known is looked for again where
    // the file is another than the one that was read: a platform makes a token and uses it at once.
    std::optional<Token> find(std::string_view text);
    std::optional<OperatorToken> find_operator(std::string_view text);
    // Why no token is accepted; nothing while all is well.
    std::optional<Error> trouble();

  private:
    void look();
    void read();
    std::optional<Token> find_any(std::string_view text);
    const Token* known(std::string_view hash) const;

    const Path file_;
    const Clock& clock_;
    std::mutex mutex_;  // of what follows
    std::optional<std::chrono::steady_clock::time_point> looked_;
    std::string stamp_;  // of the file that was read
    std::vector<Token> tokens_;
    std::optional<Error> trouble_;
};

}  // namespace boatswain::api
