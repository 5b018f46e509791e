// Reads the plaintext of an age v1 file by ranges: each 64 KiB chunk opens alone.
//
// Every byte that read() returns was authenticated. open() opens the last chunk, so a file that was cut short or has
// something after its end is refused there, before anything is returned.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"
#include "open/aead.h"
#include "open/age_header.h"
#include "open/fetch.h"
#include "open/identity.h"

namespace boatswain::open {

class AgeReader {
  public:
    // Fetches the header (4 KiB, more only if it is longer) and the last one or two chunks, which it keeps.
    // Remedy::quarantine for what is no age file, Remedy::stop when no identity fits, else what `fetch` says.
    static Result<AgeReader> open(std::uint64_t object_bytes, FetchRange fetch, std::span<const Identity> identities);
    AgeReader(AgeReader&&) noexcept;
    AgeReader& operator=(AgeReader&&) noexcept;
    ~AgeReader();

    // The header, whose MAC was checked: stanzas of other types than X25519 too.
    const AgeHeader& header() const;
    std::uint64_t plaintext_bytes() const;
    // The plaintext [first, first + length), which must lie inside. One fetch of exactly the chunks it touches; none
    // when they are kept.
    Result<std::string> read(std::uint64_t first, std::uint64_t length);
    // The same for several threads at once, each with an `aead` of its own, while nobody calls what is not const.
    Result<std::string> read(std::uint64_t first, std::uint64_t length, Aead& aead) const;

    // What the kept chunks cost, in bytes; and giving them up.
    std::uint64_t tail_memory() const;
    void drop_tail();
    // Gives up header(), which is empty from then on.
    void drop_header();

  private:
    struct State;
    explicit AgeReader(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace boatswain::open
