#include "export/part_writer.h"

#include <zstd.h>

#include <cstdio>
#include <stdexcept>

#include "crypto/digest.h"

namespace boatswain::exporting {

// One zstd frame for each part, so that every reader of such files takes it.
struct PartWriter::Compression {
    static constexpr int level = 3;
    std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context{ZSTD_createCCtx(), &ZSTD_freeCCtx};

    Compression() {
        if (!context) throw std::bad_alloc();
        ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, level);
        ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
    }
    void run(std::string_view text, bool ends, std::string& out) {
        ZSTD_inBuffer in{.src = text.data(), .size = text.size(), .pos = 0};
        while (true) {
            auto used = out.size();
            out.resize(used + ZSTD_CStreamOutSize());
            ZSTD_outBuffer room{.dst = out.data() + used, .size = out.size() - used, .pos = 0};
            auto left = ZSTD_compressStream2(context.get(), &room, &in, ends ? ZSTD_e_end : ZSTD_e_continue);
            out.resize(used + room.pos);
            // Only a broken invariant makes it fail: it has its memory by now.
            if (ZSTD_isError(left)) throw std::runtime_error(ZSTD_getErrorName(left));
            if (ends ? left == 0 : in.pos == in.size) return;
        }
    }
};

std::string part_name(RowFormat format, std::uint64_t number) {
    auto digits = std::to_string(number);
    constexpr std::size_t width = 5;
    if (digits.size() < width) digits.insert(0, width - digits.size(), '0');
    return "part-" + digits + (format == RowFormat::csv ? ".csv" : ".ndjson.zst");
}

PartWriter::PartWriter(store::Store& store, std::string prefix, RowFormat format, bool with_labels,
                       std::uint64_t parts_before)
    : store_(store), prefix_(std::move(prefix)), format_(format), with_labels_(with_labels), parts_(parts_before) {
    if (format == RowFormat::ndjson) compression_ = std::make_unique<Compression>();
}
PartWriter::~PartWriter() = default;

Result<void> PartWriter::append(const query::Entry& entry, const logql::Record* record) {
    if (part_.empty() && rows_.empty()) rows_ = heading_of(format_, with_labels_);
    append_row(rows_, format_, entry, record, with_labels_);
    if (rows_.size() < rows_bytes_max) return {};
    compress(false);
    return part_.size() < part_bytes_max ? Result<void>{} : put_part();
}

void PartWriter::compress(bool ends) {
    if (compression_)
        compression_->run(rows_, ends, part_);
    else
        part_ += rows_;
    rows_.clear();
}

Result<void> PartWriter::put_part() {
    compress(true);
    CHECK(store_.replace(key_of(parts_ + 1), part_, crypto::sha256(part_)));
    ++parts_;
    bytes_ += part_.size();
    part_.clear();
    return {};
}

Result<void> PartWriter::finish() {
    if (!part_.empty() || !rows_.empty()) CHECK(put_part());
    return empty_parts_behind();
}

// A store has no way to remove one.
Result<void> PartWriter::empty_parts_behind() {
    for (auto number = parts_ + 1;; ++number) {
        auto there = store_.read(key_of(number), {.first = 0, .length = 1});
        if (!there && there.error().remedy == Remedy::re_resolve) return {};
        if (!there) return std::unexpected(std::move(there).error());
        rows_ = heading_of(format_, with_labels_);
        compress(true);
        CHECK(store_.replace(key_of(number), part_, crypto::sha256(part_)));
        part_.clear();
    }
}

}  // namespace boatswain::exporting
