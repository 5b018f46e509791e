// For tests of spool/ and what ships from it: segments of any bytes, named as the sealing side names them.
#pragma once

#include <openssl/sha.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "base/bytes.h"
#include "segment/seal.h"
#include "spool/spool.h"

namespace boatswain::spool {

// The segment that continues the chain of `tenant`. Its bytes are no age file: the spool never looks inside.
inline segment::SealedSegment next_segment(Spool& spool, const std::string& tenant, std::size_t bytes) {
    auto whose = TenantId::parse(tenant).value();
    auto head = spool.chain_head(whose).value();
    segment::SealedSegment made{
        .key = {.tenant = whose,
                .hour = *parse_time("2026-11-23T10:00:00Z"),
                .host = spool.host(),
                .epoch = head.epoch,
                .sequence = head.sequence},
        .bytes = (tenant + " " + std::to_string(head.sequence) + " " + head.previous_sha256 + "\n").substr(0, bytes),
        .sha256 = std::string(SHA256_DIGEST_LENGTH, '\0'),
        .lines = 1};
    made.bytes.resize(bytes, 'x');
    ::SHA256(reinterpret_cast<const unsigned char*>(made.bytes.data()), made.bytes.size(),
             reinterpret_cast<unsigned char*>(made.sha256.data()));
    return made;
}

// What take() gives now; nothing when it would wait: it is told to stop when its thread sleeps, however slow the
// machine is.
inline std::optional<Spooled> take_now(Spool& spool) {
    auto status = "/proc/self/task/" + std::to_string(::gettid()) + "/stat";
    auto is_asleep = [&] {
        std::string line;
        std::getline(std::ifstream{status} >> std::ws, line);
        return line.contains(") S ");
    };
    std::stop_source stop;
    std::jthread impatient{[&](const std::stop_token& taken) {
        for (int asleep = 0; asleep < 5 && !taken.stop_requested();) {
            std::this_thread::sleep_for(std::chrono::milliseconds{10});
            asleep = is_asleep() ? asleep + 1 : 0;
        }
        stop.request_stop();
    }};
    return spool.take(stop.get_token());
}

}  // namespace boatswain::spool
