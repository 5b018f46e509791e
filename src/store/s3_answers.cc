#include "store/s3_answers.h"

#include <algorithm>
#include <charconv>

#include "base/bytes.h"
#include "store/xml.h"

namespace boatswain::store {
namespace {

constexpr std::size_t error_text_bytes_max = 200;
// Begins the `next` of a page without a token. No token of a server has it: XML knows no NUL.
constexpr std::string_view behind_a_name{"\0", 1};

// `encoding-type=url` is form encoding: a space is '+'.
std::optional<std::string> decode_key(std::string_view encoded, bool url_encoded) {
    if (!url_encoded) return std::string{encoded};
    std::string with_spaces{encoded};
    for (auto& c : with_spaces)
        if (c == '+') c = ' ';
    return percent_decode(with_spaces);
}

class ListReader {
  public:
    void open(XmlPath path) {
        if (path == "ListBucketResult") is_list_ = true;
        if (path == "ListBucketResult/Contents") object_ = {};
    }

    void close(XmlPath path, const std::string& text) {
        if (path == "ListBucketResult/Contents/Key")
            object_.key = text;
        else if (path == "ListBucketResult/Contents/Size")
            read_size(text);
        else if (path == "ListBucketResult/Contents")
            add(page_.objects, std::move(object_));
        else if (path == "ListBucketResult/CommonPrefixes/Prefix")
            add(page_.prefixes, text);
        else if (path == "ListBucketResult/IsTruncated")
            truncated_ = text == "true";
        else if (path == "ListBucketResult/NextContinuationToken")
            page_.next = text;
        else if (path == "ListBucketResult/NextMarker")
            marker_ = text;
        else if (path == "ListBucketResult/EncodingType")
            url_encoded_ = text == "url";
    }

    Result<ListPage> take() && {
        if (!is_list_) return wrong("it is no ListBucketResult");
        if (!problem_.empty()) return wrong(problem_);
        for (auto& object : page_.objects) CHECK(decode(object.key));
        for (auto& prefix : page_.prefixes) CHECK(decode(prefix));
        if (!truncated_) page_.next.reset();
        if (truncated_ && (!page_.next || page_.next->empty())) {
            TRY(auto name, last_name());
            if (name.empty()) return wrong("it is cut off and does not say how to go on");
            page_.next = std::string{behind_a_name} + name;
        }
        return std::move(page_);
    }

  private:
    static std::unexpected<Error> wrong(std::string_view why) {
        return fail(Remedy::back_off, "the answer is not a listing: " + std::string{why});
    }

    // The name behind which the next page begins: version 1 says it when there are common prefixes, and else leaves it
    // to the client.
    Result<std::string> last_name() {
        if (!marker_.empty()) {
            CHECK(decode(marker_));
            return std::move(marker_);
        }
        std::string last;
        for (const auto& object : page_.objects) last = std::max(last, object.key);
        for (const auto& prefix : page_.prefixes) last = std::max(last, prefix);
        return last;
    }

    Result<void> decode(std::string& key) const {
        auto decoded = decode_key(key, url_encoded_);
        if (!decoded || decoded->empty()) return wrong("a key is missing or wrongly encoded");
        key = std::move(*decoded);
        return {};
    }

    void read_size(const std::string& text) {
        auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), object_.size);
        if (error != std::errc{} || end != text.data() + text.size()) problem_ = "a size is not a number";
    }

    template <class Many, class One>
    void add(Many& many, One one) {
        if (page_.objects.size() + page_.prefixes.size() >= listed_max)
            problem_ = "it holds more than " + std::to_string(listed_max) + " keys";
        else
            many.push_back(std::move(one));
    }

    ListPage page_;
    ObjectInfo object_;
    bool is_list_ = false, truncated_ = false, url_encoded_ = false;
    std::string marker_;
    std::string problem_;
};

}  // namespace

S3Error parse_error(std::string_view body) {
    S3Error error;
    auto close = [&](XmlPath path, const std::string& text) {
        bool inside = path.starts_with("Error/") || path.starts_with("ErrorResponse/Error/");
        auto name = path.substr(path.rfind('/') + 1);
        if (!inside) return;
        if (name == "Code") error.code = printable(text, error_text_bytes_max);
        if (name == "Message") error.message = printable(text, error_text_bytes_max);
        if (name == "Region") error.region = printable(text, error_text_bytes_max);
    };
    if (!read_xml(body, {.open = {}, .close = close})) return {};
    return error;
}

Result<ListPage> parse_list(std::string_view body) {
    ListReader list;
    auto read = read_xml(body, {.open = [&](XmlPath path) { list.open(path); },
                                .close = [&](XmlPath path, const std::string& text) { list.close(path, text); }});
    if (!read) return fail(Remedy::back_off, "the answer is not a listing: " + read.error().what);
    return std::move(list).take();
}

std::optional<std::string_view> name_to_go_on_behind(std::string_view next) {
    if (!next.starts_with(behind_a_name)) return std::nullopt;
    return next.substr(behind_a_name.size());
}

Result<Credentials> parse_assumed_role(std::string_view body) {
    Credentials found;
    std::string expiration;
    auto close = [&](XmlPath path, const std::string& text) {
        if (!path.starts_with("AssumeRole") || path.find("/Credentials/") == XmlPath::npos) return;
        auto name = path.substr(path.rfind('/') + 1);
        if (name == "AccessKeyId") found.access_key = text;
        if (name == "SecretAccessKey") found.secret_key = Secret{text};
        if (name == "SessionToken") found.session_token = Secret{text};
        if (name == "Expiration") expiration = text;
    };
    CHECK(read_xml(body, {.open = {}, .close = close}));
    found.expires = parse_time(trimmed(expiration));
    if (auto problem = tidy(found))
        return fail(Remedy::back_off, "the answer holds no usable credentials: " + *problem);
    if (!found.expires) return fail(Remedy::back_off, "the answer does not say when its credentials expire");
    return found;
}

}  // namespace boatswain::store
