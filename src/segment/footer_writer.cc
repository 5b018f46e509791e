#include "segment/footer_writer.h"

#include "base/json_writer.h"
#include "segment/format.h"

namespace boatswain::segment {
namespace {

void write_source(JsonWriter& json, const Source& source, const TenantId& tenant) {
    json.object()
        .member("id", source.id)
        .member_unless_empty("kind", source.kind)
        .member_unless_empty("name", source.name)
        .member_unless_empty("image", source.image)
        .member_unless_empty("reader", source.reader);
    if (source.whose.tenant != tenant) json.member("tenant", source.whose.tenant.str());
    json.member_unless_empty("app", source.whose.app)
        .member_unless_empty("component", source.whose.component)
        .member_unless_empty("instance", source.whose.instance)
        .member_unless_empty("tenant_rule", source.whose.tenant_rule);
    if (!source.labels.empty()) json.member("labels", source.labels);
    json.end();
}

void write_frame(JsonWriter& json, const Frame& frame, std::uint64_t offset) {
    json.object()
        .member("source", frame.source)
        .member("offset", offset)
        .member("bytes", frame.compressed.size())
        .member("text_bytes", frame.text_bytes)
        .member("first_ordinal", frame.first_ordinal)
        .member("lines", frame.counts.lines)
        .member("message_bytes", frame.counts.message_bytes)
        .member("gaps", frame.counts.gaps);
    if (frame.counts.end) json.raw_member("end", end_json(*frame.counts.end));
    if (!frame.counts.empty()) json.member("first", frame.counts.first_time).member("last", frame.counts.last_time);
    json.end();
}

void append_u32(std::string& out, std::uint64_t value) {
    for (int i = 0; i < 4; ++i) out += static_cast<char>((value >> (8 * i)) & 255);
}

}  // namespace

std::string footer_json(const SegmentParts& parts) {
    auto json = json_object();
    json.member("version", footer_version)
        .member("tenant", parts.key.tenant.str())
        .member("host", parts.key.host)
        .member("epoch", parts.key.epoch)
        .member("sequence", parts.key.sequence)
        .member_unless_empty("previous_sha256", parts.previous_sha256)
        .member("sealed_at", parts.sealed_at);
    json.array("sources");
    for (const auto& source : parts.sources) write_source(json, source, parts.key.tenant);
    json.end().array("frames");
    std::uint64_t offset = 0;
    for (const auto& frame : parts.frames) {
        write_frame(json, frame, offset);
        offset += frame.compressed.size();
    }
    json.end().array("blobs");
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
