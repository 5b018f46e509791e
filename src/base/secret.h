// Memory for secrets: identities, secret keys of S3, keys of the fleet, secrets that containers carry.
//
// Invariants
//   - It is locked: never written to a swap area. Nor is it in a core dump, nor in the memory of a child process.
//   - It is wiped before it is given back.
//   - No secret can be printed, compared in a time that tells where it differs, or turned into text by accident: view()
//     is the one way to its bytes.
//
// What may be locked is bounded (RLIMIT_MEMLOCK; 64 KiB on old systems), so that secrets share pages: 64 identities to
// one. Where the kernel locks no more, secrets still lie there, wiped but not locked, and secret_memory() says so.
// memfd_secret(2) would hide the pages from the kernel's own maps, too, but most systems have it switched off.
//
// Out of reach: copies that others make. libcurl keeps the headers of a request under way, session token and
// Authorization among them; OpenSSL wipes its own; the environment of the process stays where the kernel put it; and
// registers and stacks are wiped by nobody.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <string_view>
#include <type_traits>

namespace boatswain {

struct SecretMemory {
    std::size_t locked_bytes = 0;
    std::size_t unlocked_bytes = 0;  // that the kernel did not lock: over RLIMIT_MEMLOCK
};
// What all secrets of the process take now, in whole pages. Thread-safe, as everything here.
SecretMemory secret_memory();

// Aligned for any type. Throws std::bad_alloc. `size` is the same for both.
void* allocate_secret(std::size_t size);
void release_secret(void* secret, std::size_t size) noexcept;  // wipes it

// A text or bytes of any length.
class Secret {
  public:
    Secret() = default;
    explicit Secret(std::string_view bytes);
    Secret(const Secret& other) : Secret(other.view()) {}
    Secret(Secret&& other) noexcept;
    Secret& operator=(Secret other) noexcept;
    ~Secret();

    std::string_view view() const { return {bytes_, size_}; }
    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    bool operator==(const Secret& other) const;

  private:
    char* bytes_ = nullptr;
    std::size_t size_ = 0;
};

// One value without pointers, such as a key of 32 bytes.
template <class T>
class SecretValue {
    static_assert(std::is_trivially_copyable_v<T>);

  public:
    SecretValue() : value_(new(allocate_secret(sizeof(T))) T{}) {}
    explicit SecretValue(const T& value) : SecretValue() { *value_ = value; }
    SecretValue(const SecretValue& other) : SecretValue(*other) {}
    SecretValue& operator=(const SecretValue& other) {
        *value_ = *other;
        return *this;
    }
    ~SecretValue() { release_secret(value_, sizeof(T)); }

    T& operator*() { return *value_; }
    const T& operator*() const { return *value_; }

  private:
    T* value_;  // never null: a value that was moved from is a copy
};

// Wipes what it names (a text, an array) when the scope ends: for copies on their way to or from a Secret.
class WipeAtEnd {
  public:
    template <class T>
    explicit WipeAtEnd(T& secret) : bytes_(secret.data()), size_(secret.size() * sizeof(*secret.data())) {}
    WipeAtEnd(const WipeAtEnd&) = delete;
    WipeAtEnd& operator=(const WipeAtEnd&) = delete;
    ~WipeAtEnd();

  private:
    void* bytes_;
    std::size_t size_;
};

}  // namespace boatswain
