#include "page/page.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "page/files.h"

namespace boatswain::page {
namespace {

http::Request get(const std::string& path, http::Fields fields = {}) {
    http::Request request;
    request.method = "GET";
    request.path = path;
    request.fields = std::move(fields);
    return request;
}

http::Answer answer(const http::Request& request) { return Page{{}}.answer(request); }

std::string field_of(const http::Answer& answer, std::string_view name) {
    auto at = std::ranges::find(answer.fields, name, &std::pair<std::string, std::string>::first);
    return at == answer.fields.end() ? "" : at->second;
}

std::string script_path() {
    auto all = files();
    auto at = std::ranges::find_if(all, [](const File& file) { return file.path.ends_with(".js"); });
    return at == all.end() ? "" : std::string{at->path};
}

TEST(Page, StandsAtTheRoot) {
    auto whole = answer(get("/"));
    EXPECT_EQ(whole.status, 200);
    EXPECT_EQ(whole.content_type, "text/html; charset=utf-8");
    EXPECT_NE(whole.body.find("<div id=\"page\">"), std::string::npos);
    EXPECT_EQ(whole.body, answer(get("/index.html")).body);
    EXPECT_EQ(field_of(whole, "Cache-Control"), "no-cache") << "a new version is seen at once";
}

TEST(Page, HasNoScriptOrStyleInsideAndForbidsThem) {
    auto whole = answer(get("/"));
    EXPECT_EQ(whole.body.find("<style"), std::string::npos);
    EXPECT_EQ(whole.body.find("<script>"), std::string::npos);
    auto policy = field_of(whole, "Content-Security-Policy");
    EXPECT_NE(policy.find("default-src 'none'; script-src 'self'; style-src 'self'"), std::string::npos);
    EXPECT_EQ(policy.find("unsafe"), std::string::npos);
    EXPECT_NE(policy.find("frame-ancestors 'none'"), std::string::npos);
    EXPECT_EQ(field_of(whole, "Referrer-Policy"), "no-referrer");
}

TEST(Page, SendsToTheLoginServerThatThereIsAndToNoOther) {
    LoginServer login{.issuer = "https://login.example/realm",
                      .authorization_endpoint = "https://login.example/auth",
                      .token_endpoint = "https://tokens.example:8443/token",
                      .client_id = "page",
                      .scope = "openid"};
    const std::vector<std::string> embedders{"https://platform.example"};
    Page page{embedders, [&] { return std::optional{login}; }};
    auto policy = field_of(page.answer(get("/")), "Content-Security-Policy");
    EXPECT_NE(policy.find("connect-src 'self' https://tokens.example:8443;"), std::string::npos) << policy;
    policy = field_of(page.answer(get("/embed")), "Content-Security-Policy");
    EXPECT_NE(policy.find("connect-src 'self';"), std::string::npos) << "nobody signs in within a frame";
    auto told = page.answer(get("/sign-in.json"));
    EXPECT_EQ(told.status, 200);
    EXPECT_NE(told.body.find(R"("token_endpoint":"https://tokens.example:8443/token","client_id":"page")"),
              std::string::npos);
    EXPECT_EQ(answer(get("/sign-in.json")).status, 404);
    EXPECT_EQ((Page{{}, [] { return std::nullopt; }}.answer(get("/sign-in.json")).status), 404);
    EXPECT_NE(field_of(answer(get("/")), "Content-Security-Policy").find("connect-src 'self';"), std::string::npos);
    EXPECT_EQ(answer(get("/fleet")).body, answer(get("/")).body);
}

TEST(Page, AssetsAreKeptForEverAndPackedForWhoTakesIt) {
    auto path = script_path();
    ASSERT_FALSE(path.empty());
    auto plain = answer(get(path));
    auto packed = answer(get(path, {{"accept-encoding", "br, gzip;q=0.8"}}));
    EXPECT_EQ(plain.content_type, "text/javascript; charset=utf-8");
    EXPECT_EQ(field_of(plain, "Cache-Control"), "public, max-age=31536000, immutable");
    EXPECT_EQ(field_of(plain, "Content-Encoding"), "");
    EXPECT_EQ(field_of(packed, "Content-Encoding"), "gzip");
    EXPECT_EQ(packed.body.substr(0, 2), "\x1f\x8b");
    EXPECT_LT(packed.body.size() * 2, plain.body.size());
    EXPECT_NE(field_of(plain, "ETag"), field_of(packed, "ETag"));
    EXPECT_EQ(field_of(plain, "Vary"), "Accept-Encoding");
}

TEST(Page, GzipThatIsRefusedIsNotSent) {
    for (const char* accepted : {"gzip;q=0", "gzip;q=0.0", "br", "identity", "gzipped", ""})
        EXPECT_EQ(field_of(answer(get("/", {{"accept-encoding", accepted}})), "Content-Encoding"), "") << accepted;
    for (const char* accepted : {"gzip", "*", "deflate, gzip", "gzip;q=0.1"})
        EXPECT_EQ(field_of(answer(get("/", {{"accept-encoding", accepted}})), "Content-Encoding"), "gzip") << accepted;
}

TEST(Page, WhatTheBrowserHasIsNotSentAgain) {
    auto tag = field_of(answer(get("/")), "ETag");
    auto again = answer(get("/", {{"if-none-match", tag}}));
    EXPECT_EQ(again.status, 304);
    EXPECT_EQ(again.body, "");
    EXPECT_EQ(answer(get("/", {{"if-none-match", "\"other\""}})).status, 200);
}

TEST(Page, OtherPathsAreSomebodyElses) {
    for (const char* path :
         {"/loki/api/v1/labels", "/ready", "/metrics", "/index.htm", "//", "/..", "/%2e%2e/index.html"})
        EXPECT_FALSE(Page::takes(path)) << path;
    for (const char* path : {"/", "/index.html", "/embed", "/boatswain.svg", "/boatswain-logs.js", "/assets/none.js"})
        EXPECT_TRUE(Page::takes(path)) << path;
    EXPECT_EQ(answer(get("/assets/../index.html")).status, 404);
    EXPECT_EQ(answer(get("/assets/none.js")).status, 404);
}

TEST(Page, IsOnlyRead) {
    auto request = get("/");
    request.method = "POST";
    EXPECT_EQ(answer(request).status, 405);
    request.method = "HEAD";
    EXPECT_EQ(answer(request).status, 200);
}

TEST(Page, IsShownInFramesOfWhoMayAlone) {
    std::vector<std::string> embedders{"https://platform.example", "http://127.0.0.1:8080"};
    Page page{embedders};
    auto policy = field_of(page.answer(get("/embed")), "Content-Security-Policy");
    EXPECT_TRUE(policy.ends_with("frame-ancestors https://platform.example http://127.0.0.1:8080 ")) << policy;
    EXPECT_TRUE(field_of(page.answer(get("/")), "Content-Security-Policy").ends_with("frame-ancestors 'none'"));
    EXPECT_TRUE(field_of(answer(get("/embed")), "Content-Security-Policy").ends_with("frame-ancestors 'none'"));
    EXPECT_EQ(page.answer(get("/embed")).body, page.answer(get("/")).body);
}

TEST(Page, AnOriginIsNothingButOne) {
    for (const char* good : {"https://platform.example", "http://localhost:3000", "https://a-b.c9.example:8443"})
        EXPECT_TRUE(check_origin(good)) << good;
    for (const char* bad : {"", "*", "https://", "platform.example", "https://a.example/", "https://a.example/x",
                            "https://a.example:", "https://a.example:123456", "https://a.example:8x",
                            "https://*.example", "https://a.example; script-src *", "https://a.example\r\nX: y",
                            "https://A.example", "ftp://a.example", "https://a b"})
        EXPECT_FALSE(check_origin(bad)) << bad;
}

// What a reader waits for before the first line: docs/reading/page.md names these bounds. The end-to-end mode comes when
// somebody uses it.
TEST(Page, IsUnder130KilobytesPackedAndItsEndToEndModeUnder150) {
    std::size_t bytes = 0, later_bytes = 0;
    for (const auto& file : files())
        (file.path.starts_with("/assets/sealed-") ? later_bytes : bytes) += file.packed.size();
    EXPECT_LT(bytes, 130'000U);
    EXPECT_GT(later_bytes, 50'000U);
    EXPECT_LT(later_bytes, 150'000U);
}

TEST(Page, OnlyWorkersThatOpenSealedObjectsMayCompileWebAssembly) {
    std::size_t workers = 0;
    for (const auto& file : files()) {
        auto policy = field_of(answer(get(std::string{file.path})), "Content-Security-Policy");
        bool is_worker = file.path.starts_with("/assets/sealed-worker-");
        workers += is_worker ? 1 : 0;
        EXPECT_EQ(policy.contains("'wasm-unsafe-eval'"), is_worker) << file.path;
        EXPECT_EQ(policy.contains("data:"), is_worker) << file.path;
        EXPECT_TRUE(policy.starts_with("default-src 'none'; script-src 'self'")) << file.path;
    }
    EXPECT_EQ(workers, 2U);
}

}  // namespace
}  // namespace boatswain::page
