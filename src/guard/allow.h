// The allow-list: which requests the engine gets to see, and in which words.
//
//   GET, HEAD  /_ping  /version  /info  /events  /containers/json  /containers/ID/json  /containers/ID/logs
//              /images/sha256:HEX/json, by the whole id alone
//   POST       /containers/ID/attach, output only, where the operator opted in
//
// each with an optional /v1.NN before it. ID is a name or id as the engine gives them: letters, digits, '_', '.', '-',
// the first a letter or digit; so a path holds no encoding, no empty part and no dots that lead elsewhere. Everything
// else is refused, `attach/ws` (a GET that carries input), archive, export, top, changes, stats and exec among it.
//
// Invariants
//   - The target is composed of constants, the version's digits, the checked ID and rewritten parameters (query.h); no
//     byte of the request is copied unchecked.
//   - `stdin=0` is said to the engine with every attach.
#pragma once

#include <string>
#include <string_view>

#include "guard/refusal.h"
#include "guard/request.h"

namespace boatswain::guard {

enum class Call { ping, version, info, events, list, inspect, image, logs, attach };
std::string_view to_string(Call call);

struct Policy {
    bool attach = false;
};

// What the engine is asked.
struct Allowed {
    Call call = Call::ping;
    std::string method;    // GET, HEAD or POST
    std::string target;    // "/v1.41/containers/web-1/logs?follow=1&stdout=1"
    bool upgrade = false;  // attach, with "Upgrade: tcp"
};

inline constexpr std::size_t container_name_bytes_max = 255;

Judged<Allowed> judge(const Request& request, const Policy& policy);

}  // namespace boatswain::guard
