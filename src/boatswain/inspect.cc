// inspect: what a segment holds, without printing lines. Without a key: what anybody can see of it.
#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/file.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "boatswain/commands.h"
#include "boatswain/reading.h"
#include "open/age_header.h"
#include "open/chain.h"
#include "query/opened.h"
#include "segment/age_format.h"
#include "segment/object_key.h"

namespace boatswain::tool {

namespace {

// The object, wherever it lies.
struct Object {
    std::string name;
    std::uint64_t size = 0;
    std::optional<segment::ObjectKey> key;  // when the name is a segment's
    open::FetchRange fetch;
    // Whichever of the two `fetch` reads from.
    std::shared_ptr<MappedFile> file;
    std::shared_ptr<store::Store> store;
};

Result<Object> from_store(const Inspect& request, Console& console) {
    TRY(std::shared_ptr<store::Store> store, open_store(*request.store, console));
    if (auto problem = store::key_problem(request.object))
        return fail(Remedy::stop,
                    printable(request.object) + " is neither a file nor the name of an object: " + *problem);
    TRY(auto tail, store->read(request.object, store::Range{.length = 1, .suffix = true}));
    auto fetch = [store = store.get(), name = request.object](std::uint64_t first,
                                                              std::uint64_t length) -> Result<std::string> {
        TRY(auto range, store->read(name, store::Range{.first = first, .length = length}));
        if (range.bytes.size() != length) return fail(Remedy::quarantine, "the object ends early");
        return std::move(range.bytes);
    };
    return Object{.name = request.object,
                  .size = tail.object_size,
                  .key = segment::parse_object_key(request.object),
                  .fetch = fetch,
                  .store = store};
}

// A file that lies where a directory store put it still tells its key by its path.
std::optional<segment::ObjectKey> key_in_path(std::string_view path) {
    auto at = path.rfind("v1/tenant=");
    if (at == path.npos || (at > 0 && path[at - 1] != '/')) return std::nullopt;
    return segment::parse_object_key(path.substr(at));
}

Result<Object> from_file(const Inspect& request) {
    TRY(auto mapped, MappedFile::open(request.object));
    auto file = std::make_shared<MappedFile>(std::move(mapped));
    auto fetch = [bytes = file->bytes()](std::uint64_t first, std::uint64_t length) -> Result<std::string> {
        if (first > bytes.size() || length > bytes.size() - first)
            return fail(Remedy::quarantine, "the file ends early");
        return std::string{bytes.substr(first, length)};
    };
    return Object{.name = request.object,
                  .size = file->bytes().size(),
                  .key = key_in_path(request.object),
                  .fetch = fetch,
                  .file = file};
}

Result<Object> find(const Inspect& request, Console& console) {
    std::error_code trouble;
    bool is_file = std::filesystem::is_regular_file(request.object, trouble);
    if (is_file) return from_file(request);
    if (request.store) return from_store(request, console);
    return fail(
        Remedy::stop,
        printable(request.object) +
            ": there is no such file. For an object of a store, name the store: --store URL, or BOATSWAIN_STORE");
}

// What the age header tells anybody.
struct Outside {
    std::size_t recipients = 0;
    std::optional<segment::Chain> chain;
};

Result<Outside> read_outside(const Object& object) {
    TRY(auto head, object.fetch(0, std::min<std::uint64_t>(object.size, open::age_header_bytes_max)));
    auto not_one = [](std::string_view why) {
        return fail(Remedy::quarantine, "this is not a segment: " + std::string{why});
    };
    if (!head.starts_with(segment::age_version_line)) return not_one("it does not start as an age file does");
    auto header = open::parse_age_header(head);
    if (!header) return not_one(header.error().what);
    if (!*header) return not_one("its age header does not end");
    TRY(auto chain, open::chain_of(**header));
    auto recipients = (*header)->stanzas.size() - (chain ? 1 : 0);
    return Outside{.recipients = recipients, .chain = std::move(chain)};
}

std::string previous_text(const std::string& sha256) {
    return sha256.empty() ? "none: the first of its chain" : sha256;
}

struct Totals {
    std::uint64_t lines = 0, gaps = 0, compressed = 0, text = 0;
    Timestamp first = Timestamp::max(), last = Timestamp::min();
};

Totals total(const open::Footer& footer) {
    Totals totals;
    for (const auto& frame : footer.frames) {
        totals.lines += frame.counts.lines;
        totals.gaps += frame.counts.gaps;
        totals.compressed += frame.compressed_bytes;
        totals.text += frame.text_bytes;
        totals.first = std::min(totals.first, frame.counts.first_time);
        totals.last = std::max(totals.last, frame.counts.last_time);
    }
    return totals;
}

void field(Console& console, std::string_view name, std::string_view value) {
    console.out.write(fmt::format("{:<11} {}\n", name, printable(value, 1200)));
}

void print_public(const Object& object, const Outside& outside, Console& console) {
    field(console, "object", object.name);
    field(console, "size", fmt::format("{} ({} bytes)", human_size(object.size), object.size));
    field(console, "recipients", std::to_string(outside.recipients));
    if (outside.chain) field(console, "previous", previous_text(outside.chain->previous_sha256));
    if (!object.key) return;
    field(console, "tenant", object.key->tenant.str());
    field(console, "hour", hour_text(object.key->hour) + (object.key->spanning ? " and long after" : ""));
    field(console, "host", object.key->host);
    field(console, "epoch", object.key->epoch);
    field(console, "sequence", std::to_string(object.key->sequence));
    if (!object.key->hash.empty()) field(console, "key", "of the second form: the first was taken when it was put");
}

void print_footer(const open::Footer& footer, bool key_known, bool previous_known, Console& console) {
    if (!key_known) {
        field(console, "tenant", footer.tenant);
        field(console, "host", footer.host);
        field(console, "epoch", footer.epoch);
        field(console, "sequence", std::to_string(footer.sequence));
    }
    auto totals = total(footer);
    field(console, "sealed", to_text(footer.sealed_at));
    if (!previous_known) field(console, "previous", previous_text(footer.previous_sha256));
    field(console, "holds",
          fmt::format("{} and {} in {}, of {}", counted(totals.lines, "line"), counted(totals.gaps, "gap"),
                      counted(footer.frames.size(), "frame"), counted(footer.sources.size(), "source")));
    field(console, "text", fmt::format("{}, compressed {}", human_size(totals.text), human_size(totals.compressed)));
    if (!footer.frames.empty()) field(console, "times", to_text(totals.first) + " to " + to_text(totals.last));

    console.out.write("\n");
    Table sources{{">SOURCE", "APP", "COMPONENT", "INSTANCE", "NAME", "IMAGE", "READER", "TENANT BY", "ID"}};
    for (std::size_t i = 0; i < footer.sources.size(); ++i) {
        const auto& source = footer.sources[i];
        sources.add({std::to_string(i), source.whose.app, source.whose.component, source.whose.instance, source.name,
                     source.image, source.reader, source.whose.tenant_rule, source.id});
    }
    sources.print(console.out);
    console.out.write("\n");
    Table frames{
        {">FRAME", ">SOURCE", ">OFFSET", ">COMPRESSED", ">TEXT", ">LINES", ">GAPS", ">FIRST LINE", "FIRST", "LAST"}};
    for (std::size_t i = 0; i < footer.frames.size(); ++i) {
        const auto& frame = footer.frames[i];
        frames.add({std::to_string(i), std::to_string(frame.source), std::to_string(frame.offset),
                    std::to_string(frame.compressed_bytes), std::to_string(frame.text_bytes),
                    std::to_string(frame.counts.lines), std::to_string(frame.counts.gaps),
                    std::to_string(frame.first_ordinal), to_text(frame.counts.first_time),
                    to_text(frame.counts.last_time)});
    }
    frames.print(console.out);
}

void write_source(JsonWriter& json, const Source& source) {
    json.object()
        .member("id", source.id)
        .member("kind", source.kind)
        .member("name", source.name)
        .member("image", source.image)
        .member("reader", source.reader)
        .member("tenant", source.whose.tenant.str())
        .member("app", source.whose.app)
        .member("component", source.whose.component)
        .member("instance", source.whose.instance)
        .member("tenant_rule", source.whose.tenant_rule)
        .member("labels", source.labels)
        .end();
}

void write_frame(JsonWriter& json, const open::FooterFrame& frame) {
    json.object()
        .member("source", frame.source)
        .member("offset", frame.offset)
        .member("compressed_bytes", frame.compressed_bytes)
        .member("text_bytes", frame.text_bytes)
        .member("first_ordinal", frame.first_ordinal)
        .member("lines", frame.counts.lines)
        .member("message_bytes", frame.counts.message_bytes)
        .member("gaps", frame.counts.gaps)
        .member("first", frame.counts.first_time)
        .member("last", frame.counts.last_time)
        .end();
}

void write_footer(JsonWriter& json, const open::Footer& footer) {
    json.object("footer")
        .member("version", footer.version)
        .member("tenant", footer.tenant)
        .member("host", footer.host)
        .member("epoch", footer.epoch)
        .member("sequence", footer.sequence)
        .member("previous_sha256", footer.previous_sha256)
        .member("sealed_at", footer.sealed_at);
    json.array("sources");
    for (const auto& source : footer.sources) write_source(json, source);
    json.end().array("frames");
    for (const auto& frame : footer.frames) write_frame(json, frame);
    json.end().end();
}

void print_json(const Object& object, const Outside& outside, const open::Footer* footer, Console& console) {
    auto json = json_object();
    json.member("object", object.name).member("bytes", object.size).member("recipients", outside.recipients);
    if (outside.chain) json.member("previous_sha256", outside.chain->previous_sha256);
    if (const auto& key = object.key)
        json.object("key")
            .member("tenant", key->tenant.str())
            .member("hour", hour_text(key->hour))
            .member("spanning", key->spanning)
            .member("host", key->host)
            .member("epoch", key->epoch)
            .member("sequence", key->sequence)
            .end();
    if (footer != nullptr) write_footer(json, *footer);
    console.out.write(json.take_line());
}

Result<void> inspect(const Inspect& request, Console& console) {
    TRY(auto identities, read_identities(request.identities, console));
    TRY(auto object, find(request, console));
    auto named = [&](Error error) { return std::unexpected(std::move(error).within(printable(object.name, 1200))); };
    auto outside = read_outside(object);
    if (!outside) return named(outside.error());
    if (!request.json) print_public(object, *outside, console);
    if (identities.empty()) {
        if (request.json) print_json(object, *outside, nullptr, console);
        return {};
    }
    // Of this one object no frame is read, and somebody wants to know what it is: no bounds but the format's.
    auto reader = open::SegmentReader::open(object.size, object.fetch, identities, open::Bounds::of_the_format());
    if (!reader) return named(reader.error());
    if (request.json)
        print_json(object, *outside, &reader->footer(), console);
    else
        print_footer(reader->footer(), object.key.has_value(), outside->chain.has_value(), console);
    if (!object.key) return {};
    auto agrees = query::check_against_key(reader->footer(), *object.key);
    return agrees ? agrees : named(agrees.error());
}

}  // namespace

int run(const Inspect& request, Console& console) {
    auto inspected = inspect(request, console);
    return inspected ? exit_ok : failed(console, inspected.error());
}

}  // namespace boatswain::tool
