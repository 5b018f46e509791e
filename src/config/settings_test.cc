// The page for operators says what the table says.
#include "config/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "base/file.h"

namespace boatswain::config {
namespace {

constexpr std::string_view begin_mark = "<!-- settings: made from src/config/settings.cc -->\n";
constexpr std::string_view end_mark = "<!-- end of settings -->\n";

const Path page = Path{BOATSWAIN_VECTORS} / "../../docs/operate/configuration.md";

// Run with BOATSWAIN_UPDATE_DOCS=1 to write the tables into the page.
TEST(Settings, AreDocumentedAsTheTableHasThem) {
    auto text = read_file(page, 1 << 20);
    ASSERT_TRUE(text) << text.error().what;
    auto begin = text->find(begin_mark), end = text->find(end_mark);
    ASSERT_NE(begin, std::string::npos);
    ASSERT_NE(end, std::string::npos);
    begin += begin_mark.size();
    auto wanted = "\n" + settings_markdown() + "\n";
    if (std::getenv("BOATSWAIN_UPDATE_DOCS") != nullptr) {
        text->replace(begin, end - begin, wanted);
        std::ofstream{page} << *text;
        return;
    }
    EXPECT_EQ(text->substr(begin, end - begin), wanted)
        << "write it: BOATSWAIN_UPDATE_DOCS=1 config_test --gtest_filter=Settings.*";
}

TEST(Settings, OfThePagesExampleAreAccepted) {
    auto text = read_file(page, 1 << 20).value();
    auto begin = text.find("```toml\n");
    ASSERT_NE(begin, std::string::npos);
    begin = text.find('\n', begin) + 1;
    auto config = load(std::string_view{text}.substr(begin, text.find("```", begin) - begin), "example", {}, {});
    ASSERT_TRUE(config) << config.error().what;
    EXPECT_THAT(config->warnings, testing::IsEmpty());
}

TEST(Settings, HaveHelpInOneSentenceWithoutAFullStop) {
    for (const auto& setting : settings()) {
        EXPECT_FALSE(setting.help.empty()) << setting.name;
        EXPECT_FALSE(setting.help.ends_with('.')) << setting.name;
        EXPECT_FALSE(setting.form.empty()) << setting.name;
    }
}

}  // namespace
}  // namespace boatswain::config
