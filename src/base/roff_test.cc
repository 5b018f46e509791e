#include "base/roff.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace boatswain {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(ManPage, HasItsNameSectionsAndItems) {
    ManPage page{"sail", "8", "1.2", "catches wind"};
    page.section("OPTIONS").item("--reef N", "how much of it");
    EXPECT_THAT(page.str(), HasSubstr(".TH \"sail\" 8 \"\" \"Boatswain 1.2\"\n"));
    EXPECT_THAT(page.str(), HasSubstr(".SH \"NAME\"\nsail \\- catches wind\n"));
    EXPECT_THAT(page.str(), HasSubstr(".TP\n.B \"\\-\\-reef N\"\nhow much of it\n"));
}

TEST(ManPage, TakesNothingOfATextForARequest) {
    ManPage page{"sail", "8", "1", "x"};
    page.paragraph(".so /etc/passwd\n'br\n\\fB");
    page.literal("a\n\n.sp 5\n");
    page.item("say \"no\"", ".x");
    EXPECT_THAT(page.str(), Not(HasSubstr("\n.so")));
    EXPECT_THAT(page.str(), Not(HasSubstr("\n'br")));
    EXPECT_THAT(page.str(), HasSubstr("\\efB\n"));
    EXPECT_THAT(page.str(), HasSubstr("a\n\\&\n\\&.sp 5\n"));
    EXPECT_THAT(page.str(), HasSubstr(".B \"say \\(dqno\\(dq\"\n"));
}

}  // namespace
}  // namespace boatswain
