#include "store/xml.h"

#include <charconv>
#include <cstdint>
#include <vector>

namespace boatswain::store {
namespace {

std::unexpected<Error> malformed(std::string_view why) {
    return fail(Remedy::quarantine, "malformed XML: " + std::string{why});
}

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

void append_utf8(std::string& out, std::uint32_t code) {
    auto add = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
    if (code < 0x80) return add(code);
    if (code < 0x800) return add(0xC0 | code >> 6), add(0x80 | (code & 63));
    if (code < 0x10000) return add(0xE0 | code >> 12), add(0x80 | (code >> 6 & 63)), add(0x80 | (code & 63));
    add(0xF0 | code >> 18), add(0x80 | (code >> 12 & 63)), add(0x80 | (code >> 6 & 63)), add(0x80 | (code & 63));
}

// `name` is what stands between '&' and ';'.
bool append_entity(std::string& out, std::string_view name) {
    if (name == "amp") return out += '&', true;
    if (name == "lt") return out += '<', true;
    if (name == "gt") return out += '>', true;
    if (name == "quot") return out += '"', true;
    if (name == "apos") return out += '\'', true;
    if (!name.starts_with('#')) return false;
    bool hex = name.starts_with("#x") || name.starts_with("#X");
    name.remove_prefix(hex ? 2 : 1);
    std::uint32_t code = 0;
    auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), code, hex ? 16 : 10);
    bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    if (error != std::errc{} || end != name.data() + name.size() || code == 0 || code > 0x10FFFF || surrogate)
        return false;
    append_utf8(out, code);
    return true;
}

constexpr std::size_t entity_bytes_max = 12;

bool append_text(std::string& out, std::string_view raw) {
    for (std::size_t at = 0; at < raw.size(); ++at) {
        if (raw[at] != '&') {
            out += raw[at];
            continue;
        }
        auto end = raw.find(';', at);
        if (end == std::string_view::npos || end - at > entity_bytes_max) return false;
        if (!append_entity(out, raw.substr(at + 1, end - at - 1))) return false;
        at = end;
    }
    return true;
}

class Reader {
  public:
    Reader(std::string_view document, const XmlVisitor& visitor) : rest_(document), visitor_(visitor) {}

    Result<void> read() {
        if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);
        while (!rest_.empty()) CHECK(rest_.front() == '<' ? read_markup() : read_text());
        if (!open_.empty()) return malformed("an element does not end");
        if (!had_root_) return malformed("no element");
        return {};
    }

  private:
    struct Open {
        std::size_t path_size;  // of path_ before this element
        std::string text;
    };

    Result<void> read_text() {
        auto text = rest_.substr(0, rest_.find('<'));
        rest_.remove_prefix(text.size());
        if (open_.empty()) {
            for (char c : text)
                if (!is_blank(c)) return malformed("text outside the root element");
            return {};
        }
        if (!append_text(open_.back().text, text)) return malformed("an unknown entity");
        return {};
    }

    Result<void> read_markup() {
        if (rest_.starts_with("<?")) return skip_past("?>");
        if (rest_.starts_with("<!--")) return skip_past("-->");
        if (rest_.starts_with("<![CDATA[")) return read_cdata();
        if (rest_.starts_with("<!")) return malformed("a document type is not accepted");
        if (rest_.starts_with("</")) return read_end_tag();
        return read_start_tag();
    }

    Result<void> skip_past(std::string_view end) {
        auto at = rest_.find(end, 2);
        if (at == std::string_view::npos) return malformed("cut off");
        rest_.remove_prefix(at + end.size());
        return {};
    }

    Result<void> read_cdata() {
        constexpr std::string_view start = "<![CDATA[", end = "]]>";
        auto at = rest_.find(end);
        if (at == std::string_view::npos) return malformed("cut off");
        if (open_.empty()) return malformed("text outside the root element");
        open_.back().text += rest_.substr(start.size(), at - start.size());
        rest_.remove_prefix(at + end.size());
        return {};
    }

    // The end of the tag that starts at rest_, past quoted attribute values, which may hold '>'.
    std::size_t tag_size() const {
        char quote = 0;
        for (std::size_t at = 1; at < rest_.size(); ++at) {
            char c = rest_[at];
            if (quote != 0)
                quote = c == quote ? '\0' : quote;
            else if (c == '"' || c == '\'')
                quote = c;
            else if (c == '<')
                return 0;
            else if (c == '>')
                return at + 1;
        }
        return 0;
    }

    static std::string_view name_in(std::string_view tag) {
        std::size_t size = 0;
        while (size < tag.size() && !is_blank(tag[size]) && tag[size] != '/' && tag[size] != '>') ++size;
        return tag.substr(0, size);
    }

    Result<void> read_start_tag() {
        auto size = tag_size();
        if (size == 0) return malformed("a tag does not end");
        auto tag = rest_.substr(0, size);
        auto name = name_in(tag.substr(1));
        if (name.empty()) return malformed("a tag without a name");
        if (open_.empty() && std::exchange(had_root_, true)) return malformed("more than one root element");
        if (open_.size() >= xml_depth_max)
            return malformed("nested deeper than " + std::to_string(xml_depth_max) + " levels");
        open_.push_back({path_.size(), {}});
        if (!path_.empty()) path_ += '/';
        path_ += name;
        rest_.remove_prefix(size);
        if (visitor_.open) visitor_.open(path_);
        if (tag.ends_with("/>")) close();
        return {};
    }

    Result<void> read_end_tag() {
        auto size = tag_size();
        if (size == 0) return malformed("a tag does not end");
        auto name = name_in(rest_.substr(2, size - 2));
        if (open_.empty()) return malformed("an end without a start");
        auto own = std::string_view{path_}.substr(open_.back().path_size + (open_.back().path_size == 0 ? 0 : 1));
        if (name != own) return malformed("an end that does not match its start");
        rest_.remove_prefix(size);
        close();
        return {};
    }

    void close() {
        if (visitor_.close) visitor_.close(path_, open_.back().text);
        path_.resize(open_.back().path_size);
        open_.pop_back();
    }

    std::string_view rest_;
    const XmlVisitor& visitor_;
    std::string path_;
    std::vector<Open> open_;
    bool had_root_ = false;
};

}  // namespace

Result<void> read_xml(std::string_view document, const XmlVisitor& visitor) { return Reader{document, visitor}.read(); }

}  // namespace boatswain::store
