// The commands of the query server: `serve`, and `token` for who may ask it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/time.h"
#include "boatswain/output.h"

namespace boatswain::tool {

struct Serve {
    std::string listen;
    std::string store;
    std::string identities;    // a directory of TENANT.key, or empty
    bool end_to_end = false;   // no identities: readers open what they read
    std::string tokens;        // a file
    std::string limits;        // a file, or empty
    std::string audit;         // a file, or empty
    std::string signing_keys;  // a file, or empty
    std::string oidc;          // a file, or empty
    std::string certificate, key;
    std::string client_ca, client_crl, client_names;  // files, or empty
    bool no_tls = false;
    std::string hub;                    // where agents connect, or empty
    std::string fleet_key;              // a file, for the hub
    std::vector<std::string> embed_in;  // origins that may show the page in a frame
    std::uint64_t memory = 128U << 20;
    std::uint64_t footer_cache = 128U << 20;
    std::uint64_t read_max = 64ULL << 30;
    std::chrono::milliseconds timeout{60'000};
    Nanoseconds range_max = std::chrono::hours{721};
    std::size_t cells = 16;
    std::size_t queries = 8;
    std::size_t queries_per_tenant = 4;
    LogFormat log_format = LogFormat::text;
    bool check = false;  // open everything, answer nobody
};

struct TokenNew {
    std::string file;
    bool is_operator = false;  // then there is no tenant
    std::string tenant;
    std::vector<std::string> apps;
    std::optional<Nanoseconds> valid_for;  // nothing: for ever
};
struct TokenList {
    std::string file;
    bool json = false;
};
struct TokenRevoke {
    std::string file;
    std::string id;
};

// A token that is in no file: a server that has the key accepts it.
struct TokenSign {
    std::string key;  // a file
    std::string tenant;
    std::vector<std::string> apps;
    std::string subject;
    std::string link;  // the page's address: a link that signs in there is printed; empty: the token alone
    Nanoseconds valid_for{};
};

int run(const Serve& request, Console& console);
int run(const TokenNew& request, Console& console);
int run(const TokenSign& request, Console& console);
int run(const TokenList& request, Console& console);
int run(const TokenRevoke& request, Console& console);

}  // namespace boatswain::tool
