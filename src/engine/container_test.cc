#include "engine/container.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "engine/json_splitter.h"

namespace boatswain::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;

const std::string an_id(64, 'a');

std::string vector(const std::string& name) {
    return read_file(Path{BOATSWAIN_VECTORS} / "engine" / name, 1 << 20).value();
}

const WordFilter::Keeps all = [](std::string_view) { return true; };
const WordFilter keep_all{.environment = all, .label = all, .more_labels = {}, .mount = all};

// A minimal inspect answer with `more` members.
std::string inspect_with(const std::string& more) { return R"({"Id":")" + an_id + "\"" + more + "}"; }

Result<ContainerFacts> inspect(const std::string& more) { return parse_inspect(inspect_with(more), keep_all); }

TEST(Inspect, ReadsWhatTheEngineSays) {
    auto facts = parse_inspect(vector("inspect_json.json"), keep_all);
    ASSERT_TRUE(facts) << facts.error().what;
    EXPECT_EQ(facts->id, "9b85743a90618238573de0ecdc8e6c0700d4ae115a280093f68301b4dbec06e7");
    EXPECT_EQ(facts->name, "json");
    EXPECT_EQ(facts->image, "bw/busybox");
    EXPECT_EQ(to_text(facts->created), "2026-11-23T04:58:25.331053727Z");
    ASSERT_TRUE(facts->started_at);
    EXPECT_EQ(to_text(*facts->started_at), "2026-11-23T04:58:25.405560426Z");
    EXPECT_FALSE(facts->finished_at) << "year 1 means never";
    EXPECT_TRUE(facts->running);
    EXPECT_FALSE(facts->tty);
    EXPECT_FALSE(facts->auto_remove);
    EXPECT_EQ(facts->log_driver, "json-file");
    EXPECT_THAT(facts->log_options, ElementsAre(Pair("max-file", "2"), Pair("max-size", "10k")));
    EXPECT_EQ(facts->log_path, "/var/lib/docker/containers/" + facts->id + "/" + facts->id + "-json.log");
    EXPECT_THAT(facts->labels, ElementsAre(Pair("app", "x"), Pair("image", "evil"), Pair("name", "evil")));
    EXPECT_THAT(facts->mounts, ElementsAre(Pair("/srv/data", "/data")));
}

TEST(Inspect, SplitsTheEnvironmentAtTheFirstEqualsSign) {
    auto facts = parse_inspect(vector("inspect_json.json"), keep_all);
    EXPECT_THAT(facts->environment, ElementsAre(Pair("EMPTY", ""), Pair("MULTI", "a=b\nc"), Pair("PATH", "/bin"),
                                                Pair("SECRET", "hunter2"), Pair("TENANT", "acme")))
        << "NOEQ has no '=' and sets nothing";
}

TEST(Inspect, KeepsOnlyTheWordsThatAreWanted) {
    auto facts =
        parse_inspect(vector("inspect_json.json"), {.environment = [](std::string_view key) { return key == "TENANT"; },
                                                    .label = [](std::string_view key) { return key == "app"; },
                                                    .more_labels = {},
                                                    .mount = [](std::string_view to) { return to == "/"; }});
    EXPECT_THAT(facts->environment, ElementsAre(Pair("TENANT", "acme")));
    EXPECT_THAT(facts->labels, ElementsAre(Pair("app", "x")));
    EXPECT_THAT(facts->mounts, IsEmpty());
    auto without_filter = parse_inspect(vector("inspect_json.json"), {});
    EXPECT_THAT(without_filter->environment, IsEmpty());
    EXPECT_THAT(without_filter->labels, IsEmpty());
}

TEST(Inspect, BoundsTheWordsThatAreKept) {
    std::string labels;
    for (std::size_t n = 0; n < 10'000; ++n)
        labels += "\"more." + std::to_string(n) + "\":\"" + std::string(100, 'x') + "\",";
    labels += R"("tenant":"acme","other":"x","team":")" + std::string(word_bytes_max, 'x') + "\"";
    auto named = [](std::string_view key) { return key == "tenant" || key == "team"; };
    WordFilter keep{.environment = named,
                    .label = named,
                    .more_labels = [](std::string_view key) { return key.starts_with("more."); },
                    .mount = all};
    auto facts = parse_inspect(inspect_with(",\"Config\":{\"Labels\":{" + labels +
                                            "},\"Env\":[\"tenant=" + std::string(word_bytes_max, 'x') + "\"]}"),
                               keep);
    ASSERT_TRUE(facts) << facts.error().what;
    EXPECT_EQ(facts->labels.at("tenant"), "acme") << "the others do not take its room";
    EXPECT_EQ(facts->labels.at("team"), word_too_long) << "it is there, and no half of it answers a rule";
    EXPECT_EQ(facts->environment.at("tenant"), word_too_long);
    EXPECT_EQ(facts->words_too_long, 2U);
    EXPECT_FALSE(facts->labels.contains("other"));
    EXPECT_GT(facts->labels.size(), 100U);
    EXPECT_LT(facts->labels.size(), 2 + more_bytes_max / 100);
    EXPECT_LT(cost_of(*facts), 3 * more_bytes_max);
}

TEST(Inspect, KnowsExitedAndCreatedAndTerminalContainers) {
    auto exited = parse_inspect(vector("inspect_exited_local.json"), keep_all);
    EXPECT_FALSE(exited->running);
    EXPECT_EQ(exited->exit_code, 3);
    EXPECT_TRUE(exited->finished_at);
    EXPECT_EQ(exited->log_driver, "local");
    EXPECT_EQ(exited->log_path, "");
    EXPECT_FALSE(parse_inspect(vector("inspect_created.json"), keep_all)->started_at);
    EXPECT_TRUE(parse_inspect(vector("inspect_tty.json"), keep_all)->tty);
}

TEST(Inspect, TakesNullAndWrongTypesForNothing) {
    auto nulls = inspect(
        R"(,"Name":null,"Config":{"Env":null,"Labels":null,"Image":null},"Mounts":null,"State":null,"HostConfig":null)");
    ASSERT_TRUE(nulls) << nulls.error().what;
    EXPECT_THAT(nulls->environment, IsEmpty());
    EXPECT_THAT(nulls->labels, IsEmpty());
    EXPECT_EQ(nulls->log_driver, "");

    auto wrong = inspect(
        R"(,"Name":7,"Config":{"Env":{"A":"b"},"Labels":["x"],"Tty":"true","Image":[]},"Mounts":{"a":1},"State":"up","HostConfig":[1])");
    ASSERT_TRUE(wrong) << wrong.error().what;
    EXPECT_EQ(wrong->name, "");
    EXPECT_FALSE(wrong->tty);
    EXPECT_THAT(wrong->mounts, IsEmpty());

    auto mixed = inspect(
        R"(,"Config":{"Env":["A=1",2,null,"B=2",["C=3"]],"Labels":{"x":1,"y":"z"}},"Mounts":[1,{"Source":"/s"}])");
    ASSERT_TRUE(mixed) << mixed.error().what;
    EXPECT_THAT(mixed->environment, ElementsAre(Pair("A", "1"), Pair("B", "2")));
    EXPECT_THAT(mixed->labels, ElementsAre(Pair("y", "z")));
    EXPECT_THAT(mixed->mounts, IsEmpty());
}

TEST(Inspect, TakesTheLastOfRepeatedEnvironmentKeys) {
    EXPECT_THAT(inspect(R"(,"Config":{"Env":["A=1","A=2","=x","A"]})")->environment, ElementsAre(Pair("A", "2")));
}

TEST(Inspect, TakesTheFirstOfRepeatedJsonKeys) { EXPECT_EQ(inspect(R"(,"Name":"/one","Name":"/two")")->name, "one"); }

TEST(Inspect, RefusesAnIdThatIsNone) {
    for (std::string id : {R"("")", R"("../../etc/passwd")", R"(7)", R"(null)", R"("AAAA")"}) {
        auto facts = parse_inspect("{\"Id\":" + id + "}", keep_all);
        ASSERT_FALSE(facts) << id;
        EXPECT_EQ(facts.error().remedy, Remedy::quarantine);
    }
    EXPECT_FALSE(parse_inspect(R"({"Id":")" + std::string(64, 'A') + R"("})", keep_all)) << "upper case";
    EXPECT_FALSE(parse_inspect(R"({"Id":")" + std::string(65, 'a') + R"("})", keep_all)) << "too long";
}

TEST(Inspect, RefusesWhatIsNotJsonWithoutQuotingIt) {
    for (std::string text : {"", "secret", "[]", "{\"Id\":", "{} {}", "\xff\xfe", "null"}) {
        auto facts = parse_inspect(text, keep_all);
        ASSERT_FALSE(facts) << text;
        EXPECT_EQ(facts.error().remedy, Remedy::quarantine);
        EXPECT_THAT(facts.error().what, Not(HasSubstr("secret")));
    }
}

TEST(Inspect, SurvivesDeepNesting) {
    EXPECT_FALSE(inspect(",\"x\":" + std::string(100'000, '[') + std::string(100'000, ']')));
}

TEST(Inspect, TakesALogPathOnlyWhenItIsPlain) {
    EXPECT_EQ(inspect(R"(,"LogPath":"/a/../../etc/shadow")")->log_path, "");
    EXPECT_EQ(inspect(R"(,"LogPath":"relative")")->log_path, "");
    EXPECT_EQ(inspect(R"(,"LogPath":"/a\u0000b")")->log_path, "");
    EXPECT_EQ(inspect(R"(,"LogPath":"/a/..b/c")")->log_path, "/a/..b/c");
}

TEST(Inspect, ClampsNumbersThatDoNotFit) {
    EXPECT_EQ(inspect(R"(,"State":{"ExitCode":99999999999})")->exit_code, std::numeric_limits<int>::max());
}

TEST(ConfigV2, ReadsTheSameAsInspect) {
    auto found = parse_config_v2(vector("config.v2.json"), vector("hostconfig.json"), keep_all);
    auto asked = parse_inspect(vector("inspect_json.json"), keep_all);
    ASSERT_TRUE(found) << found.error().what;
    EXPECT_EQ(found->id, asked->id);
    EXPECT_EQ(found->name, asked->name);
    EXPECT_EQ(found->image, asked->image);
    EXPECT_EQ(found->created, asked->created);
    EXPECT_EQ(found->started_at, asked->started_at);
    EXPECT_EQ(found->finished_at, asked->finished_at);
    EXPECT_EQ(found->running, asked->running);
    EXPECT_EQ(found->log_driver, asked->log_driver);
    EXPECT_EQ(found->log_options, asked->log_options);
    EXPECT_EQ(found->log_path, asked->log_path);
    EXPECT_EQ(found->labels, asked->labels);
    EXPECT_EQ(found->environment, asked->environment);
    EXPECT_EQ(found->mounts, asked->mounts);
}

TEST(ConfigV2, DoesWithoutTheHostConfig) {
    for (std::string hostconfig : {"", "{torn", "[]"}) {
        auto facts = parse_config_v2(vector("config.v2.json"), hostconfig, keep_all);
        ASSERT_TRUE(facts) << facts.error().what;
        EXPECT_EQ(facts->name, "json");
        EXPECT_EQ(facts->log_driver, "");
    }
}

TEST(ConfigV2, RefusesATornFile) {
    auto whole = vector("config.v2.json");
    auto facts = parse_config_v2(whole.substr(0, whole.size() / 2), "", keep_all);
    ASSERT_FALSE(facts);
    EXPECT_EQ(facts.error().remedy, Remedy::quarantine);
}

TEST(ContainerSummary, HasIdAndStateOfARealEnginesList) {
    JsonSplitter entries{{.bytes_max = 10'000}, JsonSplitter::Shape::array};
    entries.feed(vector("list.json"));
    std::vector<ContainerSummary> list;
    while (auto entry = entries.next().value()) list.push_back(parse_container_summary(*entry).value());
    std::vector<std::string> states;
    for (const auto& one : list) states.push_back(one.state);
    EXPECT_THAT(states, ElementsAre("running", "created", "exited", "running", "running"));
    EXPECT_EQ(list.back().id, "9b85743a90618238573de0ecdc8e6c0700d4ae115a280093f68301b4dbec06e7");
}

TEST(ContainerSummary, HasIdAndState) {
    auto one = parse_container_summary(R"({"Id":")" + std::string(64, 'a') + R"(","State":"exited","Labels":null})");
    ASSERT_TRUE(one) << one.error().what;
    EXPECT_EQ(one->id, std::string(64, 'a'));
    EXPECT_EQ(one->state, "exited");
}

TEST(ContainerSummary, IsRefusedWithoutAnId) {
    for (std::string text : {"{}", "1", R"({"Id":"x"})", "{", "", "[]"})
        EXPECT_EQ(parse_container_summary(text).error().remedy, Remedy::quarantine) << text;
}

TEST(Events, ReadsThoseOfARealEngine) {
    auto text = vector("events.json");
    std::vector<Event> events;
    for (std::size_t at = 0; at < text.size();) {
        auto end = text.find('\n', at);
        auto event = parse_event(std::string_view{text}.substr(at, end - at));
        ASSERT_TRUE(event) << event.error().what;
        events.push_back(*event);
        at = end + 1;
    }
    ASSERT_EQ(events.size(), 17U);
    EXPECT_EQ(events[0].id, "") << "an image's";
    EXPECT_EQ(events[0].action, Event::Action::other);
    EXPECT_EQ(events[2].action, Event::Action::create);
    EXPECT_EQ(events[2].id, "2cf7042350780cfaa6f778f3cb230298bedc37c3cf3c112ffd37b5d2552d9e51");
    EXPECT_EQ(events[2].time, Timestamp{Nanoseconds{1795409874622385880}});
    EXPECT_EQ(events[3].action, Event::Action::other) << "attach";
    EXPECT_EQ(events[5].action, Event::Action::die);
    EXPECT_EQ(events[5].exit_code, 0);
    EXPECT_EQ(events[6].action, Event::Action::destroy);
}

// Since API 1.52 they have no id, status and from beside the Actor.
TEST(Events, AreThoseOfOldAndNewVersions) {
    auto actor = R"("Type":"container","Action":"die","Actor":{"ID":")" + an_id + R"(","Attributes":{"exitCode":"3"}})";
    auto old = parse_event(R"({"status":"die","id":")" + an_id + R"(","from":"x",)" + actor + R"(,"timeNano":5})");
    auto now = parse_event("{" + actor + R"(,"timeNano":5})");
    for (const auto& event : {old, now}) {
        ASSERT_TRUE(event) << event.error().what;
        EXPECT_EQ(event->id, an_id);
        EXPECT_EQ(event->action, Event::Action::die);
        EXPECT_EQ(event->exit_code, 3);
    }
}

TEST(Events, TakesTheExitCodeFromDieAlone) {
    auto event = [](std::string action, std::string code) {
        return parse_event(R"({"Type":"container","Action":")" + action + R"(","Actor":{"ID":")" + an_id +
                           R"(","Attributes":{"exitCode":)" + code + "}}}");
    };
    EXPECT_EQ(event("die", "\"137\"")->exit_code, 137);
    EXPECT_EQ(event("start", "\"137\"")->exit_code, std::nullopt) << "a label of that name";
    for (std::string odd : {"\"\"", "\"x\"", "3", "\"1 \"", "\"99999999999\"", "null"})
        EXPECT_EQ(event("die", odd)->exit_code, std::nullopt) << odd;
}

TEST(Events, KnowsPodmansWordsForAnEnd) {
    auto event = [](std::string action) {
        return parse_event(R"({"Type":"container","Action":")" + action + R"(","Actor":{"ID":")" + an_id +
                           R"(","Attributes":{"containerExitCode":"3","exitCode":"3"}}})");
    };
    EXPECT_EQ(event("died")->action, Event::Action::die);
    EXPECT_EQ(event("died")->exit_code, 3);
    EXPECT_EQ(event("remove")->action, Event::Action::destroy);
    EXPECT_EQ(event("cleanup")->action, Event::Action::other);
}

TEST(Events, DoesNotTakeAnExecutedCommandForAnAction) {
    auto event = parse_event(R"({"Type":"container","Action":"exec_start: start","Actor":{"ID":")" + an_id + R"("}})");
    EXPECT_EQ(event->action, Event::Action::other);
}

TEST(Events, KnowsAnErrorInTheStream) {
    auto event = parse_event(R"({"message":"context\ncanceled"})");
    ASSERT_FALSE(event);
    EXPECT_EQ(event.error().remedy, Remedy::back_off);
    EXPECT_THAT(event.error().what, HasSubstr("context\\x0acanceled"));
}

TEST(Events, ReadsTimesWithoutNanosecondsAndAbsurdOnes) {
    EXPECT_EQ(parse_event(R"({"time":12})")->time, Timestamp{std::chrono::seconds{12}});
    EXPECT_TRUE(parse_event(R"({"time":-9223372036854775808})"));
    EXPECT_TRUE(parse_event(R"({"time":9223372036854775807,"timeNano":"x"})"));
}

TEST(Version, ReadsARealEngines) {
    auto info = parse_version(vector("version.json"));
    ASSERT_TRUE(info) << info.error().what;
    EXPECT_EQ(info->version, "20.10.24+dfsg1");
    EXPECT_EQ(info->api_version, "1.41");
    EXPECT_EQ(info->min_api_version, "1.12");
    ASSERT_TRUE(parse_info(vector("info.json"), *info));
    EXPECT_EQ(info->root_dir, "/var/lib/docker");
    EXPECT_EQ(info->default_log_driver, "json-file");
    EXPECT_EQ(info->name, "host-1");
    EXPECT_FALSE(info->id.empty());
}

// Podman 4.3.1, shortened.
TEST(Version, KnowsPodmanWhichDrawsAnotherIdForEachAnswer) {
    auto info = parse_version(R"({"Components":[{"Name":"Podman Engine","Version":"4.3.1"},{"Name":"Conmon"}],
                                  "Version":"4.3.1","ApiVersion":"1.41","MinAPIVersion":"1.24"})");
    ASSERT_TRUE(info) << info.error().what;
    EXPECT_TRUE(info->podman);
    ASSERT_TRUE(parse_info(R"({"ID":"ae68749e-17a7-4137-81db-4b0090993589","Driver":"overlay",
                               "DockerRootDir":"/var/lib/containers/storage"})",
                           *info));
    EXPECT_EQ(info->id, "");
    EXPECT_EQ(info->storage_driver, "overlay");
    ASSERT_TRUE(parse_info(R"({"Driver":"../../etc"})", *info));
    EXPECT_EQ(info->storage_driver, "");
    EXPECT_FALSE(parse_version(vector("version.json"))->podman);
}

TEST(Version, SaysWhenItIsNoEngine) {
    EXPECT_THAT(parse_version("{}").error().what, HasSubstr("is this a Docker engine?"));
}

TEST(ErrorMessage, IsTheEnginesOwnMadePrintable) {
    EXPECT_EQ(parse_error_message(R"({"message":"No such container: x"})"), "No such container: x");
    EXPECT_EQ(parse_error_message("client version is too old\n"), "client version is too old");
    EXPECT_EQ(parse_error_message("\x1b[31mred"), "\\x1b[31mred");
    EXPECT_EQ(parse_error_message(""), "");
    EXPECT_LT(parse_error_message(std::string(100'000, 'x')).size(), 400U);
}

}  // namespace
}  // namespace boatswain::engine
