#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "logql/query.h"

namespace boatswain::logql {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

struct Outcome {
    bool kept = false;
    std::string line;
    std::vector<std::string> labels;  // "name=value", those that are not of the stream
    std::string error;
};

// What a pipeline makes of one line of the app "cart", printed to stdout.
Outcome through(const std::string& stages, std::string_view line) {
    auto parsed = parse_query("{app=\"cart\"} " + stages);
    if (!parsed) throw std::runtime_error(parsed.error().what);
    Record record{.line = line};
    record.labels.set("app", "cart", LabelKind::stream);
    record.labels.set("stream", "stdout", LabelKind::stream);
    Outcome outcome{.kept = std::get<LogQuery>(*parsed).process(record)};
    outcome.line = record.line;
    for (const auto& label : record.labels.sorted())
        if (label.kind != LabelKind::stream && label.name != error_label && label.name != error_details_label)
            outcome.labels.push_back(label.name + "=" + label.value);
    outcome.error = record.labels.value(error_label);
    return outcome;
}

std::vector<std::string> labels_of(const std::string& stages, std::string_view line) {
    return through(stages, line).labels;
}

TEST(LineFilters, FindBytesExpressionsAndPatterns) {
    auto kept = [](const std::string& stages) { return through(stages, "GET /cart 200 from 10.1.2.3").kept; };
    EXPECT_TRUE(kept("|= \"cart\""));
    EXPECT_FALSE(kept("!= \"cart\""));
    EXPECT_TRUE(kept("|= \"\""));
    EXPECT_TRUE(kept("|~ \"20\\\\d\"")) << "not anchored";
    EXPECT_FALSE(kept("!~ `2\\d\\d`"));
    EXPECT_TRUE(kept("|= \"nope\" or \"GET\""));
    EXPECT_FALSE(kept("!= \"nope\" or \"GET\"")) << "neither of them";
    EXPECT_TRUE(kept("|> \"GET <_> 200 <_>\""));
    EXPECT_FALSE(kept("|> \"GET <_> 200\"")) << "a pattern is the whole line";
    EXPECT_TRUE(kept("!> \"GET <_>POST<_>\""));
    EXPECT_TRUE(kept("|= ip(\"10.0.0.0/8\")"));
    EXPECT_FALSE(kept("|= ip(\"10.1.2.4-10.1.2.9\")"));
    EXPECT_TRUE(kept("!= ip(\"192.168.0.0/16\")"));
    EXPECT_TRUE(through("|= ip(\"2001:db8::/32\")", "peer 2001:db8::1 left").kept);
}

TEST(JsonParser, FlattensObjectsAndKeepsNumbersAsWritten) {
    EXPECT_THAT(labels_of("| json", R"({"a":{"b":"x","c-d":1.50},"n":1e3,"t":true,"z":null,"l":[1,2],"9":"d"})"),
                UnorderedElementsAre("a_b=x", "a_c_d=1.50", "n=1e3", "t=true", "_9=d"));
    EXPECT_THAT(labels_of("| json", R"({"app":"other","k":"\u00e4\"","k":"second"})"),
                UnorderedElementsAre("app_extracted=other", "k=\xc3\xa4\""))
        << "labels of the stream stay, and the first of equal keys counts";
}

TEST(JsonParser, KeepsALineThatIsNoJsonWithAnError) {
    for (const auto* bad : {"plain text", R"({"a":)", R"({"a":1} more)", "[1,2]", "", R"({"a":01})"}) {
        auto outcome = through("| json", bad);
        EXPECT_TRUE(outcome.kept) << bad;
        EXPECT_EQ(outcome.error, "JSONParserErr") << bad;
    }
    EXPECT_FALSE(through("| json | __error__=\"\"", "plain").kept);
    std::string deep(2000, '[');
    EXPECT_EQ(through("| json", "{\"a\":" + deep).error, "JSONParserErr");
    std::string objects;
    for (int i = 0; i < 200; ++i) objects += "{\"a\":";
    EXPECT_EQ(through("| json", objects + "1" + std::string(200, '}')).error, "JSONParserErr");
}

TEST(JsonParser, FollowsPaths) {
    constexpr auto line = R"({"resp":{"code":200,"tags":["x",{"y":"z"}],"a b":"c"}})";
    EXPECT_THAT(labels_of(R"(| json status="resp.code", first="resp.tags[0]", y="resp.tags[1].y")", line),
                UnorderedElementsAre("status=200", "first=x", "y=z"));
    EXPECT_THAT(labels_of(R"(| json blank="resp[\"a b\"]", all="resp.tags")", line),
                UnorderedElementsAre("blank=c", R"(all=["x",{"y":"z"}])"));
    EXPECT_THAT(labels_of(R"(| json gone="resp.nope", odd="resp.code.x", far="resp.tags[9]")", line), IsEmpty());
}

TEST(JsonParser, KeepsSoManyFieldsOfALineAndNoMore) {
    std::string line = "{";
    for (int i = 0; i < 100'000; ++i) line += (i ? ",\"k" : "\"k") + std::to_string(i) + "\":1";
    auto outcome = through("| json", line + "}");
    EXPECT_TRUE(outcome.kept);
    EXPECT_EQ(outcome.error, "TooManyLabels");
    EXPECT_LE(outcome.labels.size(), labels_max);
    EXPECT_EQ(outcome.labels.front(), "k0=1");
}

TEST(Unpack, MakesLabelsOfStringsAndALineOfTheEntry) {
    auto outcome = through("| unpack", R"({"pod":"a","n":1,"_entry":"hello"})");
    EXPECT_THAT(outcome.labels, ElementsAre("pod=a"));
    EXPECT_EQ(outcome.line, "hello");
}

TEST(Logfmt, ReadsPairsAndPassesOverWhatIsNone) {
    EXPECT_THAT(labels_of("| logfmt", R"(level=info msg="a \"b\" c" took=3ms flag empty= http.status=200)"),
                UnorderedElementsAre("level=info", "msg=a \"b\" c", "took=3ms", "http_status=200"));
    EXPECT_EQ(through("| logfmt", "a=b \"broken c=d").error, "");
    EXPECT_EQ(through("| logfmt --strict", "a=b \"broken c=d").error, "LogfmtParserErr");
    EXPECT_THAT(labels_of("| logfmt lvl=\"level\", took", "level=warn took=5 other=1"),
                UnorderedElementsAre("lvl=warn", "took=5"));
}

TEST(Extractors, TakeNamedGroupsAndCaptures) {
    EXPECT_THAT(labels_of(R"(| regexp `(?P<method>\w+) (?<path>\S+)`)", "GET /cart 200"),
                UnorderedElementsAre("method=GET", "path=/cart"));
    EXPECT_THAT(labels_of(R"(| regexp `(?P<n>\d+)x`)", "no digits"), IsEmpty());
    EXPECT_THAT(labels_of(R"(| pattern "<ip> - - <_> \"<method> <path> <_>\" <status>")",
                          R"(1.2.3.4 - - [now] "GET /x HTTP/1.1" 200)"),
                UnorderedElementsAre("ip=1.2.3.4", "method=GET", "path=/x", "status=200"));
    EXPECT_THAT(labels_of(R"(| pattern "<a>,<b>")", "no comma"), ElementsAre("a=no comma"));
}

TEST(LabelFilters, CompareTextNumbersDurationsAndSizes) {
    auto kept = [](const std::string& filter) {
        return through("| logfmt | " + filter, "n=5 took=250ms size=2KB level=error word=x").kept;
    };
    EXPECT_TRUE(kept("level=\"error\""));
    EXPECT_TRUE(kept("nope!=\"a\"")) << "an absent label is \"\"";
    EXPECT_TRUE(kept("level=~\"err.*\""));
    EXPECT_FALSE(kept("level=~\"err\"")) << "the whole value";
    EXPECT_TRUE(kept("n > 4.5 and n <= 5"));
    EXPECT_TRUE(kept("took >= 250ms, size > 1KiB"));
    EXPECT_TRUE(kept("n > 9 or level=\"error\""));
    EXPECT_FALSE(kept("(n > 9 or level=\"error\") word=\"y\""));
    EXPECT_FALSE(kept("nope > 1")) << "an absent label compares with nothing";
    auto odd = through("| logfmt | word > 1", "word=x");
    EXPECT_TRUE(odd.kept);
    EXPECT_EQ(odd.error, "LabelFilterErr");
}

TEST(Formats, FillTemplates) {
    auto line = [](const std::string& format) {
        return through("| logfmt | line_format `" + format + "`", "level=error msg=\"hello world\" n=7").line;
    };
    EXPECT_EQ(line("{{.level}}: {{ .msg | trunc 5 | ToUpper }}"), "error: HELLO");
    EXPECT_EQ(line(R"({{ if eq .level "error" }}E{{ else if eq .level "warn" }}W{{ else }}I{{ end }})"), "E");
    EXPECT_EQ(line("{{.nope}}-{{ default \"d\" .nope }}"), "-d");
    EXPECT_EQ(line("{{ add .n 1 }} {{ div 7 2 }} {{ divf 7 2 }}"), "8 3 3.5");
    EXPECT_EQ(line("a  {{- .n -}}  b"), "a7b");
    EXPECT_EQ(line("{{ alignRight 3 .n }}|{{ alignLeft 3 .n }}|"), "  7|7  |");
    EXPECT_EQ(line("{{ regexReplaceAll \"(w)orld\" .msg \"$1\" }}"), "hello w");
    EXPECT_EQ(line("{{ __line__ | len }}"), "33");
    EXPECT_EQ(through("| logfmt | line_format `{{ add .level 1 }}`", "level=error").error, "TemplateFormatErr");
    for (const auto* bad : {"{{", "{{ range .a }}{{ end }}", "{{ nosuch .a }}", "{{ if .a }}", "{{ end }}", "{{ $x }}",
                            "{{ trunc }}", "{{ . }}", "{{ }}"})
        EXPECT_FALSE(line_format(bad)) << bad;
}

TEST(Formats, RenameLabelsAndMakeNewOnes) {
    EXPECT_THAT(
        labels_of(R"(| logfmt | label_format lvl=level, who="{{.user}}@{{.host}}")", "level=info user=u host=h"),
        UnorderedElementsAre("host=h", "lvl=info", "user=u", "who=u@h"));
}

TEST(DropAndKeep, TakeNamesAndConditions) {
    EXPECT_THAT(labels_of("| logfmt | drop a, b=\"x\"", "a=1 b=y c=3"), UnorderedElementsAre("b=y", "c=3"));
    EXPECT_THAT(labels_of("| logfmt | keep a, b=\"x\"", "a=1 b=y c=3"), ElementsAre("a=1"));
}

TEST(Decolorize, LeavesTheTextAlone) {
    EXPECT_EQ(through("| decolorize", "\x1b[1;31mred\x1b[0m and \x1b[Kplain").line, "red and plain");
}

TEST(Filters, EndWhereAStageReplacesTheLine) {
    auto parsed = parse_query(R"({app="cart"} |= "a" | line_format "b" |= "b")").value();
    auto& lines = std::get<LogQuery>(parsed);
    Record record{.line = "a"};
    EXPECT_TRUE(lines.process(record));
}

}  // namespace
}  // namespace boatswain::logql
