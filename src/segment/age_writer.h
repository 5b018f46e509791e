// Writes one age v1 file (https://c2sp.org/age) for X25519 recipients, as the plaintext comes.
//
// The size of the plaintext is named at the start. So the output is one string of exactly the final size, each piece of
// plaintext is encrypted straight into its place in it, and the last chunk is known when it begins. The file key lives
// until finish() and is wiped.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "crypto/recipient.h"

namespace boatswain::segment {

class AgeWriter {
  public:
    // Remedy::stop without a recipient, with more than recipients_max, or with one that is a point of low order.
    // `stanzas` come first in the header, as they are: whole stanzas of types that age implementations pass over.
    static Result<AgeWriter> begin(std::span<const crypto::Recipient> recipients, std::uint64_t plaintext_bytes,
                                   std::string_view stanzas = {});
    AgeWriter(AgeWriter&&) noexcept;
    AgeWriter& operator=(AgeWriter&&) noexcept;
    ~AgeWriter();

    // All pieces together must be exactly `plaintext_bytes`: anything else is a bug and throws.
    void append(std::string_view plaintext);
    // What of the file is final by now: header and whole chunks.
    std::string_view written() const;
    std::string finish();

  private:
    struct State;
    explicit AgeWriter(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace boatswain::segment
