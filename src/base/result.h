// Result and Error: how expected trouble travels.
//
// Expected trouble (S3 refuses a PUT, a file vanishes, a recipient is misspelt) is a value and part of the
// signature. A broken invariant is an exception and ends the task that broke it.
//
// An Error tells the caller what to do (Remedy) and a person what happened (what). It never holds a line of
// a container, nor a secret: it may be logged as it is.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace boatswain {

// What the caller should do about an error.
enum class Remedy {
    retry,       // the same call may well succeed now
    back_off,    // the same call may succeed later: wait, then repeat
    re_resolve,  // what was addressed is gone or has changed: look again what is there
    quarantine,  // the data at hand is not what it claims to be: put it aside, go on without it
    stop,        // a person must change something first (configuration, permissions)
};

std::string_view to_string(Remedy remedy);

struct Error {
    Remedy remedy = Remedy::stop;
    std::string what;         // a sentence for people, without a full stop: "open /x/y: Permission denied"
    std::error_code cause{};  // set when an operating system call or a library gave one

    // The same error, said from one step further out: "put tenant=acme/...: " + what.
    Error within(std::string_view doing) &&;
};

template <class T>
class [[nodiscard]] Result : public std::expected<T, Error> {
  public:
    using std::expected<T, Error>::expected;
};

// An error value for `return`.
std::unexpected<Error> fail(Remedy remedy, std::string what, std::error_code cause = {});

// An error value made of errno as it stands: fail_errno(Remedy::stop, "open " + path).
std::unexpected<Error> fail_errno(Remedy remedy, std::string_view doing);
std::unexpected<Error> fail_errno(Remedy remedy, std::string_view doing, int error_number);

}  // namespace boatswain

#define BOATSWAIN_CONCAT_(a, b) a##b
#define BOATSWAIN_CONCAT(a, b) BOATSWAIN_CONCAT_(a, b)

#define BOATSWAIN_TRY_(ret, tmp, declaration, ...)         \
    auto tmp = (__VA_ARGS__);                              \
    if (!tmp) ret std::unexpected(std::move(tmp).error()); \
    declaration = std::move(*tmp)
#define BOATSWAIN_CHECK_(ret, tmp, ...)                        \
    do {                                                       \
        auto tmp = (__VA_ARGS__);                              \
        if (!tmp) ret std::unexpected(std::move(tmp).error()); \
    } while (false)

// TRY(auto x, f()): x is f()'s value, or the function returns f()'s error. CHECK(f()): the same without a value.
// The CO_ forms are for coroutines.
#define TRY(declaration, ...) BOATSWAIN_TRY_(return, BOATSWAIN_CONCAT(try_, __LINE__), declaration, __VA_ARGS__)
#define CHECK(...) BOATSWAIN_CHECK_(return, BOATSWAIN_CONCAT(try_, __LINE__), __VA_ARGS__)
#define CO_TRY(declaration, ...) BOATSWAIN_TRY_(co_return, BOATSWAIN_CONCAT(try_, __LINE__), declaration, __VA_ARGS__)
#define CO_CHECK(...) BOATSWAIN_CHECK_(co_return, BOATSWAIN_CONCAT(try_, __LINE__), __VA_ARGS__)
