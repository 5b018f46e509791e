#include "intake/driver/log_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace boatswain::intake::driver {
namespace {

using ::testing::HasSubstr;

std::string refusal(const std::map<std::string, std::string>& options) {
    auto parsed = parse_log_options(options);
    return parsed ? "none" : parsed.error().what;
}

TEST(LogOptions, AreReadAsTheEngineReadsItsOwn) {
    for (auto yes : {"1", "t", "T", "TRUE", "true", "True"}) {
        auto parsed = parse_log_options({{"require-key", yes}, {"cache-disabled", yes}});
        EXPECT_TRUE(parsed && parsed->require_key && parsed->cache_disabled) << yes;
    }
    for (auto no : {"0", "f", "F", "FALSE", "false", "False"}) {
        auto parsed = parse_log_options({{"require-key", no}});
        EXPECT_TRUE(parsed && !parsed->require_key) << no;
    }
    EXPECT_FALSE(parse_log_options({})->require_key);
}

TEST(LogOptions, ThatAreNeitherTrueNorFalseAreRefused) {
    for (auto odd : {"yes", "tRUE", "", " true", "on", "2"})
        EXPECT_THAT(refusal({{"require-key", odd}}), HasSubstr("neither true nor false")) << odd;
    EXPECT_THAT(refusal({{"cache-disabled", "ture"}}), HasSubstr("cache-disabled=\"ture\""));
}

TEST(LogOptions, ThatAreMisspeltAreRefusedWithWhatWasMeant) {
    EXPECT_EQ(refusal({{"requir-key", "true"}}), "unknown log option \"requir-key\", did you mean require-key?");
    EXPECT_EQ(refusal({{"Require-Key", "true"}}), "unknown log option \"Require-Key\", did you mean require-key?");
    EXPECT_EQ(refusal({{"awslogs-group", "x"}}), "unknown log option \"awslogs-group\"");
    EXPECT_LT(refusal({{std::string(100'000, 'x'), "y"}}).size(), 200U);
}

TEST(LogOptions, OfTheEngineArePassedOver) {
    EXPECT_EQ(refusal({{"mode", "non-blocking"},
                       {"max-buffer-size", "4m"},
                       {"cache-max-size", "20m"},
                       {"cache-max-file", "5"},
                       {"cache-compress", "no"},
                       {"max-size", "10m"},
                       {"max-file", "3"},
                       {"compress", "false"},
                       {"labels", "a,b"},
                       {"labels-regex", "^a"},
                       {"env", "A"},
                       {"env-regex", "^A"},
                       {"tag", "{{.ID}}"}}),
              "none");
}

}  // namespace
}  // namespace boatswain::intake::driver
