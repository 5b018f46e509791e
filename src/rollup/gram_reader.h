// Reads the filters of the frames of an hour (docs/formats/rollup.md), of which a question needs a few rows.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "rollup/grams.h"

namespace boatswain::rollup {

class GramReader;

// One frame's filter; valid until that of a frame of another band is asked for.
class GramView {
  public:
    GramView(GramReader& reader, std::size_t frame) : reader_(&reader), frame_(frame) {}
    // False only where the frame cannot hold all of `query`, which outlives the reader.
    bool may_hold(const GramQuery& query) const;

  private:
    GramReader* reader_;
    std::size_t frame_;
};

// For frames that are asked about in order. Not for several threads at once.
//
// It holds pieces_max pieces of piece_bytes, and for each query and a band's frames a bit.
class GramReader {
  public:
    // Bytes [first, first + length) of the plaintext.
    using Read = std::function<Result<std::string>(std::uint64_t first, std::uint64_t length)>;
    static constexpr std::uint64_t piece_bytes = 64U << 10;  // as age's chunks: each opens alone
    static constexpr std::size_t pieces_max = 64;

    // Those of `frames` frames, which lie at [offset, offset + bytes). Nothing is read yet.
    GramReader(std::size_t frames, std::uint64_t offset, std::uint64_t bytes, Read read);

    // index < frames, and not before the band of the one asked for last.
    GramView frame(std::size_t index) { return {*this, index}; }
    // The filters of the next band themselves, for who compares them with others; none: it was the last. Takes the
    // bytes of a band twice.
    Result<std::vector<GramFilter>> next_band();
    // What went wrong so far; of frames asked about since, everything may be in them. At the end: whether what was read
    // fits the frames (Remedy::quarantine), for which all bands are looked at.
    Result<void> finish();

  private:
    friend class GramView;
    struct Table {
        std::uint64_t offset = 0, bytes = 0;
        std::size_t frames = 0, stride = 0;  // of a row; or of a filter
        bool in_rows() const { return frames >= frames_in_rows_min; }
    };
    using Answer = std::map<unsigned, std::string>;  // by width: a bit for each of its frames

    bool may_hold(std::size_t frame, const GramQuery& query);
    Result<void> go_to(std::size_t frame);
    Result<void> open_band();
    Result<std::string> answer(const GramQuery& query, unsigned width);
    Result<std::string> read(std::uint64_t first, std::uint64_t length);
    Result<const std::string*> piece(std::uint64_t index);

    const std::size_t frames_;
    const std::uint64_t begin_, end_;
    const Read read_;
    std::optional<Error> failed_;

    // The band that is read.
    std::size_t first_frame_ = 0;
    std::uint64_t next_band_;  // where the one behind it begins
    std::string widths_;
    std::vector<std::uint32_t> columns_;  // of each frame, in the table of its width
    std::map<unsigned, Table> tables_;
    std::map<const GramQuery*, Answer> answers_;
    std::map<std::uint64_t, std::string> pieces_;
};

}  // namespace boatswain::rollup
