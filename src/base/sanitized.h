// Whether this build runs with the address or the thread sanitizer, which do things that the program itself does not.
#pragma once

namespace boatswain {

#if defined(__has_feature)
inline constexpr bool is_sanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
inline constexpr bool is_sanitized = false;
#endif

}  // namespace boatswain
