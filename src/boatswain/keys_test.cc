#include "boatswain/tool_for_test.h"

namespace boatswain::tool {
namespace {

TEST_F(Tool, KeysDeriveAsksATerminalWithoutShowingTheAnswer) {
    auto ran =
        run("(until grep -q 'not shown' terminal; do sleep 0.1; done; echo 'correct horse battery') 2> /dev/null | "
            "script -qfec \"'" BOATSWAIN_TOOL
            "' keys derive acme > derived.key\" terminal; boatswain keys show derived.key");
    EXPECT_THAT(ran.out, HasSubstr("The secret of acme (it is not shown): "));
    EXPECT_THAT(ran.out, Not(HasSubstr("correct horse")));
    EXPECT_THAT(ran.out, HasSubstr(tenancy::derive_recipient(tenant("acme"), "correct horse battery")->str()));
}

TEST_F(Tool, KeysNewMakesAPairThatOnlyItsOwnerReads) {
    auto ran = run("boatswain keys new initech --out keys");
    ASSERT_EQ(ran.code, 0) << ran.err;
    struct stat status{};
    ASSERT_EQ(::stat((directory_ / "keys/initech.key").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600U);
    auto identities = open::read_identity_file(directory_ / "keys/initech.key");
    ASSERT_TRUE(identities);
    auto recipient = identities->front().recipient();
    EXPECT_EQ(crypto::parse_recipients(read("keys/initech.pub"))->front(), recipient);
    EXPECT_THAT(ran.out, AllOf(StartsWith(recipient.str() + "\n"), HasSubstr("Keep it off the hosts"),
                               Not(HasSubstr("AGE-SECRET"))));
    EXPECT_EQ(run("boatswain keys show keys/initech.key").out, recipient.str() + "\n");
    EXPECT_EQ(run("boatswain keys show keys/initech.pub").out, recipient.str() + "\n");
    if (std::system("command -v age-keygen > /dev/null") == 0) {
        EXPECT_EQ(run("age-keygen -y keys/initech.key").out, recipient.str() + "\n");
    }
}

TEST_F(Tool, KeysNewNeverOverwrites) {
    ASSERT_EQ(run("boatswain keys new initech").code, 0);
    auto before = read("initech.key");
    auto again = run("boatswain keys new initech");
    EXPECT_EQ(again.code, 1);
    EXPECT_THAT(again.err, HasSubstr("initech.key is already there"));
    EXPECT_EQ(read("initech.key"), before);
    EXPECT_EQ(run("rm initech.key; boatswain keys new initech").code, 1) << "the .pub is there";
    EXPECT_FALSE(std::filesystem::exists(directory_ / "initech.key"));
}

TEST_F(Tool, KeysNewMakesNoIdentityInTheKeyringOfAHost) {
    for (const auto* place : {"/etc/boatswain/keys", "/etc/boatswain/keys/", "/etc/boatswain/./keys"}) {
        auto refused = run(std::string{"boatswain keys new initech --out "} + place);
        EXPECT_EQ(refused.code, 1) << place;
        EXPECT_THAT(refused.err, HasSubstr("a host keeps public keys only")) << place;
    }
}

TEST_F(Tool, KeysNewTakesOnlyNamesOfTenants) {
    for (auto name : {"'../evil'", "''", "'a/b'", "$'a\\nb'", "_hidden", ".x"})
        EXPECT_EQ(run(std::string{"boatswain keys new "} + name).code, 1) << name;
    for (auto name : {"_unassigned", "_break-glass", "'Ünïcode & co'"})
        EXPECT_EQ(run(std::string{"boatswain keys new "} + name).code, 0) << name;
}

TEST_F(Tool, KeysDeriveGivesTheKeyThatTheHostSealsFor) {
    auto recipient = tenancy::derive_recipient(tenant("acme"), "correct horse battery");
    ASSERT_TRUE(recipient);
    write("secret", "correct horse battery\n");
    auto from_file =
        run("boatswain keys derive acme --secret-file secret > derived.key; boatswain keys show derived.key");
    EXPECT_EQ(from_file.out, recipient->str() + "\n");
    auto from_input =
        run("printf 'correct horse battery' | boatswain keys derive acme | tail -n 1 > derived.key; boatswain keys "
            "show derived.key");
    EXPECT_EQ(from_input.out, recipient->str() + "\n");
    auto exact =
        run("boatswain keys derive acme --keep-newline --secret-file secret > derived.key; boatswain keys show "
            "derived.key");
    EXPECT_EQ(exact.out, tenancy::derive_recipient(tenant("acme"), "correct horse battery\n")->str() + "\n");
}

TEST_F(Tool, KeysDeriveRefusesASecretThatIsTooShortOrTooLongWithoutRepeatingIt) {
    auto brief = run("echo s3cr3t | boatswain keys derive acme");
    EXPECT_EQ(brief.code, 1);
    EXPECT_THAT(brief.err, Not(HasSubstr("s3cr3t")));
    EXPECT_EQ(run("head -c 100000 /dev/zero | tr '\\0' x | boatswain keys derive acme").code, 1);
    EXPECT_EQ(run("boatswain keys derive acme hunter2hunter2").code, 2) << "a secret is never an argument";
}

TEST_F(Tool, KeysShowNamesAFileWithoutKeys) {
    write("empty.pub", "# nothing\n");
    EXPECT_THAT(run("boatswain keys show empty.pub").err, HasSubstr("empty.pub"));
    EXPECT_EQ(run("boatswain keys show empty.pub").code, 1);
    EXPECT_EQ(run("boatswain keys show missing.pub").code, 1);
}

}  // namespace
}  // namespace boatswain::tool
