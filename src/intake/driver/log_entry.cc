#include "intake/driver/log_entry.h"

#include <stdexcept>

namespace boatswain::intake::driver {
namespace {

constexpr std::uint32_t note_bit = 1U << 31;

enum class Wire : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

struct Field {
    std::uint64_t number = 0;
    Wire wire = Wire::varint;
    std::uint64_t value = 0;  // of varint
    std::string_view bytes;   // of bytes
};

// Reads the fields of one message, one after the other.
class Fields {
  public:
    explicit Fields(std::string_view message) : left_(message) {}

    // False at the end, and when the message is malformed: then ok() is false.
    bool next(Field& field) {
        if (left_.empty()) return false;
        std::uint64_t tag = 0;
        if (!varint(tag) || tag >> 3 == 0 || tag >> 3 > field_number_max) return wrong();
        field = {.number = tag >> 3, .wire = static_cast<Wire>(tag & 7)};
        std::uint64_t size = 0;
        switch (field.wire) {
            case Wire::varint: return varint(field.value) || wrong();
            case Wire::fixed64: return skip(8) || wrong();
            case Wire::fixed32: return skip(4) || wrong();
            case Wire::bytes:
                if (!varint(size) || size > left_.size()) return wrong();
                field.bytes = left_.substr(0, size);
                left_.remove_prefix(size);
                return true;
        }
        return wrong();  // groups, and what is no wire type
    }
    bool ok() const { return ok_; }

  private:
    static constexpr std::uint64_t field_number_max = (1U << 29) - 1;

    bool varint(std::uint64_t& value) {
        value = 0;
        for (unsigned shift = 0; shift < 64 && !left_.empty(); shift += 7) {
            auto byte = static_cast<std::uint8_t>(left_.front());
            left_.remove_prefix(1);
            value |= std::uint64_t{byte & 0x7FU} << shift;
            if (byte < 0x80) return shift < 63 || byte <= 1;
        }
        return false;
    }
    bool skip(std::size_t size) {
        if (left_.size() < size) return false;
        left_.remove_prefix(size);
        return true;
    }
    bool wrong() { return ok_ = false; }

    std::string_view left_;
    bool ok_ = true;
};

std::optional<LogEntry::Piece> parse_piece(std::string_view message) {
    LogEntry::Piece piece;
    Fields fields{message};
    for (Field field; fields.next(field);) {
        if (field.number == 1 && field.wire == Wire::varint) piece.last = field.value != 0;
        if (field.number == 2 && field.wire == Wire::bytes) piece.id = field.bytes;
        if (field.number == 3 && field.wire == Wire::varint) piece.ordinal = static_cast<std::int32_t>(field.value);
    }
    return fields.ok() ? std::optional{piece} : std::nullopt;
}

void put_varint(std::string& out, std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
    out += static_cast<char>(value);
}

void put_number(std::string& out, unsigned number, std::uint64_t value) {
    if (value == 0) return;
    put_varint(out, number << 3);
    put_varint(out, value);
}

void put_bytes(std::string& out, unsigned number, std::string_view bytes) {
    put_varint(out, number << 3 | 2);
    put_varint(out, bytes.size());
    out += bytes;
}

std::string with_length(std::string_view payload, std::uint32_t flags) {
    if (payload.size() > frame_bytes_max - frame_head_bytes) throw std::length_error("a frame is too long");
    auto length = static_cast<std::uint32_t>(payload.size()) | flags;
    std::string frame;
    for (int shift : {24, 16, 8, 0}) frame += static_cast<char>(length >> shift);
    return frame += payload;
}

}  // namespace

Frame first_frame(std::string_view bytes) {
    if (bytes.size() < frame_head_bytes) return {};
    std::uint32_t length = 0;
    for (std::size_t i = 0; i < frame_head_bytes; ++i) length = length << 8 | static_cast<std::uint8_t>(bytes[i]);
    auto kind = length & note_bit ? Frame::Kind::note : Frame::Kind::entry;
    std::size_t size = length & ~note_bit;
    if (size == 0 || size > frame_bytes_max - frame_head_bytes) return {.kind = Frame::Kind::malformed};
    if (bytes.size() - frame_head_bytes < size) return {};
    return {.kind = kind, .payload = bytes.substr(frame_head_bytes, size), .size = frame_head_bytes + size};
}

std::size_t whole_frames(std::string_view bytes) {
    std::size_t whole = 0;
    for (auto frame = first_frame(bytes); frame.size > 0; frame = first_frame(bytes.substr(whole))) whole += frame.size;
    return whole;
}

std::optional<LogEntry> parse_log_entry(std::string_view payload) {
    LogEntry entry;
    Fields fields{payload};
    for (Field field; fields.next(field);) {
        bool bytes = field.wire == Wire::bytes, number = field.wire == Wire::varint;
        if (field.number == 1 && bytes) entry.source = field.bytes;
        if (field.number == 2 && number) entry.time_nano = static_cast<std::int64_t>(field.value);
        if (field.number == 3 && bytes) entry.line = field.bytes;
        if (field.number == 4 && number) entry.partial = field.value != 0;
        if (field.number == 5 && bytes) {
            entry.piece = parse_piece(field.bytes);
            if (!entry.piece) return std::nullopt;
        }
    }
    return fields.ok() ? std::optional{entry} : std::nullopt;
}

std::string to_frame(const LogEntry& entry) {
    std::string payload;
    put_bytes(payload, 1, entry.source);
    put_number(payload, 2, static_cast<std::uint64_t>(entry.time_nano));
    if (!entry.line.empty()) put_bytes(payload, 3, entry.line);
    put_number(payload, 4, entry.partial);
    if (entry.piece) {
        std::string piece;
        put_number(piece, 1, entry.piece->last);
        put_bytes(piece, 2, entry.piece->id);
        put_number(piece, 3, static_cast<std::uint32_t>(entry.piece->ordinal));
        put_bytes(payload, 5, piece);
    }
    return with_length(payload, 0);
}

std::string to_note(std::string_view text) { return with_length(text, note_bit); }

}  // namespace boatswain::intake::driver
