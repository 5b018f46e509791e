// Our age and our segments on the command line, for tests in other languages.
//
//   interop_tool encrypt RECIPIENT...            standard input to standard output
//   interop_tool decrypt IDENTITIES FILE
//   interop_tool segment RECIPIENT...            the segment of sample.h
//   interop_tool sample                          its text
//   interop_tool text IDENTITIES FILE            the text of all frames of a segment
#include <cstdio>
#include <iostream>
#include <iterator>

#include "open/age_reader.h"
#include "open/segment_reader.h"
#include "sample.h"
#include "segment/age_writer.h"

using namespace boatswain;

namespace {

Result<std::vector<segment::Recipient>> recipients_of(std::span<char*> arguments) {
    std::string lines;
    for (const char* argument : arguments) lines += std::string{argument} + "\n";
    return segment::parse_recipients(lines);
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

Result<std::string> run(std::span<char*> arguments) {
    std::string_view command = arguments.size() > 1 ? arguments[1] : "";
    if (command == "encrypt") return encrypt(arguments.subspan(2));
    if (command == "segment") return seal_sample(arguments.subspan(2));
    if (command == "sample") return interop::sample().text;
    if (command == "decrypt" && arguments.size() == 4) return decrypt(arguments[2], arguments[3]);
    if (command == "text" && arguments.size() == 4) return text(arguments[2], arguments[3]);
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
