#include "http/coding.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <system_error>

#include "base/text.h"

namespace boatswain::http {
namespace {

constexpr std::size_t worth_it_bytes = 1024;
constexpr std::size_t out_bytes = 64U << 10;
constexpr int zlib_level = 1, zstd_level = 1;
constexpr int gzip_window_bits = 15 + 16;  // zlib's way to ask for gzip's framing

// The weight of one element of the list, "gzip;q=0.5"; 1 where it says none, 0 where it is not to be understood.
double weight_of(std::string_view parameters) {
    parameters = trim(parameters);
    if (parameters.empty()) return 1;
    if (!starts_in_any_case(parameters, "q=")) return 0;
    parameters.remove_prefix(2);
    double weight = 0;
    auto [end, error] = std::from_chars(parameters.data(), parameters.data() + parameters.size(), weight);
    return error == std::errc{} && end == parameters.data() + parameters.size() ? weight : 0;
}

}  // namespace

Coding coding_of(std::string_view accept_encoding) {
    double gzip = 0, zstd = 0;
    while (!accept_encoding.empty()) {
        auto one = accept_encoding.substr(0, accept_encoding.find(','));
        accept_encoding.remove_prefix(std::min(accept_encoding.size(), one.size() + 1));
        auto name = trim(one.substr(0, one.find(';')));
        auto weight = weight_of(one.contains(';') ? one.substr(one.find(';') + 1) : std::string_view{});
        if (equal_in_any_case(name, "gzip")) gzip = weight;
        if (equal_in_any_case(name, "zstd")) zstd = weight;
    }
    if (zstd > 0 && zstd >= gzip) return Coding::zstd;
    return gzip > 0 ? Coding::gzip : Coding::none;
}

struct Encoder::State {
    explicit State(Coding with) : coding(with) {
        if (coding == Coding::gzip &&
            deflateInit2(&gzip, zlib_level, Z_DEFLATED, gzip_window_bits, MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
            throw std::runtime_error("zlib does not begin");
        if (coding != Coding::zstd) return;
        zstd = ZSTD_createCCtx();
        if (zstd == nullptr || ZSTD_isError(ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, zstd_level)))
            throw std::runtime_error("zstd does not begin");
    }
    ~State() {
        if (coding == Coding::gzip) deflateEnd(&gzip);
        ZSTD_freeCCtx(zstd);
    }
    State(const State&) = delete;
    State& operator=(const State&) = delete;

    std::string by_gzip(std::string_view bytes, bool is_last) {
        std::string out;
        gzip.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
        gzip.avail_in = static_cast<uInt>(bytes.size());
        int flush = is_last ? Z_FINISH : Z_SYNC_FLUSH;
        for (int code = Z_OK; code == Z_OK;) {
            gzip.next_out = reinterpret_cast<Bytef*>(buffer);
            gzip.avail_out = sizeof buffer;
            code = deflate(&gzip, flush);
            if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
                throw std::runtime_error("zlib does not compress");
            out.append(buffer, sizeof buffer - gzip.avail_out);
            if (gzip.avail_out > 0) break;
        }
        return out;
    }
    std::string by_zstd(std::string_view bytes, bool is_last) {
        std::string out;
        ZSTD_inBuffer from{bytes.data(), bytes.size(), 0};
        for (std::size_t left = 1; left != 0;) {
            ZSTD_outBuffer into{buffer, sizeof buffer, 0};
            left = ZSTD_compressStream2(zstd, &into, &from, is_last ? ZSTD_e_end : ZSTD_e_flush);
            if (ZSTD_isError(left)) throw std::runtime_error("zstd does not compress");
            out.append(buffer, into.pos);
        }
        return out;
    }

    Coding coding;
    z_stream gzip{};
    ZSTD_CCtx* zstd = nullptr;
    char buffer[out_bytes];
};

Encoder::Encoder(Coding coding) : state_(coding == Coding::none ? nullptr : std::make_unique<State>(coding)) {}
Encoder::~Encoder() = default;
Encoder::Encoder(Encoder&&) noexcept = default;
Encoder& Encoder::operator=(Encoder&&) noexcept = default;

std::string Encoder::encode(std::string_view bytes, bool is_last) {
    if (!state_) return std::string{bytes};
    return state_->coding == Coding::gzip ? state_->by_gzip(bytes, is_last) : state_->by_zstd(bytes, is_last);
}

void name_coding(Answer& answer, Coding coding) {
    answer.fields.emplace_back("Vary", "Accept-Encoding");
    if (coding != Coding::none)
        answer.fields.emplace_back("Content-Encoding", coding == Coding::gzip ? "gzip" : "zstd");
}

void encode_whole(Answer& answer, Coding coding) {
    if (answer.status != 200 || answer.body.size() < worth_it_bytes) coding = Coding::none;
    if (coding != Coding::none) answer.body = Encoder{coding}.encode(answer.body, true);
    name_coding(answer, coding);
}

}  // namespace boatswain::http
