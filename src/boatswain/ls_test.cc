#include "boatswain/tool_for_test.h"

namespace boatswain::tool {
namespace {

TEST_F(Tool, LsSaysWhenThereIsNothing) {
    std::filesystem::create_directory(directory_ / "store");
    auto ran = run("boatswain ls --store dir:store");
    EXPECT_EQ(ran.out, "");
    EXPECT_EQ(ran.err, "note: there is no segment in dir:store\n");
    EXPECT_EQ(ran.code, 0);
}

TEST_F(Tool, AStoreThatIsNotThereIsAnErrorAndNoEmptyStore) {
    put_example();
    write("a-file", "no directory");
    for (const std::string command : {"ls", "ls --tenant acme", "ls --tenant acme -i acme.key", "logs -i acme.key",
                                      "logs -i acme.key --tail 5", "verify", "inspect v1/tenant=acme/x.age"}) {
        auto missing = run("boatswain " + command + " --store dir:nowhere");
        EXPECT_EQ(missing.code, 1) << command;
        EXPECT_EQ(missing.err, "boatswain: store dir:nowhere: there is no such directory\n") << command;
        auto no_directory = run("boatswain " + command + " --store dir:a-file");
        EXPECT_EQ(no_directory.code, 1) << command;
        EXPECT_EQ(no_directory.err, "boatswain: store dir:a-file: it is not a directory\n") << command;
    }
    auto fleet = run("boatswain fleet status --expect node-1 --store dir:nowhere");
    EXPECT_EQ(fleet.code, 2) << "unknown";
    EXPECT_EQ(fleet.err, "boatswain: store dir:nowhere: there is no such directory\n");
    EXPECT_EQ(run("ln -s store link && boatswain ls --store dir:link").code, 0);
}

TEST_F(Tool, LsSuggestsATenant) {
    put_example();
    for (const std::string command : {"ls --tenant acmee", "logs --tenant acmee -i acme.key", "verify --tenant acmee"})
        EXPECT_THAT(run("boatswain " + command + " --store dir:store").err, HasSubstr("; did you mean \"acme\"?\n"))
            << command;
    EXPECT_THAT(run("boatswain ls --tenant acme --since now --store dir:store").err, Not(HasSubstr("did you mean")));
}

TEST_F(Tool, LsShowsTenantsWithoutAnyKey) {
    put_example();
    write("store/v1/README", "not ours");
    auto ran = run("boatswain ls --store dir:store");
    EXPECT_EQ(ran.out,
              "TENANT  FIRST HOUR     LAST HOUR      HOURS\n"
              "acme    2026-11-23T10  2026-11-23T12      2\n"
              "globex  2026-11-23T10  2026-11-23T10      1\n");
    EXPECT_EQ(ran.err, "note: 1 name in the store is not Boatswain's\n");
    EXPECT_THAT(
        run("boatswain ls --store dir:store --sizes --json").out,
        MatchesRegex(
            R"re(\{"tenant":"acme","first_hour":"2026-11-23T10","last_hour":"2026-11-23T12","hours":2,"segments":2,"bytes":[0-9]+\}
\{"tenant":"globex",.*"segments":1,.*\}
)re"));
}

TEST_F(Tool, LsShowsATenantsSegmentsWithoutAKeyAndItsSourcesWithOne) {
    put_example();
    auto segments = run("boatswain ls --store dir:store --tenant acme");
    EXPECT_THAT(segments.out, HasSubstr("2026-11-23T12  node-1  e1            2"));
    EXPECT_THAT(segments.out, HasSubstr(key("acme", ten, 1).str()));
    auto sources = run("boatswain ls --store dir:store --tenant acme -i acme.key");
    EXPECT_EQ(sources.out,
              "APP        COMPONENT  INSTANCE  CONTAINER     NAME    HOST    LINES  SIZE  GAPS  FIRST                  "
              "   LAST\n"
              "shop/cart                       cccccccccccc  cart-1  node-1      3  35 B     0  "
              "2026-11-23T10:00:00.000Z  2026-11-23T12:00:00.000Z\n"
              "shop/db                         dddddddddddd  db-1    node-1      1   5 B     1  "
              "2026-11-23T10:00:01.000Z  2026-11-23T10:00:03.000Z\n");
    EXPECT_EQ(sources.code, 0);
    EXPECT_THAT(run("boatswain ls --store dir:store --tenant acme -i acme.key --since 2026-11-23T11:30:00Z --json").out,
                AllOf(HasSubstr(R"("app":"shop/cart")"), HasSubstr(R"("lines":1,"message_bytes":7)"),
                      Not(HasSubstr("shop/db"))));
    EXPECT_EQ(run("boatswain ls --store dir:store --tenant acme -i globex.key").code, 1);
}

}  // namespace
}  // namespace boatswain::tool
