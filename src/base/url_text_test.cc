#include "base/url_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace boatswain {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(UrlText, ShowsAnUrlWithoutSecretsAsItIs) {
    for (std::string_view url :
         {"s3://logs/prod?region=eu-central-1&endpoint=https://s3.example:9000", "dir:/srv/a@b", "s3://logs/team@prod",
          "unix:///run/a@b.sock", "/run/docker.sock", "http://marathon:8080/path", "https://[::1]:443/x",
          "tcp://HOST:PORT", "https://host/a%20b?c=%zz", "100%", "%", "%25", "", "name ~ /a@b/"}) {
        EXPECT_EQ(url_for_people(url), url);
        EXPECT_EQ(without_url_secrets(url), url);
        EXPECT_FALSE(has_userinfo(url)) << url;
    }
}

TEST(UrlText, HidesNameAndPasswordHoweverTheyAreWritten) {
    for (std::string_view url :
         {"s3://AKID:hunter2@logs/prod", "https://hunter2@host", "https://AKID:hunter2@host:9000/path?x=y",
          "https://AKID:hunter2@@host", "https://AKID:hun@hunter2@host", "https://AKID:hun/hunter2@host",
          "https://AKID:hun?hunter2@host", "https://AKID:hun#hunter2@host", "s3://AKID%3Ahunter2%40logs/prod",
          "s3://AKID%253Ahunter2%2540logs", "s3://logs/p?endpoint=https://AKID:hunter2@host",
          "s3://logs/p?endpoint=https%3A%2F%2FAKID%3Ahunter2%40host&region=r",
          "s3://logs/p?endpoint=https%253a%252f%252fAKID%253ahunter2%2540host", "AKID:hunter2@host:9000",
          "//AKID:hunter2@host/x", "tcp://AKID:hunter2@[::1]:2376", "http://AKID:hun hunter2@host",
          "HTTPS://AKID:hunter2@HOST"}) {
        EXPECT_THAT(url_for_people(url), Not(HasSubstr("hunter2"))) << url;
        EXPECT_THAT(url_for_people(url), HasSubstr("REDACTED")) << url;
        EXPECT_TRUE(has_userinfo(url)) << url;
    }
    EXPECT_EQ(url_for_people("s3://AKID:hunter2@logs/prod?region=x"), "s3://REDACTED@logs/prod?region=x");
}

TEST(UrlText, HidesParametersThatSoundLikeSecrets) {
    EXPECT_EQ(url_for_people("s3://logs/prod?secret_key=hunter2&region=x&session_token=hunter3"),
              "s3://logs/prod?secret_key=REDACTED&region=x&session_token=REDACTED");
    EXPECT_EQ(url_for_people("https://h/o?X-Amz-Signature=abc&X-Amz-Security-Token=d#e"),
              "https://h/o?X-Amz-Signature=REDACTED&X-Amz-Security-Token=REDACTED#e");
}

TEST(UrlText, FindsUrlsWithinASentence) {
    EXPECT_EQ(without_url_secrets("Unsupported proxy 'foo://u:hunter2@x:1', \"http://v:hunter3@y\" and c@d"),
              "Unsupported proxy 'foo://REDACTED@x:1', \"http://REDACTED@y\" and c@d");
}

}  // namespace
}  // namespace boatswain
