#include "intake/json_file/json_string.h"

#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

#include "base/text.h"

namespace boatswain::intake {
namespace {

// How many of the 16 bytes at `from` come before the first '"' or '\\', 16 when there is none; copies all 16 to `to`.
inline unsigned copy_until_special(const char* from, char* to) {
#if defined(__SSE2__)
    auto bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);
    auto special = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
    auto mask = static_cast<unsigned>(_mm_movemask_epi8(special));
    return static_cast<unsigned>(__builtin_ctz(mask | 0x10000U));
#elif defined(__ARM_NEON)
    auto bytes = vld1q_u8(reinterpret_cast<const std::uint8_t*>(from));
    vst1q_u8(reinterpret_cast<std::uint8_t*>(to), bytes);
    auto special = vorrq_u8(vceqq_u8(bytes, vdupq_n_u8('"')), vceqq_u8(bytes, vdupq_n_u8('\\')));
    // Narrowing by four bits gives four mask bits a byte.
    auto mask = vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(special), 4)), 0);
    return mask == 0 ? 16U : static_cast<unsigned>(__builtin_ctzll(mask)) / 4;
#else
    std::memcpy(to, from, 16);
    for (unsigned i = 0; i < 16; ++i)
        if (from[i] == '"' || from[i] == '\\') return i;
    return 16;
#endif
}

// The four hex digits at `at`, or -1.
std::int32_t four_hex(const char* at, const char* end) {
    if (end - at < 4) return -1;
    std::int32_t value = 0;
    for (int i = 0; i < 4; ++i) {
        int digit = hex_value(at[i]);
        if (digit < 0) return -1;
        value = value * 16 + digit;
    }
    return value;
}

char* write_utf8(std::uint32_t code, char* out) {
    if (code < 0x80) {
        *out++ = static_cast<char>(code);
    } else if (code < 0x800) {
        *out++ = static_cast<char>(0xC0 | (code >> 6));
        *out++ = static_cast<char>(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        *out++ = static_cast<char>(0xE0 | (code >> 12));
        *out++ = static_cast<char>(0x80 | ((code >> 6) & 0x3F));
        *out++ = static_cast<char>(0x80 | (code & 0x3F));
    } else {
        *out++ = static_cast<char>(0xF0 | (code >> 18));
        *out++ = static_cast<char>(0x80 | ((code >> 12) & 0x3F));
        *out++ = static_cast<char>(0x80 | ((code >> 6) & 0x3F));
        *out++ = static_cast<char>(0x80 | (code & 0x3F));
    }
    return out;
}

// The escape \uXXXX whose digits start at `at`, with its second half when it is a surrogate pair. Behind it, or
// nullptr.
const char* unescape_unicode(const char* at, const char* end, char*& out) {
    auto code = four_hex(at, end);
    if (code < 0) return nullptr;
    at += 4;
    if (code >= 0xD800 && code < 0xDC00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u') {
        auto low = four_hex(at + 2, end);
        if (low >= 0xDC00 && low < 0xE000) {
            out = write_utf8(
                0x10000U + (static_cast<std::uint32_t>(code - 0xD800) << 10) + static_cast<std::uint32_t>(low - 0xDC00),
                out);
            return at + 6;
        }
    }
    bool lone_surrogate = code >= 0xD800 && code < 0xE000;
    out = write_utf8(lone_surrogate ? 0xFFFDU : static_cast<std::uint32_t>(code), out);
    return at;
}

}  // namespace

Unescaped unescape_json_string(const char* at, const char* end, char* out) {
    constexpr Unescaped broken{nullptr, nullptr};
    for (;;) {
        while (end - at >= 16) {
            auto plain = copy_until_special(at, out);
            at += plain;
            out += plain;
            if (plain < 16) break;
        }
        while (at < end && *at != '"' && *at != '\\') *out++ = *at++;
        if (at >= end) return broken;
        if (*at == '"') return {at + 1, out};
        if (end - at < 2) return broken;
        char escape = at[1];
        at += 2;
        switch (escape) {
            case 'n': *out++ = '\n'; break;
            case '"': *out++ = '"'; break;
            case '\\': *out++ = '\\'; break;
            case 't': *out++ = '\t'; break;
            case 'r': *out++ = '\r'; break;
            case '/': *out++ = '/'; break;
            case 'b': *out++ = '\b'; break;
            case 'f': *out++ = '\f'; break;
            case 'u':
                at = unescape_unicode(at, end, out);
                if (!at) return broken;
                break;
            default: return broken;
        }
    }
}

}  // namespace boatswain::intake
