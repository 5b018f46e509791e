#include "boatswain/tool_for_test.h"

namespace boatswain::tool {
namespace {

TEST_F(Tool, RollupMakesOneObjectADayThatLogsReadsBy) {
    put_example();
    auto before = logs("--identity acme.key --tenant acme").out;
    auto ran = run("boatswain rollup --store dir:store --identity acme.key --since 2026-11-23");
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_THAT(ran.out, HasSubstr("acme    2026-11-23"));
    EXPECT_TRUE(std::filesystem::exists(directory_ / "store/v1/tenant=acme/rollup=2026-11-23.age"));
    EXPECT_EQ(logs("--identity acme.key --tenant acme").out, before);
    EXPECT_EQ(logs("--identity acme.key --tenant acme --grep article --output raw").out, "no stock of article 7\n");
    EXPECT_THAT(run("boatswain rollup --store dir:store -i acme.key --since 2026-11-23").out, HasSubstr("as before"));
    EXPECT_THAT(run("boatswain rollup --store dir:store -i acme.key --since 2026-11-23 --again --json").out,
                HasSubstr(R"("tenant":"acme","day":"2026-11-23")"));
}

TEST_F(Tool, RollupMakesNoneForTenantsThatItCannotOpen) {
    put_example();
    run("boatswain rollup --store dir:store --identity acme.key --since 2026-11-23");
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_ / "store"))
        if (entry.path().filename().string().starts_with("rollup="))
            EXPECT_EQ(entry.path().parent_path().filename(), "tenant=acme");
}

TEST_F(Tool, ARollupThatIsDamagedIsNamedAndNotUsed) {
    put_example();
    auto before = logs("--identity acme.key --tenant acme").out;
    auto proven = run("boatswain verify --store dir:store --identity acme.key --tenant acme").out;
    run("boatswain rollup --store dir:store --identity acme.key --since 2026-11-23");
    auto file = directory_ / "store/v1/tenant=acme/rollup=2026-11-23.age";
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
    std::filesystem::resize_file(file, std::filesystem::file_size(file) - 1);
    auto ran = logs("--identity acme.key --tenant acme");
    EXPECT_EQ(ran.out, before);
    EXPECT_EQ(ran.code, 0);
    EXPECT_THAT(ran.err, HasSubstr("a roll-up was not used: v1/tenant=acme/rollup=2026-11-23.age"));
    EXPECT_EQ(run("boatswain verify --store dir:store --identity acme.key --tenant acme").out, proven);
}

}  // namespace
}  // namespace boatswain::tool
