// Whatever stands in a shared file, a service's answer, a command or a variable, it is refused or usable as it is.
#include "store/credential_json.h"
#include "store/credential_process.h"
#include "store/credential_sources.h"
#include "store/shared_profile.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace boatswain::store;
    std::string_view text{reinterpret_cast<const char*>(data), size};
    auto is_usable = [](Credentials credentials) {
        auto keys = credentials.access_key.size() + credentials.secret_key.size();
        return !tidy(credentials) && credentials.access_key.size() + credentials.secret_key.size() == keys;
    };
    for (auto file : {SharedFile::credentials, SharedFile::config}) (void)parse_profile(text, "default", file);
    if (auto found = parse_credentials(text, {.token = "Token"}); found && !is_usable(*found)) __builtin_trap();
    if (auto words = split_words(text))
        for (const auto& word : *words)
            if (word.size() > text.size()) __builtin_trap();
    for (std::string_view name : {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"}) {
        auto endpoint = container_endpoint(
            [&](std::string_view asked) { return asked == name ? std::optional{std::string{text}} : std::nullopt; });
        if (endpoint && *endpoint && !(*endpoint)->starts_with("http")) __builtin_trap();
    }
    return 0;
}
