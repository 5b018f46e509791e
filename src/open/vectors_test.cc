// The fixed bytes of tests/vectors/age and tests/vectors/segment (tests/vectors/README.md): made once, never
// regenerated.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "base/bytes.h"
#include "base/file.h"
#include "open/age_reader.h"
#include "open/sealing_for_test.h"

namespace boatswain::open {
namespace {

struct Vector {
    std::string name;
    std::string expect;
    std::vector<Identity> identities;
    std::string bytes;
};

std::string take_field(std::string_view& rest, std::string_view name) {
    auto end = rest.find('\n');
    auto line = rest.substr(0, end);
    EXPECT_TRUE(line.starts_with(name)) << line;
    rest.remove_prefix(end + 1);
    return std::string{line.substr(std::min(name.size(), line.size()))};
}

std::vector<Vector> vectors(const std::string& folder) {
    std::vector<Vector> found;
    for (const auto& file : std::filesystem::directory_iterator{Path{BOATSWAIN_VECTORS} / folder}) {
        if (file.path().has_extension()) continue;
        auto content = read_file(file.path(), 1U << 30).value();
        std::string_view rest = content;
        Vector vector{.name = file.path().string()};
        vector.expect = take_field(rest, "expect: ");
        vector.identities.push_back(Identity::parse(take_field(rest, "identity: ")).value());
        take_field(rest, "comment: ");
        take_field(rest, "");
        vector.bytes = rest;
        found.push_back(std::move(vector));
    }
    return found;
}

// What an error must look like for "no match" and "refused: PART OF THE SENTENCE".
void expect_refusal(const Vector& vector, const Error& error) {
    if (vector.expect == "no match") {
        EXPECT_EQ(error.remedy, Remedy::stop) << vector.name;
        EXPECT_EQ(error.what, "no identity given opens this object") << vector.name;
        return;
    }
    ASSERT_TRUE(vector.expect.starts_with("refused: ")) << vector.name << ": " << error.what;
    EXPECT_EQ(error.remedy, Remedy::quarantine) << vector.name << ": " << error.what;
    EXPECT_NE(error.what.find(vector.expect.substr(9)), std::string::npos) << vector.name << ": " << error.what;
}

Result<std::string> open_age(const Vector& vector) {
    Object object{vector.bytes};
    TRY(auto reader, AgeReader::open(object.bytes.size(), object.fetch(), vector.identities));
    return reader.read(0, reader.plaintext_bytes());
}

// All text of a segment, walked too.
Result<std::string> open_segment(const Vector& vector) {
    Object object{vector.bytes};
    TRY(auto reader,
        SegmentReader::open(object.bytes.size(), object.fetch(), vector.identities, Bounds::of_the_format()));
    std::string all;
    for (std::size_t i = 0; i < reader.footer().frames.size(); ++i) {
        TRY(auto text, reader.frame_text(i));
        CHECK(for_each_entry(text, [](const TextEntry&) { return true; }));
        all += text;
    }
    return all;
}

TEST(Vectors, OfAgeAreOpenedOrRefusedAsTheySay) {
    auto all = vectors("age");
    EXPECT_GE(all.size(), 40U);
    for (const auto& vector : all) {
        auto opened = open_age(vector);
        if (opened)
            EXPECT_EQ(vector.expect, "success: " + std::to_string(opened->size())) << vector.name;
        else
            expect_refusal(vector, opened.error());
    }
}

TEST(Vectors, OfSegmentsAreReadOrRefusedAsTheySay) {
    auto all = vectors("segment");
    EXPECT_GE(all.size(), 35U);
    for (const auto& vector : all) {
        auto text = open_segment(vector);
        if (text) {
            EXPECT_EQ(vector.expect, "success") << vector.name;
            EXPECT_EQ(*text, read_file(vector.name + ".text", 1U << 30).value()) << vector.name;
        } else {
            expect_refusal(vector, text.error());
        }
    }
}

TEST(Vectors, HaveTheWorkedExampleOfTheFormatsPage) {
    auto page = read_file(Path{BOATSWAIN_VECTORS} / "../../docs/formats/segment.md", 1U << 20).value();
    std::string_view rest = page;
    std::string hex;
    while (!rest.empty()) {
        auto line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        // "    00000020  6459b435 ...": the lines of the dump, in their order.
        if (line.size() < 14 || !line.starts_with("    ") || line.substr(12, 2) != "  " || !from_hex(line.substr(4, 8)))
            continue;
        EXPECT_EQ(*from_hex(line.substr(4, 8)),
                  (std::string{0, 0, static_cast<char>(hex.size() / 2 >> 8), static_cast<char>(hex.size() / 2)}));
        std::ranges::copy_if(line.substr(14), std::back_inserter(hex), [](char c) { return c != ' '; });
    }
    auto all = vectors("segment");
    auto tiny = std::ranges::find_if(all, [](const Vector& vector) { return vector.name.ends_with("/tiny"); });
    ASSERT_NE(tiny, all.end());
    EXPECT_EQ(hex, to_hex(open_age(*tiny).value()));
    EXPECT_NE(page.find(tiny->identities[0].str()), std::string::npos);
}

}  // namespace
}  // namespace boatswain::open
