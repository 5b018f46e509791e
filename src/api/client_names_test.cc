#include "api/client_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/directory_for_test.h"

namespace boatswain::api {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ClientNamesTest : public ::testing::Test {
  protected:
    std::string whose(const std::vector<std::string>& names) {
        clock.advance(std::chrono::seconds{2});  // what was read is old
        auto found = file.find(names);
        return found ? found->tenant.str() : "nobody";
    }
    void write(std::string_view text) { boatswain::testing::write(path, text); }

    boatswain::testing::TestDirectory place;
    Path path = place / "names";
    SimulatedClock clock{*parse_time("2026-11-30T12:00:00Z")};
    ClientNamesFile file{path, clock};
};

TEST_F(ClientNamesTest, NameTheTenantByteByByte) {
    write("# names\nuri:spiffe://prod/ns/shop acme shop/db,web\ncn:grafana%20one globex *\ndns:a.example acme *\n");
    EXPECT_EQ(whose({"uri:spiffe://prod/ns/shop", "cn:unknown"}), "acme");
    EXPECT_THAT(file.find({"uri:spiffe://prod/ns/shop"})->apps, ElementsAre("shop/db", "web"));
    EXPECT_EQ(whose({"cn:grafana one"}), "globex");
    EXPECT_THAT(file.find({"cn:grafana one"})->apps, IsEmpty());
    for (const char* near : {"uri:spiffe://prod/ns/shop/", "uri:spiffe://prod/ns/SHOP", "uri:spiffe://prod/ns",
                             "dns:spiffe://prod/ns/shop", "cn:grafana", "cn:a.example", "dns:A.example",
                             "dns:*.example", "dns:b.a.example", "cn:", ""})
        EXPECT_EQ(whose({near}), "nobody") << near;
    EXPECT_EQ(whose({}), "nobody");
}

TEST_F(ClientNamesTest, MakeACertificateOfTwoTenantsNobodys) {
    write("dns:a acme *\ncn:b globex *\ncn:c acme web\ncn:d acme *\n");
    EXPECT_EQ(whose({"dns:a", "cn:b"}), "nobody");
    EXPECT_EQ(whose({"dns:a", "cn:c"}), "nobody") << "other apps";
    EXPECT_EQ(whose({"dns:a", "cn:d"}), "acme") << "both say the same";
}

TEST_F(ClientNamesTest, AreNobodysWhileTheFileCannotBeTrusted) {
    write("cn:a acme *\n");
    EXPECT_EQ(whose({"cn:a"}), "acme");
    write("cn:a acme *\nodd\n");
    EXPECT_EQ(whose({"cn:a"}), "nobody");
    EXPECT_THAT(file.trouble()->what, HasSubstr("names: line 2 is not uri:URI"));
    write("cn:a acme *\n");
    EXPECT_EQ(whose({"cn:a"}), "acme") << "it is right again";
    std::filesystem::permissions(path, std::filesystem::perms{0666});
    EXPECT_EQ(whose({"cn:a"}), "nobody");
    std::filesystem::remove(path);
    EXPECT_EQ(whose({"cn:a"}), "nobody");
}

TEST(ClientNames, AreLinesOfThreeWords) {
    for (const char* odd :
         {"cn:a", "cn:a acme", "cn:a acme ", "cn: acme *", "a acme *", "cn:a _unassigned *", "cn:a ../b *",
          "cn:a acme * more", "cn:a acme a,,b", "cn:a  acme *", "cn:%zz acme *", "cn:a acme *\ncn:a globex *"})
        EXPECT_FALSE(parse_client_names(odd)) << odd;
    EXPECT_TRUE(parse_client_names(""));
}

}  // namespace
}  // namespace boatswain::api
