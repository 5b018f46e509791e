// For tests of spool/ and what ships from it: segments of any bytes, named as the sealing side names them.
#pragma once

#include <openssl/sha.h>

#include <string>

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

}  // namespace boatswain::spool
