#include "tenancy/derive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/file.h"

namespace boatswain::tenancy {
namespace {

const std::string vectors_folder = std::string{BOATSWAIN_VECTORS} + "/derive";

using Vector = std::map<std::string, std::string>;

std::vector<Vector> read_vectors() {
    std::istringstream text{read_file(vectors_folder + "/vectors.txt", 1 << 20).value()};
    std::vector<Vector> vectors(1);
    for (std::string line; std::getline(text, line);) {
        auto colon = line.find(": ");
        if (line.empty())
            vectors.emplace_back();
        else if (line[0] != '#' && colon != std::string::npos)
            vectors.back()[line.substr(0, colon)] = line.substr(colon + 2);
    }
    std::erase_if(vectors, [](const Vector& vector) { return vector.empty(); });
    return vectors;
}

std::string_view as_view(const std::array<std::uint8_t, 32>& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// What a command prints on standard output; its last line without the newline.
std::string run(const std::string& command) {
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe{::popen(command.c_str(), "r"), ::pclose};
    std::string out;
    for (int c = 0; pipe && (c = std::fgetc(pipe.get())) != EOF;) out += static_cast<char>(c);
    while (out.ends_with('\n')) out.pop_back();
    return out;
}

TEST(Derive, GivesTheScalarsAndRecipientsOfTheVectors) {
    auto vectors = read_vectors();
    ASSERT_EQ(vectors.size(), 7U);
    for (auto& vector : vectors) {
        SCOPED_TRACE(vector["about"]);
        auto tenant = TenantId::parse(*from_hex(vector["tenant-hex"]));
        ASSERT_TRUE(tenant);
        auto secret = *from_hex(vector["secret-hex"]);
        auto scalar = derive_scalar(*tenant, secret);
        ASSERT_TRUE(scalar) << scalar.error().what;
        EXPECT_EQ(to_hex(as_view(*scalar)), vector["scalar-hex"]);
        auto recipient = derive_recipient(*tenant, secret);
        ASSERT_TRUE(recipient) << recipient.error().what;
        EXPECT_EQ(recipient->str(), vector["recipient"]);
    }
}

// The vectors are not our own word alone: Python's scrypt and age-keygen come to the same.
TEST(Derive, AgreesWithPythonAndAgeKeygenOnTheVectors) {
    EXPECT_EQ(run("/usr/bin/python3 " + vectors_folder + "/derive.py --check " + vectors_folder + "/vectors.txt"),
              "7 vectors agree");
}

TEST(Derive, AgreesWithPythonAndAgeKeygenOnASecretThatIsNoVector) {
    auto recipient = derive_recipient(*TenantId::parse("team-7"), "made up for this test only");
    ASSERT_TRUE(recipient);
    EXPECT_EQ(
        run("/usr/bin/python3 " + vectors_folder + "/derive.py team-7 'made up for this test only' | age-keygen -y"),
        recipient->str());
}

TEST(Derive, RefusesSecretsThatAreTooShortOrTooLongWithoutRepeatingThem) {
    auto tenant = *TenantId::parse("acme");
    for (const auto& secret : {std::string{}, std::string{"hunter2"}, std::string(secret_bytes_max + 1, 'x')}) {
        auto scalar = derive_scalar(tenant, secret);
        ASSERT_FALSE(scalar);
        EXPECT_EQ(scalar.error().remedy, Remedy::quarantine);
        if (!secret.empty()) EXPECT_THAT(scalar.error().what, testing::Not(testing::HasSubstr(secret.substr(0, 7))));
        EXPECT_FALSE(derive_recipient(tenant, secret));
    }
}

}  // namespace
}  // namespace boatswain::tenancy
