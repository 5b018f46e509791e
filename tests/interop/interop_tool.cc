// Our age and our segments on the command line, for tests in other languages.
//
//   interop_tool encrypt RECIPIENT...            standard input to standard output
//   interop_tool decrypt IDENTITIES FILE
//   interop_tool segment RECIPIENT...            the segment of sample.h
//   interop_tool sample                          its text
//   interop_tool text IDENTITIES FILE            the text of all frames of a segment
//   interop_tool compress LEVEL FILE             one zstd frame, as of a segment
//   interop_tool decompress FILE                 what one zstd frame holds
//   interop_tool export DIR ndjson|csv           what `boatswain export` writes of a small store
//   interop_tool logql                           for each line of standard input, a query in base64: "valid", or its
//   error interop_tool primitives                      for each line of standard input, a line: what the primitive
//   makes of it
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <sstream>
#include <stdexcept>

#include "base/bytes.h"
#include "crypto/digest.h"
#include "crypto/key32.h"
#include "crypto/x25519.h"
#include "export/exporter.h"
#include "logql/query.h"
#include "open/aead.h"
#include "open/age_reader.h"
#include "open/segment_reader.h"
#include "open/zstd_frame.h"
#include "query/store_for_test.h"
#include "sample.h"
#include "segment/age_format.h"
#include "segment/age_writer.h"
#include "store/directory.h"

using namespace boatswain;

namespace {

Result<std::vector<crypto::Recipient>> recipients_of(std::span<char*> arguments) {
    std::string lines;
    for (const char* argument : arguments) lines += std::string{argument} + "\n";
    return crypto::parse_recipients(lines);
}

open::FetchRange ranges_of(const std::string& bytes) {
    return [&bytes](std::uint64_t first, std::uint64_t length) -> Result<std::string> {
        return bytes.substr(first, length);
    };
}

Result<std::string> encrypt(std::span<char*> arguments) {
    TRY(auto recipients, recipients_of(arguments));
    std::string plaintext{std::istreambuf_iterator<char>{std::cin}, {}};
    TRY(auto writer, segment::AgeWriter::begin(recipients, plaintext.size()));
    writer.append(plaintext);
    return writer.finish();
}

Result<std::string> decrypt(const Path& identity_file, const Path& file) {
    TRY(auto identities, open::read_identity_file(identity_file));
    TRY(auto bytes, read_file(file, 1U << 30));
    TRY(auto reader, open::AgeReader::open(bytes.size(), ranges_of(bytes), identities));
    return reader.read(0, reader.plaintext_bytes());
}

Result<std::string> seal_sample(std::span<char*> arguments) {
    TRY(auto recipients, recipients_of(arguments));
    TRY(auto sealed, segment::seal(interop::sample().parts, recipients));
    return sealed.bytes;
}

Result<std::string> text(const Path& identity_file, const Path& file) {
    TRY(auto identities, open::read_identity_file(identity_file));
    TRY(auto bytes, read_file(file, 1U << 30));
    TRY(auto reader, open::SegmentReader::open(bytes.size(), ranges_of(bytes), identities));
    std::string all;
    for (std::size_t i = 0; i < reader.footer().frames.size(); ++i) {
        TRY(auto frame, reader.frame_text(i));
        all += frame;
    }
    return all;
}

constexpr std::uint64_t file_bytes_max = 1U << 30;

Result<std::string> compress(const std::string& level, const Path& file) {
    TRY(auto bytes, read_file(file, file_bytes_max));
    return segment::Compressor{std::atoi(level.c_str())}.compress(bytes);
}

Result<std::string> decompress(const Path& file) {
    TRY(auto bytes, read_file(file, file_bytes_max));
    return open::Decompressor{}.decompress(bytes, file_bytes_max);
}

// `hex` as an array; throws when it is of another size: then it is no question for the primitive.
template <std::size_t Size>
std::array<std::uint8_t, Size> array_of(const std::string& hex) {
    auto bytes = from_hex(hex).value();
    std::array<std::uint8_t, Size> array{};
    if (bytes.size() != Size) throw std::invalid_argument{hex};
    std::ranges::copy(bytes, array.begin());
    return array;
}

// "x25519 SCALAR POINT", "open KEY NONCE SEALED", "hkdf SECRET SALT INFO", "hmac KEY MESSAGE"; all in hex, after an 'x'
// (so that nothing is a word, too).
std::string primitive(const std::string& question) {
    std::istringstream words{question};
    std::string name;
    std::vector<std::string> hex;
    words >> name;
    for (std::string word; words >> word;) hex.push_back(word.substr(1));
    auto bytes = [&](std::size_t at) { return from_hex(hex.at(at)).value(); };
    if (name == "x25519") {
        crypto::Key32 product{};
        bool sound = crypto::x25519(array_of<32>(hex.at(0)), array_of<32>(hex.at(1)), product);
        return sound ? to_hex(crypto::as_view(product)) : "refused";
    }
    if (name == "open") {
        auto sealed = bytes(2);
        std::string out(sealed.size(), '\0');
        bool sound = open::Aead{}.open(array_of<32>(hex.at(0)), array_of<12>(hex.at(1)), sealed, out.data());
        return sound ? to_hex(out.substr(0, sealed.size() - segment::age_tag_bytes)) : "refused";
    }
    if (name == "hkdf") return to_hex(crypto::as_view(crypto::hkdf_sha256(bytes(0), bytes(1), bytes(2))));
    if (name == "hmac") return to_hex(crypto::as_view(crypto::hmac_sha256(bytes(0), bytes(1))));
    throw std::invalid_argument{question};
}

std::string primitives() {
    std::string answers;
    for (std::string question; std::getline(std::cin, question);) answers += primitive(question) + "\n";
    return answers;
}

// 1,000 lines of each of two tenants and hours; in the first hour of each a line that is no text, and a gap.
Result<std::string> export_lines(const Path& directory, std::string_view format) {
    using namespace query::testing;
    struct Silent final : query::Observer {
        void damaged(const Error&) override {}
    } silent;
    MemoryStore store;
    auto identity = open::Identity::generate();
    for (const auto* tenant : {"acme", "globex"})
        for (int hour = 0; hour < 2; ++hour) {
            auto start = at("2026-11-23T10:00:00Z") + std::chrono::hours{hour};
            std::vector<TestEntry> entries;
            for (int i = 0; i < 1'000; ++i)
                entries.push_back({.time = start + Nanoseconds{i}, .bytes = "line, \"" + std::to_string(i) + "\""});
            if (hour == 0) entries.push_back({.time = start + Nanoseconds{2'000}, .bytes = "\xff\x01!"});
            if (hour == 0)
                entries.push_back({.time = start + Nanoseconds{3'000}, .bytes = "rotated-away", .gap = true});
            add(store, key(tenant, start, static_cast<std::uint64_t>(hour) + 1),
                {{source(tenant, "shop", "shop-1"), entries}}, identity);
        }
    store::DirectoryStore to{directory};
    query::Budget budget;
    logql::Ground ground{
        .store = store, .identities = {&identity, 1}, .tenant = {}, .limits = {.budget = budget}, .observer = silent};
    exporting::ExportQuestion question{
        .selection = query::all_of({}),
        .text = "all",
        .format = format == "csv" ? exporting::RowFormat::csv : exporting::RowFormat::ndjson};
    TRY(auto done, exporting::run_export(ground, question, to, [](const auto&) {}));
    return std::to_string(done.lines);
}

std::string queries() {
    std::string answers;
    for (std::string question; std::getline(std::cin, question);) {
        auto query = from_base64_unpadded(question);
        auto parsed = query ? logql::parse_query(*query) : Result<logql::Query>{fail(Remedy::stop, "not base64")};
        answers += (parsed ? "valid" : parsed.error().what) + "\n";
    }
    return answers;
}

Result<std::string> run(std::span<char*> arguments) {
    std::string_view command = arguments.size() > 1 ? arguments[1] : "";
    if (command == "encrypt") return encrypt(arguments.subspan(2));
    if (command == "segment") return seal_sample(arguments.subspan(2));
    if (command == "sample") return interop::sample().text;
    if (command == "decrypt" && arguments.size() == 4) return decrypt(arguments[2], arguments[3]);
    if (command == "text" && arguments.size() == 4) return text(arguments[2], arguments[3]);
    if (command == "compress" && arguments.size() == 4) return compress(arguments[2], arguments[3]);
    if (command == "decompress" && arguments.size() == 3) return decompress(arguments[2]);
    if (command == "export" && arguments.size() == 4) return export_lines(arguments[2], arguments[3]);
    if (command == "logql") return queries();
    if (command == "primitives") return primitives();
    return fail(Remedy::stop, "usage: see the top of interop_tool.cc");
}

}  // namespace

int main(int argc, char** argv) {
    auto out = run(std::span{argv, static_cast<std::size_t>(argc)});
    if (!out) {
        std::fprintf(stderr, "interop_tool: %s\n", out.error().what.c_str());
        return 1;
    }
    return std::fwrite(out->data(), 1, out->size(), stdout) == out->size() ? 0 : 1;
}
