// Numbers and texts in a row, as the two ends of a channel (channel.h) write and read them: numbers little-endian, a
// text as its length in 4 bytes and its bytes.
#pragma once

#include <concepts>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace boatswain::cell {

// Of a message: its length behind these 4 bytes, and its kind.
inline constexpr std::size_t message_head_bytes = 5;

class Packer {
  public:
    explicit Packer(std::uint8_t kind) : bytes_(message_head_bytes, '\0') { bytes_[4] = static_cast<char>(kind); }

    template <std::integral T>
    Packer& number(T value) {
        bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
        return *this;
    }
    Packer& text(std::string_view value) {
        number(static_cast<std::uint32_t>(value.size()));
        bytes_ += value;
        return *this;
    }
    // The whole message, its head included.
    std::string take() {
        auto length = static_cast<std::uint32_t>(bytes_.size() - message_head_bytes + 1);
        std::memcpy(bytes_.data(), &length, sizeof length);
        return std::move(bytes_);
    }

  private:
    std::string bytes_;
};

// What is missing reads as zero or empty, and is_whole() says so at the end.
class Unpacker {
  public:
    explicit Unpacker(std::string_view bytes) : bytes_(bytes) {}

    template <std::integral T>
    T number() {
        T value{};
        if (auto bytes = take(sizeof value); !bytes.empty()) std::memcpy(&value, bytes.data(), sizeof value);
        return value;
    }
    bool flag() {
        auto value = number<std::uint8_t>();
        if (value > 1) is_broken_ = true;
        return value == 1;
    }
    std::string text(std::size_t bytes_max) {
        auto size = number<std::uint32_t>();
        if (size > bytes_max) is_broken_ = true;
        return is_broken_ ? std::string{} : std::string{take(size)};
    }
    // How many of something follow.
    std::size_t count(std::size_t most) {
        auto count = number<std::uint32_t>();
        if (count > most) is_broken_ = true;
        return is_broken_ ? 0 : count;
    }
    bool is_broken() const { return is_broken_; }
    // Nothing was missing, and nothing is left.
    bool is_whole() const { return !is_broken_ && bytes_.empty(); }

  private:
    std::string_view take(std::size_t size) {
        if (is_broken_ || size > bytes_.size()) {
            is_broken_ = true;
            return {};
        }
        auto taken = bytes_.substr(0, size);
        bytes_.remove_prefix(size);
        return taken;
    }

    std::string_view bytes_;
    bool is_broken_ = false;
};

}  // namespace boatswain::cell
