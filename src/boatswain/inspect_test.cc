#include "boatswain/tool_for_test.h"

namespace boatswain::tool {
namespace {

TEST_F(Tool, InspectShowsWhatAnybodyCanSeeWithoutAKey) {
    put_example();
    auto ran = run("boatswain inspect --store dir:store " + key("acme", ten, 1).str());
    EXPECT_THAT(ran.out, AllOf(HasSubstr("recipients  1\n"), HasSubstr("tenant      acme\n"),
                               HasSubstr("sequence    1\n"), Not(HasSubstr("cart"))));
    EXPECT_EQ(ran.code, 0);
    EXPECT_EQ(run("boatswain inspect store/" + key("acme", ten, 1).str()).code, 0);
}

TEST_F(Tool, InspectShowsTheFooterAndNeverALine) {
    put_example();
    auto name = key("acme", ten, 1).str();
    auto ran = run("boatswain inspect -i acme.key --store dir:store " + name);
    EXPECT_THAT(ran.out, AllOf(HasSubstr("previous    none: the first of its chain\n"),
                               HasSubstr("3 lines and 1 gap in 2 frames, of 2 sources"), HasSubstr("shop/cart"),
                               HasSubstr("json-file"), HasSubstr("2026-11-23T10:00:03.000000000Z")));
    EXPECT_THAT(ran.out, Not(HasSubstr("article 7")));
    EXPECT_EQ(run("cp store/" + name +
                  " copy.age && boatswain inspect -i acme.key --json copy.age | python3 -c \""
                  "import json,sys; o=json.load(sys.stdin); print(o['recipients'], o['footer']['tenant'], "
                  "len(o['footer']['frames']), 'key' in o)\"")
                  .out,
              "1 acme 2 False\n");
}

TEST_F(Tool, InspectNamesWhatIsWrong) {
    put_example();
    auto name = key("acme", ten, 1).str();
    auto expect_error = [&](const std::string& command, const std::string& what) {
        auto ran = run(command);
        EXPECT_EQ(ran.code, 1) << command;
        EXPECT_THAT(ran.err, HasSubstr(what)) << command;
    };
    expect_error("boatswain inspect -i globex.key store/" + name, "no identity given opens this object");
    expect_error("boatswain inspect nowhere.age", "nowhere.age: there is no such file");
    expect_error("echo hello > hello.age; boatswain inspect hello.age", "hello.age: this is not a segment");
    expect_error("head -c 100 store/" + name + " > cut.age; boatswain inspect cut.age",
                 "cut.age: this is not a segment");
    expect_error("boatswain inspect --store dir:store v1/tenant=acme/none", "none");
    expect_error("boatswain inspect --store dir:store ../../etc/passwd0", "neither a file nor the name of an object");
    auto other = key("globex", ten, 5).str();
    expect_error("mkdir -p store/" + other + " && rmdir store/" + other + " && cp store/" + name + " store/" + other +
                     " && boatswain inspect -i acme.key --store dir:store " + other,
                 "refused: its footer says tenant \"acme\" where its name says \"globex\"");
}

}  // namespace
}  // namespace boatswain::tool
