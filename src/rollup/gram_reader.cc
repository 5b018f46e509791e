#include "rollup/gram_reader.h"

#include <algorithm>
#include <bit>
#include <optional>

namespace boatswain::rollup {
namespace {

constexpr unsigned slot_bits = 20;
static_assert(gram_slots == std::size_t{1} << slot_bits);

std::unexpected<Error> refuse(const std::string& what) { return fail(Remedy::quarantine, "grams: " + what); }

bool bit_of(std::string_view bits, std::size_t at) {
    return (static_cast<unsigned char>(bits[at / 8]) >> (at % 8) & 1) != 0;
}

}  // namespace

bool GramView::may_hold(const GramQuery& query) const { return reader_->may_hold(frame_, query); }

GramReader::GramReader(std::size_t frames, std::uint64_t offset, std::uint64_t bytes, Read read)
    : frames_(frames), begin_(offset), end_(offset + bytes), read_(std::move(read)), next_band_(offset) {}

bool GramReader::may_hold(std::size_t frame, const GramQuery& query) {
    if (failed_) return true;
    auto told = [&]() -> Result<bool> {
        CHECK(go_to(frame));
        auto width = static_cast<unsigned char>(widths_[frame - first_frame_]);
        if (width == 0) return true;
        auto& answers = answers_[&query];
        auto known = answers.find(width);
        if (known == answers.end()) {
            TRY(auto bits, answer(query, width));
            known = answers.emplace(width, std::move(bits)).first;
        }
        return bit_of(known->second, columns_[frame - first_frame_]);
    }();
    if (!told) failed_ = std::move(told).error();
    return told.value_or(true);
}

Result<std::vector<GramFilter>> GramReader::next_band() {
    std::vector<GramFilter> filters;
    if (first_frame_ + widths_.size() == frames_) return filters;
    CHECK(open_band());
    for (unsigned char width : widths_)
        filters.push_back({.width = width, .bits = std::string((rows_of(width) + 7) / 8, '\0')});
    for (const auto& [width, table] : tables_) {
        TRY(auto rows, read_(table.offset, table.bytes));
        std::vector<GramFilter*> of_width;
        for (auto& filter : filters)
            if (filter.width == width) of_width.push_back(&filter);
        if (!table.in_rows()) {
            for (std::size_t i = 0; i < of_width.size(); ++i)
                of_width[i]->bits = rows.substr(i * table.stride, table.stride);
            continue;
        }
        for (std::size_t at = 0; at < rows.size(); ++at)
            for (unsigned bits = static_cast<unsigned char>(rows[at]); bits != 0; bits &= bits - 1) {
                auto row = at / table.stride;
                auto column = 8 * (at % table.stride) + static_cast<std::size_t>(std::countr_zero(bits));
                if (column >= of_width.size()) return refuse("bits of frames that are not there");
                auto& byte = of_width[column]->bits[row / 8];
                byte = static_cast<char>(byte | 1 << (row % 8));
            }
    }
    return filters;
}

Result<void> GramReader::finish() {
    if (failed_) return std::unexpected(*failed_);
    if (frames_ > 0) CHECK(go_to(frames_ - 1));
    if (next_band_ != end_) return refuse("more bytes than the frames have");
    return {};
}

Result<void> GramReader::go_to(std::size_t frame) {
    while (widths_.empty() || frame >= first_frame_ + widths_.size()) CHECK(open_band());
    return {};
}

Result<void> GramReader::open_band() {
    first_frame_ += widths_.size();
    auto count = std::min(frames_of_band, frames_ - first_frame_);
    answers_.clear();
    tables_.clear();
    TRY(widths_, read(next_band_, count));
    columns_.clear();
    for (unsigned char width : widths_) {
        if (width > filter_width_max) return refuse("a filter of an unknown width");
        columns_.push_back(width == 0 ? 0 : static_cast<std::uint32_t>(tables_[width].frames++));
    }
    auto at = next_band_ + count;
    for (auto& [width, table] : tables_) {
        table.offset = at;
        table.stride = ((table.in_rows() ? table.frames : rows_of(width)) + 7) / 8;
        table.bytes = (table.in_rows() ? rows_of(width) : table.frames) * table.stride;
        at += table.bytes;
    }
    if (at > end_) return refuse("a table is cut short");
    next_band_ = at;
    return {};
}

// All rows of the query, taken together; no further than until no frame is left.
Result<std::string> GramReader::answer(const GramQuery& query, unsigned width) {
    const auto& table = tables_.at(width);
    if (!table.in_rows()) {
        TRY(auto filters, read(table.offset, table.bytes));
        std::string answer((table.frames + 7) / 8, '\0');
        for (std::size_t i = 0; i < table.frames; ++i) {
            auto filter = std::string_view{filters}.substr(i * table.stride, table.stride);
            bool has_all = std::ranges::all_of(
                query.slots(), [&](std::size_t slot) { return bit_of(filter, slot * rows_of(width) >> slot_bits); });
            if (has_all) answer[i / 8] = static_cast<char>(answer[i / 8] | 1 << (i % 8));
        }
        return answer;
    }
    std::string answer(table.stride, '\xff');
    auto before = rows_of(width);  // none
    for (auto slot : query.slots()) {
        auto row = std::size_t{slot} * rows_of(width) >> slot_bits;
        if (row == before) continue;
        before = row;
        TRY(auto bits, read(table.offset + row * table.stride, table.stride));
        char any = 0;
        for (std::size_t i = 0; i < answer.size(); ++i) any |= answer[i] = static_cast<char>(answer[i] & bits[i]);
        if (any == 0) break;
    }
    return answer;
}

Result<std::string> GramReader::read(std::uint64_t first, std::uint64_t length) {
    if (first < begin_ || first > end_ || length > end_ - first) return refuse("fewer bytes than the frames have");
    std::string bytes;
    while (length > 0) {
        TRY(const auto* held, piece(first / piece_bytes));
        auto within = first - std::max(begin_, first / piece_bytes * piece_bytes);
        auto part = std::min<std::uint64_t>(length, held->size() - within);
        bytes.append(*held, within, part);
        first += part;
        length -= part;
    }
    return bytes;
}

Result<const std::string*> GramReader::piece(std::uint64_t index) {
    if (auto held = pieces_.find(index); held != pieces_.end()) return &held->second;
    auto first = std::max(begin_, index * piece_bytes), last = std::min(end_, (index + 1) * piece_bytes);
    TRY(auto bytes, read_(first, last - first));
    if (bytes.size() != last - first) return refuse("a piece of another length");
    if (pieces_.size() == pieces_max) pieces_.erase(pieces_.begin());  // rows are read in order: the first is behind
    return &pieces_.emplace(index, std::move(bytes)).first->second;
}

}  // namespace boatswain::rollup
