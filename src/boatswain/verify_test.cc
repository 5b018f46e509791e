#include "boatswain/tool_for_test.h"

namespace boatswain::tool {
namespace {

// A chain of three segments of acme, and one segment of globex, as files.
class ToolVerify : public Tool {
  protected:
    void put_chains(const std::function<void(MemoryStore&, const std::vector<std::string>&)>& change = {}) {
        MemoryStore store;
        ChainForTest acme{store, acme_, "acme", "node-7", "20261123T043400Z-9f3a"};
        acme.seal({{.source = "web"}, {.source = "db"}}, ten);
        acme.seal({{.source = "web", .gap = true}}, ten + std::chrono::hours{1});
        acme.seal({{.source = "web", .end = true}, {.source = "db"}}, ten + std::chrono::hours{1});
        ChainForTest globex{store, globex_, "globex", "node-7", "20261123T043400Z-9f3a"};
        globex.seal({{.source = "api"}}, ten);
        if (change) change(store, acme.names);
        for (const auto& [name, bytes] : store.objects) write("store/" + name, bytes);
    }
    Ran verify(const std::string& options) { return run("boatswain verify --store dir:store " + options); }
};

TEST_F(ToolVerify, ComparesRollUpsWithTheirSegments) {
    put_chains();
    ASSERT_EQ(run("boatswain rollup --store dir:store -i acme.key --tenant acme --since 2026-11-20").code, 0);
    auto ran = verify("-i acme.key --tenant acme --rollups");
    EXPECT_THAT(ran.out, HasSubstr("\n1 roll-up compared with 3 segments\n"));
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_THAT(verify("-i acme.key --tenant acme --rollups --since 2026-11-24").out, Not(HasSubstr("1 roll-up")));
    EXPECT_EQ(verify("--rollups").code, 2) << "without a key";
    const std::string name = "store/v1/tenant=acme/rollup=2026-11-23.age";
    auto damaged = read(name);
    damaged[damaged.size() / 2] ^= 1;
    write(name, damaged);
    ran = verify("-i acme.key --tenant acme --rollups");
    EXPECT_THAT(ran.out, HasSubstr("of roll-ups, which `boatswain rollup --again` mends:\n  v1/tenant=acme/rollup="));
    EXPECT_EQ(ran.code, 1);
    EXPECT_THAT(verify("-i acme.key --tenant acme --rollups --json").out,
                AllOf(HasSubstr("\"proven\":false"), HasSubstr("\"rollups\":{\"compared\":1,")));
    EXPECT_EQ(verify("-i acme.key --tenant acme").code, 0) << "no line depends on it";
}

TEST_F(ToolVerify, ShowsWhatIsProvenAndWhatIsNot) {
    put_chains();
    auto ran = verify("--identity acme.key --tenant acme");
    EXPECT_THAT(
        ran.out,
        MatchesRegex(
            "TENANT  HOST    EPOCH                  SEQUENCE  SEGMENTS  OPENED  LINES  SOURCES  ENDED  GAPS  RESULT\n"
            "acme    node-7  20261123T043400Z-9f3a       1-3         3       3     10        2      1     1  whole\n"
            "\n1 gap named in the tenants' own logs:\n"
            "TENANT  APP  NAME  REASON        LINES  BYTES  FROM                      TO\n"
            "acme    app  web   rotated-away    >=3   >=40  2026-11-23T11:00:00.000Z  2026-11-23T11:00:00.000Z\n"
            "\nacme on node-7 \\(20261123T043400Z-9f3a\\) ends at 3, SHA-256 [0-9a-f]+\n"
            "Newer segments may wait on the host, or be lost there: `boatswain status` on the host says.\n"
            "1 source has no closing record: still there, or not read to the end.\n"));
    EXPECT_EQ(ran.err, "");
    EXPECT_EQ(ran.code, 0);
}

TEST_F(ToolVerify, WithoutAKeyProvesNumbersAndLinksOfAllTenants) {
    put_chains();
    auto ran = verify("");
    EXPECT_THAT(ran.out, HasSubstr("acme    node-7  20261123T043400Z-9f3a       1-3         3"));
    EXPECT_THAT(ran.out, HasSubstr("linked\nglobex"));
    EXPECT_THAT(ran.out, HasSubstr("4 segments were seen from outside alone: number, name and hash, not lines.\n"));
    EXPECT_EQ(ran.code, 0);
}

TEST_F(ToolVerify, NamesWhatIsWrongAndExitsWith1) {
    put_chains([](MemoryStore& store, const auto& names) { store.objects.erase(names[1]); });
    for (const auto* options : {"", "-i acme.key"}) {
        auto ran = verify(options);
        EXPECT_THAT(
            ran.out,
            HasSubstr("\n1 problem:\n  missing: tenant \"acme\", host \"node-7\", epoch \"20261123T043400Z-9f3a\": 1 "
                      "segment missing, number 2, between v1/tenant=acme/"));
        EXPECT_THAT(ran.out, HasSubstr("1 problem\nglobex"));
        EXPECT_EQ(ran.code, 1);
    }
    EXPECT_THAT(verify("-i acme.key").out, HasSubstr("At least 2 lines of sources that go on are missing.\n"));
}

TEST_F(ToolVerify, PrintsJsonForPrograms) {
    put_chains([](MemoryStore& store, const auto& names) { store.objects[names[0]].back() ^= 1; });
    auto ran = verify("-i acme.key --tenant acme --json");
    EXPECT_THAT(
        ran.out,
        StartsWith(
            R"({"proven":false,"chains":[{"tenant":"acme","host":"node-7","epoch":"20261123T043400Z-9f3a","first":1,"last":3,)"));
    EXPECT_THAT(
        ran.out,
        HasSubstr(R"("faults":{"missing":0,"repeated":0,"conflict":0,"damaged":1,"renamed":0,"broken-link":1,)"));
    EXPECT_THAT(ran.out, HasSubstr(R"("gaps_by_reason":{"rotated-away":{"gaps":1,"lines_min":3,"bytes_min":40}})"));
    EXPECT_EQ(ran.code, 1);
    write("json", ran.out);
    EXPECT_EQ(run("python3 -m json.tool < json > pretty").code, 0);
    auto whole = verify("-i globex.key --tenant globex --json");
    EXPECT_THAT(whole.out, StartsWith(R"({"proven":true,)"));
    EXPECT_EQ(whole.code, 0);
}

TEST_F(ToolVerify, IsNotContentWithNothing) {
    EXPECT_EQ(verify("").code, 1);
    put_chains();
    auto nobody = verify("--tenant nobody");
    EXPECT_EQ(nobody.err,
              "boatswain: nothing was proven: there is no such segment; `boatswain ls` shows what there is\n");
    EXPECT_EQ(nobody.code, 1);
    auto wrong_key = verify("-i globex.key --tenant acme");
    EXPECT_EQ(wrong_key.err, "boatswain: no line was proven: none of the segments is sealed for the identity given\n");
    EXPECT_EQ(wrong_key.code, 1);
    EXPECT_THAT(verify("-i globex.key --tenant acme --json").out, StartsWith(R"({"proven":false,)"));
    EXPECT_EQ(run("boatswain verify").code, 2);
    EXPECT_EQ(verify("--since yesterdayish").code, 2);
}

TEST_F(ToolVerify, SaysWhereTheStretchBeginsAndEnds) {
    put_chains();
    auto early = verify("--tenant acme --until '2026-11-23 10:30'"),
         late = verify("--tenant acme --since '2026-11-23 12:30'");
    EXPECT_THAT(early.out, HasSubstr("ends at 1 of 3 in the store, SHA-256 "));
    EXPECT_THAT(late.out, HasSubstr("begins at 2: what comes before is outside of the stretch\n"));
    EXPECT_EQ(late.code, 0);
    EXPECT_EQ(run("rm -r store/v1/tenant=acme/hour=2026-11-23T10").code, 0);
    EXPECT_THAT(verify("--tenant acme").out, HasSubstr("begins at 2: what came before was deleted, or is lost\n"));
}

}  // namespace
}  // namespace boatswain::tool
