// Debian's age, age-keygen and zstd, both ways.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/file.h"
#include "crypto/random.h"
#include "open/age_reader.h"
#include "open/segment_reader.h"
#include "sample.h"
#include "segment/age_writer.h"

namespace boatswain {
namespace {

namespace fs = std::filesystem;

class StockTools : public testing::Test {
  protected:
    void SetUp() override {
        auto pattern = (fs::temp_directory_path() / "boatswain-interop-XXXXXX").string();
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        directory_ = pattern;
    }
    void TearDown() override { fs::remove_all(directory_); }

    // Runs `command` in the shell, inside the test's own directory.
    int run(const std::string& command) {
        int status = std::system(("cd '" + directory_.string() + "' && { " + command + "; } >>output 2>&1").c_str());
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
    std::string read(const std::string& name) { return read_file(directory_ / name, 1U << 30).value(); }
    void write(const std::string& name, std::string_view bytes) {
        std::ofstream{directory_ / name, std::ios::binary}.write(bytes.data(),
                                                                 static_cast<std::streamsize>(bytes.size()));
    }
    // A key pair as age-keygen makes it.
    std::vector<open::Identity> keygen(const std::string& name) {
        EXPECT_EQ(run("age-keygen -o " + name + " && age-keygen -y " + name + " > " + name + ".pub"), 0)
            << read("output");
        auto identities = open::read_identity_file(directory_ / name);
        EXPECT_TRUE(identities) << identities.error().what;
        return *identities;
    }
    // A file of tests/vectors as the files "key" and "object".
    void unpack(const std::string& vector) {
        auto identity = vector.find("identity: ") + std::string_view{"identity: "}.size();
        write("key", vector.substr(identity, vector.find('\n', identity) - identity));
        write("object", vector.substr(vector.find("\n\n") + 2));
    }
    Result<std::string> decrypt(const std::string& name, std::span<const open::Identity> identities) {
        auto bytes = read(name);
        auto fetch = [&](std::uint64_t first, std::uint64_t length) -> Result<std::string> {
            return bytes.substr(first, length);
        };
        TRY(auto reader, open::AgeReader::open(bytes.size(), fetch, identities));
        return reader.read(0, reader.plaintext_bytes());
    }

    fs::path directory_;
};

TEST_F(StockTools, AgreeOnWhichRecipientAnIdentityHas) {
    auto identities = keygen("key");
    EXPECT_EQ(identities[0].recipient().str() + "\n", read("key.pub"));
    write("ours", open::Identity::generate().str() + "\n");
    ASSERT_EQ(run("age-keygen -y ours > ours.pub"), 0) << read("output");
    EXPECT_EQ(open::read_identity_file(directory_ / "ours").value()[0].recipient().str() + "\n", read("ours.pub"));
}

TEST_F(StockTools, AgeOpensWhatWeSealAndWeOpenWhatAgeSeals) {
    std::vector<open::Identity> one = keygen("one"), two = keygen("two");
    auto recipients = crypto::parse_recipients(read("one.pub") + read("two.pub")).value();
    for (std::size_t size : {0U, 1U, 65'535U, 65'536U, 65'537U, 131'072U, 1'000'000U}) {
        std::string plaintext(size, '\0');
        if (size > 0) crypto::random_bytes(plaintext.data(), plaintext.size());
        auto writer = segment::AgeWriter::begin(recipients, size).value();
        writer.append(plaintext);
        write("ours.age", writer.finish());
        for (const char* key : {"one", "two"}) {
            ASSERT_EQ(run(std::string{"age -d -i "} + key + " ours.age > opened"), 0) << size << " " << read("output");
            EXPECT_TRUE(read("opened") == plaintext) << size;
        }
        write("plain", plaintext);
        ASSERT_EQ(run("age -R one.pub -R two.pub plain > theirs.age"), 0) << read("output");
        for (const auto& identities : {one, two})
            EXPECT_TRUE(decrypt("theirs.age", identities).value() == plaintext) << size;
    }
}

TEST_F(StockTools, AgeAndZstdPrintASegmentsTextAndNothingElse) {
    auto identities = keygen("key");
    auto recipients = crypto::parse_recipients(read("key.pub")).value();
    auto sample = interop::sample();
    write("object", segment::seal(std::move(sample.parts), recipients).value().bytes);
    ASSERT_EQ(run("age -d -i key object | zstd -d > text"), 0) << read("output");
    EXPECT_TRUE(read("text") == sample.text);
    ASSERT_EQ(run("age -d -i key object | zstd -t"), 0) << "checksums hold: " << read("output");
}

TEST_F(StockTools, AgePassesOverTheChainStanzaAndRefusesAnObjectWhereItWasChanged) {
    auto identities = keygen("key");
    auto recipients = crypto::parse_recipients(read("key.pub")).value();
    auto sample = interop::sample();
    sample.parts.key.host = "node 7/\xC3\xBC";
    auto bytes = segment::seal(std::move(sample.parts), recipients).value().bytes;
    auto stanza = "-> boatswain-chain node%207%2F%C3%BC 20261122T100000Z-9f3a 2 " + std::string(64, '7') + "\n\n";
    auto place = bytes.find(stanza);
    ASSERT_EQ(place, std::string_view{"age-encryption.org/v1\n"}.size());
    write("object", bytes);
    EXPECT_EQ(run("age -d -i key object > opened"), 0) << read("output");
    bytes[place + stanza.size() - 3] = '8';
    write("object", bytes);
    EXPECT_NE(run("age -d -i key object > opened"), 0);
    bytes.erase(place, stanza.size());
    write("object", bytes);
    EXPECT_NE(run("age -d -i key object > opened"), 0);
}

TEST_F(StockTools, AgeRefusesASegmentOfAnotherTenantsKey) {
    auto ours = keygen("ours"), others = keygen("others");
    auto recipients = crypto::parse_recipients(read("ours.pub")).value();
    write("object", segment::seal(interop::sample().parts, recipients).value().bytes);
    EXPECT_NE(run("age -d -i others object"), 0);
    EXPECT_EQ(run("age -d -i ours object"), 0);
}

TEST_F(StockTools, AgeAgreesWithUsOnEveryVector) {
    for (const auto& file : fs::directory_iterator{fs::path{BOATSWAIN_VECTORS} / "age"}) {
        auto name = file.path().filename().string();
        auto vector = read_file(file.path(), 1U << 30).value();
        unpack(vector);
        EXPECT_EQ(run("age -d -i key object > opened") == 0, vector.starts_with("expect: success")) << name;
    }
}

TEST_F(StockTools, PrintTheTextOfEverySegmentVector) {
    for (const auto& file : fs::directory_iterator{fs::path{BOATSWAIN_VECTORS} / "segment"}) {
        auto vector = read_file(file.path(), 1U << 30).value();
        if (!vector.starts_with("expect: success")) continue;
        unpack(vector);
        ASSERT_EQ(run("age -d -i key object | zstd -d > text"), 0) << file.path();
        EXPECT_EQ(read("text"), read_file(file.path().string() + ".text", 1U << 30).value()) << file.path();
    }
}

TEST_F(StockTools, WhatZstdAndAgeMakeOfTextIsAnAgeFileToUsThoughNoSegment) {
    auto identities = keygen("key");
    write("text", "hello\n");
    ASSERT_EQ(run("zstd < text > packed && age -R key.pub packed > object"), 0) << read("output");
    EXPECT_EQ(decrypt("object", identities).value(), read("packed"));
    auto bytes = read("object");
    auto fetch = [&](std::uint64_t first, std::uint64_t length) -> Result<std::string> {
        return bytes.substr(first, length);
    };
    auto reader = open::SegmentReader::open(bytes.size(), fetch, identities);
    ASSERT_FALSE(reader);
    EXPECT_EQ(reader.error().remedy, Remedy::quarantine);
}

}  // namespace
}  // namespace boatswain
