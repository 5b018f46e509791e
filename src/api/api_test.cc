// The API as clients meet it: raw requests over a socket, a store of two tenants in memory.
#include "api/api.h"

#include "api/api_for_test.h"

namespace boatswain::api {
namespace {

using namespace api::testing;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST_F(ApiTest, GivesLinesByStreamTheLatestFirst) {
    auto answer = query_range(R"({app=~"shop/.*"} != "nothing")", of_acme);
    EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"),
                              HasSubstr("Cache-Control: no-store\r\n")));
    EXPECT_THAT(
        body_of(answer),
        AllOf(
            StartsWith(R"({"status":"success","data":{"resultType":"streams","result":[{"stream":{"app":"shop/cart",)"),
            HasSubstr(
                R"("stream":"stderr","tenant":"acme"},"values":[["1795428002000000000","level=error msg=\"no stock\""]]})"),
            HasSubstr(R"("values":[["1795428001000000000","ready �"]])"), HasSubstr(R"(],"stats":{"summary":{)"),
            HasSubstr(R"("warnings":["gap of shop/db: rotated-away from )")));
}

TEST_F(ApiTest, ObeysDirectionAndLimit) {
    auto first = query_range(R"({app="shop/cart"})", of_acme, "&direction=forward&limit=1");
    EXPECT_THAT(first, AllOf(HasSubstr("started"), Not(HasSubstr("no stock"))));
    auto last = query_range(R"({app="shop/cart"})", of_acme, "&limit=1");
    EXPECT_THAT(last, AllOf(HasSubstr("no stock"), Not(HasSubstr("started"))));
}

TEST_F(ApiTest, CategorisesLabelsForGrafana) {
    auto flag = "X-Loki-Response-Encoding-Flags: other,categorize-labels\r\n";
    auto text = query_range(R"({app="shop/cart"} | logfmt | level="info")", of_acme, "", flag);
    EXPECT_THAT(text, AllOf(HasSubstr(R"("resultType":"streams","encodingFlags":["categorize-labels"],"result":[)"),
                            HasSubstr(R"("parsed":{"level":"info","msg":"started <b>"})"),
                            Not(HasSubstr(R"("level":"info","msg":"started <b>","service_name")"))));
    EXPECT_THAT(query_range(R"({app="shop/cart"} | logfmt | level="info")", of_acme),
                AllOf(HasSubstr(R"("level":"info","msg":"started <b>")"), Not(HasSubstr("encodingFlags"))));
}

TEST_F(ApiTest, GivesNumbersOverTimeAndAtOnce) {
    EXPECT_THAT(query_range(R"(sum by (app) (count_over_time({app=~".+"}[1h])))", of_acme, "&step=1h"),
                HasSubstr(R"("resultType":"matrix","result":[{"metric":{"app":"shop/cart"},"values":[[1795428000,"1"],)"
                          R"([1795431600,"1"]]},{"metric":{"app":"shop/db"},"values":[[1795431600,"1"]]}],"stats")"));
    EXPECT_THAT(get("/loki/api/v1/query?query=vector(1)%2Bvector(1)&time=4000000000&direction=backward", of_acme),
                HasSubstr(R"({"resultType":"vector","result":[{"metric":{},"value":[4000000000,"2"]}],"stats")"));
    EXPECT_THAT(get("/loki/api/v1/query?query=1%2B2&time=7", of_acme),
                HasSubstr(R"({"resultType":"scalar","result":[7,"3"],)"));
    EXPECT_THAT(query_range("1", of_acme, "&step=1h"), HasSubstr(R"("resultType":"matrix","result":[{"metric":{},)"));
}

TEST_F(ApiTest, GivesLabelsValuesSeriesAndStats) {
    EXPECT_EQ(body_of(loki("labels", of_acme)),
              "{\"status\":\"success\",\"data\":[\"app\",\"container\",\"host\",\"service_name\",\"stream\","
              "\"tenant\"]}\n");
    EXPECT_EQ(body_of(loki("label", of_acme)), body_of(loki("labels", of_acme)));
    EXPECT_EQ(body_of(loki("label/app/values", of_acme)),
              "{\"status\":\"success\",\"data\":[\"shop/cart\",\"shop/db\"]}\n");
    EXPECT_EQ(body_of(loki("label/app/values?query=%7Bcontainer%3D%22db-1%22%7D", of_acme)),
              "{\"status\":\"success\",\"data\":[\"shop/db\"]}\n");
    EXPECT_EQ(body_of(loki("label/stream/values", of_acme)),
              "{\"status\":\"success\",\"data\":[\"stderr\",\"stdout\"]}\n");
    EXPECT_EQ(body_of(loki("label/nosuch/values", of_acme)), "{\"status\":\"success\",\"data\":[]}\n");
    EXPECT_EQ(body_of(loki("series?match[]=%7Bapp%3D%22shop%2Fdb%22%7D", of_acme)),
              "{\"status\":\"success\",\"data\":[{\"app\":\"shop/db\",\"container\":\"db-1\",\"host\":\"node-1\","
              "\"service_name\":\"shop/db\",\"tenant\":\"acme\"}]}\n");
    EXPECT_EQ(body_of(loki("series?match[]=%7Bapp%3D%22none%22%7D", of_acme)),
              "{\"status\":\"success\",\"data\":[]}\n");
    EXPECT_EQ(body_of(loki("index/stats?query=%7Bapp%3D%22shop%2Fcart%22%7D", of_acme)),
              "{\"streams\":1,\"chunks\":1,\"bytes\":54,\"entries\":2}\n");
    EXPECT_THAT(get("/loki/api/v1/status/buildinfo", of_acme), HasSubstr(R"({"version":"1.2.3",)"));
}

TEST_F(ApiTest, GivesVolumesTheLargestFirst) {
    auto selector = "query=" + percent_encode(R"({app=~".+"})");
    EXPECT_THAT(body_of(loki("index/volume?" + selector, of_acme)),
                StartsWith("{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":["
                           "{\"metric\":{\"app\":\"shop/cart\"},\"value\":[1795431600,\"54\"]},"
                           "{\"metric\":{\"app\":\"shop/db\"},\"value\":[1795431600,\"7\"]}],\"stats\":{"));
    EXPECT_THAT(loki("index/volume?limit=1&targetLabels=service_name,host&" + selector, of_acme),
                HasSubstr(R"("result":[{"metric":{"host":"node-1","service_name":"shop/cart"},"value":)"));
    EXPECT_THAT(loki("index/volume?aggregateBy=labels&targetLabels=app,host&" + selector, of_acme),
                HasSubstr(R"("result":[{"metric":{"app":""},"value":[1795431600,"61"]},{"metric":{"host":""},)"));
    EXPECT_THAT(loki("index/volume?query=%7B%7D", of_acme), HasSubstr(R"({"metric":{"app":"shop/cart","container":)"));
    EXPECT_THAT(loki("index/volume?targetLabels=component&" + selector, of_acme), HasSubstr(R"("result":[])"));
    EXPECT_THAT(loki("index/volume?aggregateBy=size&" + selector, of_acme), StartsWith("HTTP/1.1 400 "));
    EXPECT_THAT(loki("index/volume?limit=0&" + selector, of_acme),
                AllOf(StartsWith("HTTP/1.1 400 "), EndsWith("limit must be a positive value\n")));
}

TEST_F(ApiTest, SharesAFramesBytesOutToTheStepsThatItsTimeLiesIn) {
    auto range = [&](const std::string& step) {
        return get("/loki/api/v1/index/volume_range?query=" + percent_encode(R"({app="shop/cart"})") +
                       "&start=1795428000&end=1795428004&step=" + step,
                   of_acme);
    };
    EXPECT_THAT(range("1"), HasSubstr(R"({"resultType":"matrix","result":[{"metric":{"app":"shop/cart"},"values":[)"
                                      R"([1795428001,"27"],[1795428002,"27"]]}],)"));
    EXPECT_THAT(range("3"), HasSubstr(R"("values":[[1795428003,"54"]]}],)"));
    EXPECT_THAT(range("0.0001"), HasSubstr("exceeded maximum resolution of 11,000 points"));
    EXPECT_THAT(range("0"), HasSubstr("zero or negative query resolution step"));
}

TEST_F(ApiTest, FindsFieldsInASampleOfLines) {
    auto selector = "query=" + percent_encode(R"({app="shop/cart"})");
    auto fields = body_of(loki("detected_fields?" + selector, of_acme));
    EXPECT_EQ(fields,
              "{\"fields\":[{\"label\":\"container_id\",\"type\":\"string\",\"cardinality\":1,\"parsers\":null},"
              "{\"label\":\"detected_level\",\"type\":\"string\",\"cardinality\":2,\"parsers\":null},"
              "{\"label\":\"image\",\"type\":\"string\",\"cardinality\":1,\"parsers\":null},"
              "{\"label\":\"level\",\"type\":\"string\",\"cardinality\":2,\"parsers\":[\"logfmt\"]},"
              "{\"label\":\"msg\",\"type\":\"string\",\"cardinality\":2,\"parsers\":[\"logfmt\"]}],\"limit\":1000}\n");
    EXPECT_THAT(loki("detected_fields?limit=1&" + selector, of_acme), HasSubstr("\"parsers\":null}],\"limit\":1}\n"));
    EXPECT_THAT(loki("detected_fields?line_limit=1&" + selector, of_acme),
                HasSubstr(R"({"label":"level","type":"string","cardinality":1,"parsers":["logfmt"]})"));
    auto parsed = "query=" + percent_encode(R"({app="shop/cart"} | logfmt | msg="no stock" | label_format n="4.5")");
    EXPECT_THAT(loki("detected_fields?" + parsed, of_acme),
                HasSubstr(R"({"label":"n","type":"float","cardinality":1,"parsers":["logfmt"]})"));
    EXPECT_EQ(body_of(loki("detected_field/level/values?" + selector, of_acme)),
              "{\"values\":[\"error\",\"info\"],\"limit\":1000}\n");
    EXPECT_EQ(body_of(loki("detected_field/none/values?" + selector, of_acme)), "{\"values\":[],\"limit\":1000}\n");
    EXPECT_THAT(loki("detected_fields?query=vector(1)", of_acme), StartsWith("HTTP/1.1 400 "));
}

TEST_F(ApiTest, AnswersWhatDrilldownAsksOfAServer) {
    EXPECT_THAT(body_of(loki("detected_labels", of_acme)),
                AllOf(StartsWith(R"({"detectedLabels":[{"label":"app","cardinality":2},)"),
                      HasSubstr(R"({"label":"service_name","cardinality":2})")));
    EXPECT_EQ(body_of(loki("patterns?query=%7Bapp%3D%22x%22%7D", of_acme)), "{\"status\":\"success\",\"data\":[]}\n");
    EXPECT_THAT(body_of(get("/loki/api/v1/drilldown-limits", of_acme)),
                AllOf(StartsWith(R"({"limits":{"discover_log_levels":true,)"), HasSubstr(R"("volume_enabled":true)"),
                      EndsWith("\"pattern_ingester_enabled\":false,\"version\":\"1.2.3\"}\n")));
    EXPECT_EQ(body_of(get("/loki/api/v1/format_query?query=%7Bapp%3D%22x%22%7D%7C%3D%22y%22", of_acme)),
              "{\"status\":\"success\",\"data\":\"{app=\\\"x\\\"} |= \\\"y\\\"\"}\n");
    EXPECT_THAT(get("/loki/api/v1/format_query?query=%7Bapp%3D%22x%22", of_acme),
                AllOf(StartsWith("HTTP/1.1 400 "),
                      HasSubstr(R"({"status":"invalid-query","error":"parse error at line 1, col 9: syntax error:)")));
    for (const char* path : {"status/buildinfo", "drilldown-limits"})
        EXPECT_THAT(ask("POST /loki/api/v1/" + std::string{path} +
                        " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\nAuthorization: Bearer " +
                        of_acme + "\r\n\r\n"),
                    StartsWith("HTTP/1.1 405 "));
}

TEST_F(ApiTest, GivesEachLineALevel) {
    EXPECT_THAT(
        query_range(R"({app="shop/cart"})", of_acme, "", "X-Loki-Response-Encoding-Flags: categorize-labels\r\n"),
        HasSubstr(R"("detected_level":"error","image":"busybox"}}])"));
    EXPECT_THAT(query_range(R"({app="shop/cart"} | detected_level="info")", of_acme),
                AllOf(HasSubstr("started"), Not(HasSubstr("no stock"))));
    EXPECT_THAT(query_range(R"(sum by (level, detected_level) (count_over_time({app=~".+"} | drop __error__ [1h])))",
                            of_acme, "&step=1h"),
                AllOf(HasSubstr(R"({"metric":{"detected_level":"error"},"values":[[1795431600,"1"]]})"),
                      HasSubstr(R"({"metric":{"detected_level":"unknown"},)")));
}

TEST_F(ApiTest, KeepsOneLineOfAnInterval) {
    auto thinned = [&](const std::string& direction) {
        return query_range(R"({app="shop/cart"})", of_acme, "&direction=" + direction + "&interval=3s");
    };
    EXPECT_THAT(thinned("forward"), AllOf(HasSubstr("started"), Not(HasSubstr("no stock"))));
    EXPECT_THAT(thinned("backward"), AllOf(HasSubstr("no stock"), Not(HasSubstr("started"))));
    EXPECT_THAT(query_range(R"({app="shop/cart"})", of_acme, "&interval=2s"),
                AllOf(HasSubstr("no stock"), HasSubstr("started")));
    EXPECT_THAT(query_range(R"({app="shop/cart"})", of_acme, "&interval=-1"), StartsWith("HTTP/1.1 400 "));
}

TEST_F(ApiTest, TakesAQueryFromAForm) {
    auto form = "query=" + percent_encode(R"({app="shop/db"})") +
                "&start=2026-11-23T09:00:00Z&end=2026-11-23T11:00:00Z&limit=5";
    auto head = [&](const std::string& type) {
        return "POST /loki/api/v1/query_range HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: " + type +
               "\r\nAuthorization: Bearer " + of_acme + "\r\nContent-Length: " + std::to_string(form.size()) +
               "\r\n\r\n";
    };
    EXPECT_THAT(ask(head("application/x-www-form-urlencoded") + form),
                AllOf(StartsWith("HTTP/1.1 200"), HasSubstr("ready")));
    EXPECT_THAT(ask(head("text/plain") + form), StartsWith("HTTP/1.1 400"));
}

TEST_F(ApiTest, RefusesWhoHasNoTokenWithoutSayingWhatIsThere) {
    auto refused = get("/loki/api/v1/labels", "");
    EXPECT_THAT(refused, AllOf(StartsWith("HTTP/1.1 401 "), EndsWith("\r\n\r\nunauthorized\n")));
    auto expired = make_token(tenant("acme"), clock.now() - hours{1}, {});
    ASSERT_TRUE(change_tokens(place / "tokens", [&](std::vector<Token>& all) -> Result<void> {
        all.push_back(expired.token);
        return {};
    }));
    for (const auto& who : {std::string{"x"}, of_acme + "x", of_acme.substr(1), std::string{expired.text.view()}})
        for (const char* path : {"/loki/api/v1/labels", "/loki/api/v1/nothing", "/", "/loki/api/v1/label/app/values"})
            EXPECT_EQ(get(path, who), refused) << path;
    EXPECT_EQ(get("/loki/api/v1/labels", "", "Authorization: Basic " + of_acme + "\r\n"), refused);
    EXPECT_EQ(get("/loki/api/v1/labels?access_token=" + of_acme, ""), refused);
}

// Every way in which a client may name another tenant.
TEST_F(ApiTest, GivesATenantNothingOfAnother) {
    for (const char* field : {"", "X-Scope-OrgID: globex\r\n", "X-Scope-OrgID: acme|globex\r\n", "X-Tenant: globex\r\n",
                              "X-Forwarded-User: globex\r\nX-Loki-Query-Limits-Context: {}\r\n"})
        for (const char* more : {"", "&tenant=globex", "&X-Scope-OrgID=globex", "&orgId=globex"}) {
            for (const auto& query : {everything, R"({tenant=~".+"})", R"({tenant="globex"})", R"({app="web"})",
                                      R"({app!="shop/cart",host=~".+"})", R"({app=~"web|shop/cart"} or {app="web"})",
                                      R"({host=~".+"} |~ "hello|started" or "hello")"})
                EXPECT_THAT(query_range(query, of_acme, more, field), Not(HasSubstr("hello globex"))) << query << field;
            for (const char* numbers : {R"(sum by (app) (count_over_time({host=~".+"}[2h])))",
                                        R"(count_over_time({tenant="globex"}[2h]) or vector(1))"})
                EXPECT_THAT(query_range(numbers, of_acme, more, field),
                            AllOf(Not(HasSubstr("\"web\"")), Not(HasSubstr("web-1"))));
            for (std::string path :
                 {"labels", "label/app/values", "label/tenant/values", "label/container/values", "detected_labels",
                  "index/volume?query=%7Bhost%3D~%22.%2B%22%7D&targetLabels=app,tenant",
                  "index/volume_range?query=%7B%7D&step=1h", "detected_fields?query=%7Bhost%3D~%22.%2B%22%7D",
                  "detected_field/app/values?query=%7Btenant%3D~%22.%2B%22%7D%7Clogfmt",
                  "series?match[]=%7Bhost%3D~%22.%2B%22%7D", "series?match[]=%7Btenant%3D%22globex%22%7D"}) {
                auto answer = loki(path + (path.contains('?') ? "" : "?") + more, of_acme, field);
                EXPECT_THAT(answer, StartsWith("HTTP/1.1 200")) << path;
                EXPECT_THAT(body_of(answer), AllOf(Not(HasSubstr("web")), Not(HasSubstr("globex")))) << path;
            }
        }
    EXPECT_EQ(body_of(loki("index/stats?query=%7Bapp%3D%22web%22%7D", of_acme)),
              body_of(loki("index/stats?query=%7Bapp%3D%22none%22%7D", of_acme)));
    EXPECT_THAT(query_range(everything, of_globex), AllOf(HasSubstr("hello globex"), Not(HasSubstr("started"))));
}

// Under acme's name lies what was sealed for globex, as a hostile writer of the store would put it.
TEST_F(ApiTest, GivesNothingOfAnObjectThatLiesUnderAnothersName) {
    store.objects[key("acme", ten, 2).str()] = store.objects[key("globex", ten, 1).str()];
    auto answer = query_range(everything, of_acme);
    EXPECT_THAT(answer, AllOf(HasSubstr("started"), Not(HasSubstr("hello globex")), HasSubstr("\"warnings\":[")));
}

TEST_F(ApiTest, KeepsATokenOfSomeAppsToThem) {
    auto narrow = token("acme", {"shop/db"});
    auto answer = query_range(R"({app=~".+"})", narrow);
    EXPECT_THAT(answer, AllOf(HasSubstr("ready"), Not(HasSubstr("shop/cart"))));
    EXPECT_THAT(query_range(R"({app="shop/cart"})", narrow), HasSubstr(R"("result":[])"));
    EXPECT_THAT(query_range(R"(sum by (app) (count_over_time({host=~".+"}[2h])))", narrow),
                AllOf(HasSubstr("shop/db"), Not(HasSubstr("shop/cart"))));
    EXPECT_EQ(body_of(loki("label/app/values", narrow)), "{\"status\":\"success\",\"data\":[\"shop/db\"]}\n");
    EXPECT_THAT(loki("series?match[]=%7Bhost%3D~%22.%2B%22%7D", narrow), Not(HasSubstr("shop/cart")));
    EXPECT_THAT(loki("index/stats?query=%7Bhost%3D~%22.%2B%22%7D", narrow), HasSubstr("\"entries\":1}"));
}

TEST_F(ApiTest, RefusesInLokisWords) {
    auto says = [&](const std::string& answer, int status, const std::string& what) {
        EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 " + std::to_string(status) + " "),
                                  HasSubstr("Content-Type: text/plain; charset=utf-8\r\n"),
                                  HasSubstr("X-Content-Type-Options: nosniff\r\n"), HasSubstr("\r\n\r\n" + what)));
    };
    says(query_range(R"({app="shop/cart")", of_acme), 400,
         "parse error at line 1, col 17: syntax error: unexpected $end, expecting } or ,");
    says(query_range("", of_acme), 400, "parse error");
    says(query_range(R"({app!="x"})", of_acme), 400, "parse error");
    says(query_range(everything, of_acme, "&limit=5001"), 400, "max entries limit per query exceeded");
    says(query_range(everything, of_acme, "&direction=up"), 400, "invalid direction");
    says(query_range(R"(rate({app="a"}[1m]))", of_acme, "&step=0"), 400, "zero or negative query resolution step");
    says(query_range(R"(rate({app="a"}[1m]))", of_acme, "&step=1ms"), 400,
         "exceeded maximum resolution of 11,000 points");
    says(get("/loki/api/v1/query_range?query=%7Bapp%3D%22a%22%7D&start=2&end=1", of_acme), 400,
         "end timestamp must not be before or equal to start time");
    says(get("/loki/api/v1/query_range?query=%7Bapp%3D%22a%22%7D&start=0", of_acme), 400,
         "the query time range exceeds the limit");
    says(get("/loki/api/v1/query?query=%7Bapp%3D%22a%22%7D", of_acme), 400,
         "log queries are not supported as an instant");
    for (const char* far : {"rate({app=\"a\"}[722h])", "1 + sum(rate({app=\"a\"}[1h] offset 721h))"})
        says(get("/loki/api/v1/query?query=" + percent_encode(far), of_acme), 400,
             "the query time range exceeds the limit");
    says(loki("series", of_acme), 400, "0 matcher groups");
    says(loki("series?match[]=%7Bapp%3D%22a%22%7D%7C%3D%22x%22", of_acme), 400, "only label matchers are supported");
    says(get("/loki/api/v1/labels?start=%zz", of_acme), 400, "invalid URL escape");
    for (const char* path :
         {"/", "/loki/api/v1/", "/loki/api/v1/push", "/loki/api/v1/label//values", "/loki/api/v2/query",
          "/loki/api/v1/label/a/b/values", "/loki/api/v1/../../ready", "/config"})
        says(get(path, of_acme), 404, "404 page not found\n");
    says(ask("DELETE /loki/api/v1/labels HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer " + of_acme +
             "\r\n\r\n"),
         405, "405 method not allowed\n");
}

TEST_F(ApiTest, RefusesWhatIsOverItsBounds) {
    limits.bytes_max = 100;
    EXPECT_THAT(query_range(everything, of_acme),
                AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("the query would read too many bytes (query: ")));
}

TEST_F(ApiTest, RefusesWhatTakesTooLong) {
    limits.time_max = milliseconds{0};
    EXPECT_THAT(query_range(everything, of_acme), StartsWith("HTTP/1.1 504 "));
}

TEST_F(ApiTest, SaysNothingOfWhatIsWrongWithTheStore) {
    store.read_error = Error{.remedy = Remedy::stop, .what = "s3://secret-bucket: signature refused"};
    auto answer = query_range(everything, of_acme);
    EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 502 "), Not(HasSubstr("secret-bucket"))));
    EXPECT_THAT(boatswain::testing::contents(place / "log"), HasSubstr("secret-bucket"));
    store.read_error.reset();
    std::filesystem::remove(place / "keys/globex.key");
    EXPECT_THAT(query_range(everything, of_globex), AllOf(StartsWith("HTTP/1.1 503 "), Not(HasSubstr("keys/"))));
}

TEST_F(ApiTest, LogsWhoAskedAndNeitherTokenNorQuery) {
    (void)query_range(R"({app="shop/cart"} |= "very private")", of_acme);
    (void)get("/loki/api/v1/labels", "wrong-secret");
    TearDown();
    auto said = boatswain::testing::contents(place / "log");
    EXPECT_THAT(said, AllOf(HasSubstr("route=query_range"), HasSubstr("tenant=acme"), HasSubstr("status=401"),
                            Not(HasSubstr("very private")), Not(HasSubstr("wrong-secret")), Not(HasSubstr(of_acme))));
}

TEST_F(ApiTest, ShowsReadinessAndMetricsThatNameNobody) {
    EXPECT_THAT(get("/ready", ""), AllOf(StartsWith("HTTP/1.1 200"), EndsWith("ready\n")));
    (void)query_range(everything, of_acme);
    EXPECT_THAT(get("/metrics", ""),
                AllOf(HasSubstr("boatswain_serve_requests_total{route=\"query_range\",status=\"200\"} 1"),
                      Not(HasSubstr("acme")), Not(HasSubstr("shop"))));
    std::filesystem::remove(place / "tokens");
    TearDown();
    TokenFile gone{place / "tokens", clock};
    EXPECT_TRUE(gone.trouble());
}

// A store in which every list waits until it is let go.
class SlowStore final : public store::Store {
  public:
    explicit SlowStore(MemoryStore& of) : of_(of) {}
    std::atomic<int> waiting = 0;
    std::atomic<bool> let_go = false;

    Result<store::PutOutcome> put(std::string_view, std::string_view, std::string_view) override {
        return of_.put({}, {}, {});
    }
    Result<void> replace(std::string_view, std::string_view, std::string_view) override { return {}; }
    Result<store::RangeBytes> read(std::string_view key, store::Range range) override { return of_.read(key, range); }
    Result<std::string> read(std::string_view key) override { return of_.read(key); }
    Result<store::ListPage> list(std::string_view prefix, bool delimited,
                                 const std::optional<std::string>& next) override {
        ++waiting;
        while (!let_go) std::this_thread::sleep_for(milliseconds{1});
        --waiting;
        std::lock_guard lock{mutex_};
        return of_.list(prefix, delimited, next);
    }
    Result<void> probe() override { return {}; }
    std::string describe() const override { return "slow"; }

  private:
    MemoryStore& of_;
    std::mutex mutex_;
};

TEST_F(ApiTest, KeepsATenantToItsShareAndOthersGoOn) {
    SlowStore slow{store};
    options.queries_of_a_tenant = 1;
    options.queries_waiting_of_a_tenant = 0;
    serving = std::make_unique<Serving>(
        Serving::MakeService{[&](const boost::asio::any_io_executor& executor) -> http::Service {
            api = std::make_unique<Api>(executor, sources_of(slow), tokens, options, metrics, log);
            return api->handler();
        }},
        Api::limits());
    std::string first, other;
    std::thread asks{[&] { first = query_range(everything, of_acme); }};
    while (slow.waiting == 0) std::this_thread::sleep_for(milliseconds{1});
    EXPECT_THAT(query_range(everything, of_acme),
                AllOf(StartsWith("HTTP/1.1 429 "), EndsWith("too many outstanding requests\n")));
    std::thread others{[&] { other = query_range(everything, of_globex); }};
    while (slow.waiting < 2) std::this_thread::sleep_for(milliseconds{1});
    EXPECT_THAT(get("/ready", ""), StartsWith("HTTP/1.1 200")) << "nothing waits for a store here";
    slow.let_go = true;
    asks.join();
    others.join();
    EXPECT_THAT(first, HasSubstr("started"));
    EXPECT_THAT(other, HasSubstr("hello globex"));
    EXPECT_THAT(query_range(everything, of_acme), StartsWith("HTTP/1.1 200")) << "its place is free again";
}

TEST_F(ApiTest, EndsAQuestionWhoseClientLeft) {
    SlowStore slow{store};
    options.queries = 1;
    options.queries_of_a_tenant = 1;
    options.queries_waiting_of_a_tenant = 0;
    serving = std::make_unique<Serving>(
        Serving::MakeService{[&](const boost::asio::any_io_executor& executor) -> http::Service {
            api = std::make_unique<Api>(executor, sources_of(slow), tokens, options, metrics, log);
            return api->handler();
        }},
        Api::limits());
    {
        Peer leaves{*serving};
        leaves.send("GET /loki/api/v1/labels HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + of_acme + "\r\n\r\n");
        while (slow.waiting == 0) std::this_thread::sleep_for(milliseconds{1});
    }
    slow.let_go = true;
    std::string answer;
    for (int i = 0; i < 1000 && !answer.starts_with("HTTP/1.1 200"); ++i) answer = query_range(everything, of_acme);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
    EXPECT_THAT(get("/metrics", ""), HasSubstr("boatswain_serve_queries_running 0"));
}

}  // namespace
}  // namespace boatswain::api
