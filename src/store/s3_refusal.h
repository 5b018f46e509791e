// What an S3 server's refusal means: what the client should do about it, and what to tell a person.
//
// Source: Amazon S3 API Reference, "List of error codes"; what Ceph RGW 16.2 was seen to answer is marked in
// s3_refusal.cc.
#pragma once

#include <string>

#include "base/result.h"
#include "http/client/http_client.h"
#include "store/credentials.h"

namespace boatswain::store {

using http::HttpAnswer;

enum class Reaction {
    give_up,          // asking again gives the same answer
    ask_again,        // after a wait
    new_credentials,  // once, with fresh ones from their source
    set_clock,        // once, with the server's time
};

struct Refusal {
    Reaction reaction = Reaction::give_up;
    Remedy remedy = Remedy::stop;  // when the reaction did not help, or is to give up
    std::string what;              // "403 SignatureDoesNotMatch (the secret key does not belong to ...)"
};

struct RefusalContext {
    std::string_view method;
    std::string_view bucket;
    std::string_view endpoint;
    const Credentials& credentials;
    bool lists = false;         // a listing, and no object
    std::string_view not_s3{};  // what keeps a success from being S3's answer; empty: nothing was found
};

Refusal judge(const HttpAnswer& answer, const RefusalContext& context);

}  // namespace boatswain::store
