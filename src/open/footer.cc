#include "open/footer.h"

#include <simdjson.h>

#include <algorithm>
#include <mutex>

#include "base/bytes.h"
#include "segment/chain.h"
#include "segment/format.h"

namespace boatswain::open {
namespace {

using namespace segment;
namespace dom = simdjson::dom;

constexpr std::size_t source_id_bytes_max = 256;
constexpr std::size_t source_labels_max = 4'096;
constexpr std::size_t labels_max = 65'536;  // of all sources
constexpr std::string_view read_it_all_the_same = "; --oversized reads it all the same";

std::unexpected<Error> refuse(std::string why) { return fail(Remedy::quarantine, "footer: " + std::move(why)); }

// A JSON object whose fields are read by name and type. The first thing that is wrong is kept; later reads do nothing.
class Fields {
  public:
    Fields(const dom::element& element, std::string where) : where_(std::move(where)) {
        if (element.get(object_) != simdjson::SUCCESS) complain("", "is not an object");
    }

    std::string text(const char* name) { return std::string{read<std::string_view>(name, true)}; }
    std::string text_or_empty(const char* name) { return std::string{read<std::string_view>(name, false)}; }
    std::uint64_t number(const char* name) { return read<std::uint64_t>(name, true); }
    Timestamp time(const char* name) { return as_time(name, read<std::string_view>(name, true)); }
    Timestamp time_or_zero(const char* name) {
        auto text = read<std::string_view>(name, false);
        return text.empty() ? Timestamp{} : as_time(name, text);
    }
    std::optional<std::uint64_t> number_if_there(const char* name) { return find<std::uint64_t>(name, false); }
    std::optional<int> exit_code(const char* name) {
        auto number = find<std::int64_t>(name, false);
        if (number && *number != static_cast<int>(*number)) complain(name, "is no exit code");
        return number.transform([](std::int64_t value) { return static_cast<int>(value); });
    }
    std::optional<dom::element> element_if_there(const char* name) {
        dom::element element;
        if (wrong_ || object_.at_key(name).get(element) != simdjson::SUCCESS) return std::nullopt;
        return element;
    }
    dom::array array(const char* name) { return read<dom::array>(name, true); }
    std::map<std::string, std::string> texts_or_empty(const char* name) {
        std::map<std::string, std::string> texts;
        auto object = find<dom::object>(name, false);
        if (!object) return texts;
        for (auto [key, value] : *object) {
            std::string_view text;
            if (value.get(text) != simdjson::SUCCESS) complain(name, "holds something that is not a string");
            if (texts.size() == source_labels_max) complain(name, "has more entries than allowed");
            if (wrong_) break;
            texts.emplace(key, text);
        }
        return texts;
    }
    void complain(std::string_view name, std::string_view what) {
        if (!wrong_)
            wrong_ = where_ + (where_.empty() || name.empty() ? "" : ".") + std::string{name} + " " + std::string{what};
    }
    Result<void> check() const {
        if (wrong_) return refuse(*wrong_);
        return {};
    }

  private:
    template <class T>
    std::optional<T> find(const char* name, bool required) {
        if (wrong_) return std::nullopt;
        auto field = object_.at_key(name);
        T value{};
        if (field.error() == simdjson::NO_SUCH_FIELD) {
            if (required) complain(name, "is missing");
            return std::nullopt;
        }
        if (field.get(value) == simdjson::SUCCESS) return value;
        complain(name, "is of another type");
        return std::nullopt;
    }
    template <class T>
    T read(const char* name, bool required) {
        return find<T>(name, required).value_or(T{});
    }
    Timestamp as_time(const char* name, std::string_view text) {
        auto time = parse_time(text);
        if (!time || to_text(*time) != text)
            complain(name, "is not a time");  // parse_time reads more than the one form
        return time.value_or(Timestamp{});
    }

    std::string where_;
    dom::object object_;
    std::optional<std::string> wrong_;
};

Result<TenantId> parse_tenant(std::string_view name) {
    auto tenant = TenantId::parse_any(name);
    if (!tenant) return refuse(tenant.error().what);
    return tenant;
}

Result<Source> parse_source(const dom::element& element, const std::string& where, const TenantId& tenant) {
    Fields fields{element, where};
    Source source{.id = fields.text("id"),
                  .kind = fields.text_or_empty("kind"),
                  .name = fields.text_or_empty("name"),
                  .image = fields.text_or_empty("image"),
                  .reader = fields.text_or_empty("reader"),
                  .whose = {.tenant = tenant,
                            .app = fields.text_or_empty("app"),
                            .component = fields.text_or_empty("component"),
                            .instance = fields.text_or_empty("instance"),
                            .tenant_rule = fields.text_or_empty("tenant_rule")},
                  .labels = fields.texts_or_empty("labels")};
    auto whose = fields.text_or_empty("tenant");
    if (source.id.size() > source_id_bytes_max) fields.complain("id", "is longer than allowed");
    CHECK(fields.check());
    if (!whose.empty()) {
        TRY(source.whose.tenant, parse_tenant(whose));
        if (source.whose.tenant != tenant && tenant != TenantId::unassigned())
            return refuse(where + " is of another tenant");
    }
    return source;
}

Result<End> parse_end(const dom::element& element, const std::string& where) {
    Fields fields{element, where};
    End end{.time = fields.time("time"),
            .reason = fields.text("reason"),
            .exit_code = fields.exit_code("exit_code"),
            .lines = fields.number("lines"),
            .bytes = fields.number_if_there("bytes")};
    CHECK(fields.check());
    return end;
}

// No compressor needs more for so much text; whoever says so wants it fetched and held.
constexpr std::uint64_t compressed_bytes_max(std::uint64_t text_bytes) {
    constexpr std::uint64_t slack = 64U << 10;
    return text_bytes + text_bytes / 8 + slack;
}

Result<FooterFrame> parse_frame(const dom::element& element, const std::string& where, std::size_t sources) {
    Fields fields{element, where};
    FooterFrame frame{.source = fields.number("source"),
                      .offset = fields.number("offset"),
                      .compressed_bytes = fields.number("bytes"),
                      .text_bytes = fields.number("text_bytes"),
                      .first_ordinal = fields.number("first_ordinal"),
                      .counts = {.lines = fields.number("lines"),
                                 .message_bytes = fields.number("message_bytes"),
                                 .gaps = fields.number("gaps"),
                                 .first_time = fields.time_or_zero("first"),
                                 .last_time = fields.time_or_zero("last")}};
    CHECK(fields.check());
    if (auto end = fields.element_if_there("end")) {
        TRY(frame.counts.end, parse_end(*end, where + ".end"));
    }
    if (frame.source >= sources) return refuse(where + " is of a source that is not there");
    if (frame.text_bytes > frame_text_bytes_max) return refuse(where + " is longer than allowed");
    if (frame.compressed_bytes > compressed_bytes_max(frame.text_bytes))
        return refuse(where + " is longer than its text");
    return frame;
}

Result<FooterBlob> parse_blob(const dom::element& element, const std::string& where) {
    Fields fields{element, where};
    FooterBlob blob{.name = fields.text("name"), .offset = fields.number("offset"), .bytes = fields.number("bytes")};
    CHECK(fields.check());
    return blob;
}

template <class T, class Parse>
Result<void> parse_array(dom::array array, std::string_view name, std::size_t count_max, std::vector<T>& into,
                         Parse parse) {
    for (auto element : array) {
        if (into.size() == count_max) return refuse("more than " + std::to_string(count_max) + " " + std::string{name});
        TRY(auto value, parse(element, std::string{name} + "[" + std::to_string(into.size()) + "]"));
        into.push_back(std::move(value));
    }
    return {};
}

std::uint64_t read_u32(std::string_view bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = 4; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
    return value;
}

// Where the parts of the footer lie in the plaintext.
struct Place {
    std::uint64_t start = 0;  // of the skippable frame
    std::uint64_t blobs = 0;
    std::uint64_t json = 0;
    std::uint64_t trailer = 0;
};

Result<Place> find(std::uint64_t plaintext_bytes, const ReadPlaintext& read) {
    if (plaintext_bytes < skippable_header_bytes + trailer_bytes) return refuse("the object is too short to hold one");
    Place place{.trailer = plaintext_bytes - trailer_bytes};
    TRY(auto trailer, read(place.trailer, trailer_bytes));
    if (!trailer.ends_with(footer_magic))
        return refuse("the object does not end with one: it is not a segment, or of another version");
    auto json_bytes = read_u32(trailer), content_bytes = read_u32(std::string_view{trailer}.substr(4));
    if (content_bytes > plaintext_bytes - skippable_header_bytes || json_bytes + trailer_bytes > content_bytes)
        return refuse("its lengths do not fit in the object");
    place.start = plaintext_bytes - content_bytes - skippable_header_bytes;
    place.blobs = place.start + skippable_header_bytes;
    place.json = place.trailer - json_bytes;
    TRY(auto header, read(place.start, skippable_header_bytes));
    if (read_u32(header) != skippable_magic || read_u32(std::string_view{header}.substr(4)) != content_bytes)
        return refuse("its start does not fit its end");
    return place;
}

// Where the last frame ends.
Result<std::uint64_t> end_of_frames(const Footer& footer, std::uint64_t end_max) {
    std::uint64_t next = 0;
    for (const auto& frame : footer.frames) {
        if (frame.offset != next || frame.compressed_bytes == 0 || frame.compressed_bytes > end_max - next)
            return refuse("frames do not lie one after another");
        next += frame.compressed_bytes;
    }
    return next;
}

// Frames fill the plaintext up to the footer without a hole; blobs lie in their place.
Result<void> check_places(const Footer& footer, const Place& place) {
    TRY(auto end, end_of_frames(footer, place.start));
    if (end != place.start) return refuse("frames do not end where the footer starts");
    auto next = place.blobs;
    for (const auto& blob : footer.blobs) {
        if (blob.offset < next || blob.offset > place.json || blob.bytes > place.json - blob.offset)
            return refuse("a blob lies outside its place");
        next = blob.offset + blob.bytes;
    }
    return {};
}

}  // namespace

Result<Footer> parse_footer(std::string_view json) {
    if (json.size() > footer_json_bytes_max) return refuse("longer than allowed");
    dom::parser parser;
    dom::element root;
    if (auto error = parser.parse(json.data(), json.size()).get(root); error != simdjson::SUCCESS)
        return refuse(std::string{"not JSON: "} + simdjson::error_message(error));

    Fields fields{root, ""};
    auto version = fields.number("version");
    CHECK(fields.check());
    if (version == 0 || version > static_cast<std::uint64_t>(footer_version))
        return refuse("version " + std::to_string(version) + ", this reader knows " + std::to_string(footer_version));
    Footer footer{.version = static_cast<int>(version),
                  .tenant = fields.text("tenant"),
                  .host = fields.text("host"),
                  .epoch = fields.text("epoch"),
                  .sequence = fields.number("sequence"),
                  .previous_sha256 = fields.text_or_empty("previous_sha256"),
                  .sealed_at = fields.time("sealed_at")};
    auto sources = fields.array("sources"), frames = fields.array("frames");
    auto blobs = fields.array("blobs");
    CHECK(fields.check());
    TRY(auto tenant, parse_tenant(footer.tenant));
    if (footer.sequence == 0 || footer.sequence > sequence_max) return refuse("its sequence number is out of range");
    if (!footer.previous_sha256.empty() && !is_sha256_hex(footer.previous_sha256))
        return refuse("previous_sha256 is not one");
    std::size_t labels = 0;
    CHECK(parse_array(sources, "sources", sources_max, footer.sources,
                      [&](const dom::element& element, const std::string& where) -> Result<Source> {
                          TRY(auto source, parse_source(element, where, tenant));
                          labels += source.labels.size();
                          if (labels > labels_max) return refuse("more than " + std::to_string(labels_max) + " labels");
                          return source;
                      }));
    CHECK(parse_array(frames, "frames", frames_max, footer.frames,
                      [&](const dom::element& element, const std::string& where) {
                          return parse_frame(element, where, footer.sources.size());
                      }));
    CHECK(parse_array(blobs, "blobs", blobs_max, footer.blobs, parse_blob));
    return footer;
}

namespace {

struct PlacedJson {
    std::string json;
    Place place;
};

Result<PlacedJson> read_json(std::uint64_t plaintext_bytes, const ReadPlaintext& read, Decompressor& decompressor,
                             const Bounds& bounds) {
    TRY(auto place, find(plaintext_bytes, read));
    auto json_bytes = place.trailer - place.json;
    // Incompressible JSON grows a little; anything beyond that is no honest footer.
    if (json_bytes > footer_json_bytes_max + footer_json_bytes_max / 128) return refuse("longer than allowed");
    auto too_long = [&](std::uint64_t bytes) {
        return refuse("it says that it holds " + std::to_string(bytes) + " bytes, and at most " +
                      std::to_string(bounds.footer_json_bytes_max) + " are believed" +
                      std::string{read_it_all_the_same});
    };
    if (json_bytes > bounds.footer_json_bytes_max + bounds.footer_json_bytes_max / 128) return too_long(json_bytes);
    TRY(auto compressed, read(place.json, json_bytes));
    if (auto content = content_bytes(compressed);
        content && *content > bounds.footer_json_bytes_max && *content <= footer_json_bytes_max)
        return too_long(*content);
    auto json = decompressor.decompress(compressed, footer_json_bytes_max);
    if (!json) return std::unexpected(std::move(json).error().within("footer"));
    return PlacedJson{std::move(*json), place};
}

}  // namespace

Result<Footer> read_footer(std::uint64_t plaintext_bytes, const ReadPlaintext& read, Decompressor& decompressor,
                           const Bounds& bounds) {
    TRY(auto found, read_json(plaintext_bytes, read, decompressor, bounds));
    std::unique_lock<std::mutex> alone;
    if (bounds.large_footers != nullptr && found.json.size() > large_footer_json_bytes)
        alone = std::unique_lock{*bounds.large_footers};
    TRY(auto footer, parse_footer(found.json));
    CHECK(check_places(footer, found.place));
    return footer;
}

Result<std::string> read_footer_json(std::uint64_t plaintext_bytes, const ReadPlaintext& read,
                                     Decompressor& decompressor, const Bounds& bounds) {
    TRY(auto found, read_json(plaintext_bytes, read, decompressor, bounds));
    return std::move(found.json);
}

Result<void> check_frames(const Footer& footer, std::uint64_t plaintext_bytes) {
    CHECK(end_of_frames(footer, plaintext_bytes));
    return {};
}

Result<void> check_bounds(const Footer& footer, std::uint64_t object_bytes, const Bounds& bounds) {
    std::uint64_t text = 0, allowed = 0;
    for (const auto& frame : footer.frames) text += frame.text_bytes;  // 65,536 times 64 MiB: cannot overflow
    if (__builtin_mul_overflow(object_bytes, bounds.text_ratio_max, &allowed)) allowed = bounds.text_bytes_max;
    allowed = std::min(std::max(allowed, bounds.text_bytes_small), bounds.text_bytes_max);
    if (text <= allowed) return {};
    return refuse("it says that its " + std::to_string(object_bytes) + " bytes hold " + std::to_string(text) +
                  " bytes of text, and at most " + std::to_string(allowed) + " are believed" +
                  std::string{read_it_all_the_same});
}

std::uint64_t memory_of(const Footer& footer) {
    constexpr std::uint64_t map_node_bytes = 48;
    auto text = [](const std::string& one) { return one.capacity() + 16; };
    std::uint64_t bytes = sizeof(Footer) + footer.frames.capacity() * sizeof(FooterFrame) +
                          footer.blobs.capacity() * sizeof(FooterBlob) + footer.sources.capacity() * sizeof(Source);
    for (const auto& source : footer.sources) {
        bytes += text(source.id) + text(source.kind) + text(source.name) + text(source.image) + text(source.reader) +
                 text(source.whose.tenant.str()) + text(source.whose.app) + text(source.whose.component) +
                 text(source.whose.instance) + text(source.whose.tenant_rule);
        for (const auto& [name, value] : source.labels)
            bytes += map_node_bytes + 2 * sizeof(std::string) + text(name) + text(value);
    }
    for (const auto& blob : footer.blobs) bytes += text(blob.name);
    for (const auto& frame : footer.frames)
        if (frame.counts.end) bytes += text(frame.counts.end->reason);
    return bytes;
}

}  // namespace boatswain::open
