// Writes the rows of one tenant and hour as files of a bounded size: part-00001.ndjson.zst, part-00002...; each is put
// whole. In memory stand one part, compressed, and the rows that are not compressed yet.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "export/row.h"
#include "store/store.h"

namespace boatswain::exporting {

// A part is finished when it has so many bytes; it ends up to rows_bytes_max of text behind that.
inline constexpr std::uint64_t part_bytes_max = 16U << 20;
inline constexpr std::size_t rows_bytes_max = 256U << 10;

std::string part_name(RowFormat format, std::uint64_t number);

class PartWriter {
  public:
    // Under `prefix`, with numbers behind `parts_before`. `store` outlives this.
    PartWriter(store::Store& store, std::string prefix, RowFormat format, bool with_labels, std::uint64_t parts_before);
    ~PartWriter();
    PartWriter(const PartWriter&) = delete;
    PartWriter& operator=(const PartWriter&) = delete;

    // Errors are the store's.
    Result<void> append(const query::Entry& entry, const logql::Record* record);
    // Puts what is left, and empties parts behind that, of a run that was ended.
    Result<void> finish();

    std::uint64_t parts() const { return parts_; }  // those before included
    std::uint64_t bytes() const { return bytes_; }  // of files put by this

  private:
    struct Compression;
    void compress(bool ends);
    Result<void> put_part();
    Result<void> empty_parts_behind();
    std::string key_of(std::uint64_t number) const { return prefix_ + part_name(format_, number); }

    store::Store& store_;
    std::string prefix_;
    RowFormat format_;
    bool with_labels_;
    std::uint64_t parts_, bytes_ = 0;
    std::string rows_, part_;
    std::unique_ptr<Compression> compression_;  // of NDJSON
};

}  // namespace boatswain::exporting
