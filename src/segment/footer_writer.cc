#include "segment/footer_writer.h"

#include "base/log.h"
#include "segment/format.h"

namespace boatswain::segment {
namespace {

// JSON, written in the order of the calls.
class Json {
  public:
    void open(char bracket) {
        comma();
        text_ += bracket;
        first_ = true;
    }
    void close(char bracket) {
        text_ += bracket;
        first_ = false;
    }
    void name(std::string_view name) {
        comma();
        text_ += '"';
        text_ += name;
        text_ += "\":";
        first_ = true;  // the value follows without a comma
    }
    void field(std::string_view its_name, std::string_view value) {
        name(its_name);
        text_ += json_quote(value);
        first_ = false;
    }
    // JSON that was written elsewhere.
    void value(std::string_view json) {
        text_ += json;
        first_ = false;
    }
    void field(std::string_view its_name, std::uint64_t value) {
        name(its_name);
        text_ += std::to_string(value);
        first_ = false;
    }
    void field_unless_empty(std::string_view its_name, std::string_view value) {
        if (!value.empty()) field(its_name, value);
    }
    std::string take() { return std::move(text_); }

  private:
    void comma() {
        if (!first_) text_ += ',';
    }
    std::string text_;
    bool first_ = true;
};

void write_source(Json& json, const Source& source, const TenantId& tenant) {
    json.open('{');
    json.field("id", source.id);
    json.field_unless_empty("kind", source.kind);
    json.field_unless_empty("name", source.name);
    json.field_unless_empty("image", source.image);
    json.field_unless_empty("reader", source.reader);
    if (source.whose.tenant != tenant) json.field("tenant", source.whose.tenant.str());
    json.field_unless_empty("app", source.whose.app);
    json.field_unless_empty("component", source.whose.component);
    json.field_unless_empty("instance", source.whose.instance);
    json.field_unless_empty("tenant_rule", source.whose.tenant_rule);
    if (!source.labels.empty()) {
        json.name("labels");
        json.open('{');
        for (const auto& [label, value] : source.labels) {
            // A label's name is from outside and is quoted as a value is.
            auto quoted = json_quote(label);
            json.field(std::string_view{quoted}.substr(1, quoted.size() - 2), value);
        }
        json.close('}');
    }
    json.close('}');
}

void write_frame(Json& json, const Frame& frame, std::uint64_t offset) {
    json.open('{');
    json.field("source", std::uint64_t{frame.source});
    json.field("offset", offset);
    json.field("bytes", std::uint64_t{frame.compressed.size()});
    json.field("text_bytes", frame.text_bytes);
    json.field("first_ordinal", frame.first_ordinal);
    json.field("lines", frame.counts.lines);
    json.field("message_bytes", frame.counts.message_bytes);
    json.field("gaps", frame.counts.gaps);
    if (frame.counts.end) {
        json.name("end");
        json.value(end_json(*frame.counts.end));
    }
    if (!frame.counts.empty()) {
        json.field("first", to_text(frame.counts.first_time));
        json.field("last", to_text(frame.counts.last_time));
    }
    json.close('}');
}

void append_u32(std::string& out, std::uint64_t value) {
    for (int i = 0; i < 4; ++i) out += static_cast<char>((value >> (8 * i)) & 255);
}

}  // namespace

std::string footer_json(const SegmentParts& parts) {
    Json json;
    json.open('{');
    json.field("version", std::uint64_t{footer_version});
    json.field("tenant", parts.key.tenant.str());
    json.field("host", parts.key.host);
    json.field("epoch", parts.key.epoch);
    json.field("sequence", parts.key.sequence);
    json.field_unless_empty("previous_sha256", parts.previous_sha256);
    json.field("sealed_at", to_text(parts.sealed_at));
    json.name("sources");
    json.open('[');
    for (const auto& source : parts.sources) write_source(json, source, parts.key.tenant);
    json.close(']');
    json.name("frames");
    json.open('[');
    std::uint64_t offset = 0;
    for (const auto& frame : parts.frames) {
        write_frame(json, frame, offset);
        offset += frame.compressed.size();
    }
    json.close(']');
    json.name("blobs");
    json.open('[');
    json.close(']');
    json.close('}');
    return json.take();
}

Result<std::string> footer(const SegmentParts& parts, Compressor& compressor) {
    auto json = footer_json(parts);
    if (json.size() > footer_json_bytes_max)
        return fail(Remedy::stop, "the footer would have " + std::to_string(json.size()) + " bytes, at most " +
                                      std::to_string(footer_json_bytes_max) + " are allowed");
    auto compressed = compressor.compress(json);
    auto content = compressed.size() + trailer_bytes;  // and no blobs in this version
    std::string out;
    out.reserve(skippable_header_bytes + content);
    append_u32(out, skippable_magic);
    append_u32(out, content);
    out += compressed;
    append_u32(out, compressed.size());
    append_u32(out, content);
    out += footer_magic;
    return out;
}

}  // namespace boatswain::segment
