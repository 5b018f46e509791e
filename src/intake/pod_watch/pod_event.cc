#include "intake/pod_watch/pod_event.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/json_reader.h"
#include "base/text.h"
#include "tenancy/pod_words.h"

namespace boatswain::intake::cri {
namespace {

constexpr std::int64_t status_gone = 410;
// A static pod is known to its kubelet by another uid than to the API server, which says here which that is.
constexpr std::string_view mirror_annotation = "kubernetes.io/config.mirror";

// It goes into a request's query as it is.
bool is_version(std::string_view text) {
    return !text.empty() && text.size() <= version_bytes_max && std::ranges::all_of(text, is_letter_or_digit);
}

std::map<std::string, std::string> words_of(const std::optional<json::object>& metadata, const WordFilter& filter) {
    SourceFacts kept;
    WordKeeper keeper{filter, kept};
    std::string key;
    auto keep = [&](std::string_view prefix, std::string_view list) {
        json::for_each_text(metadata, list, [&](std::string_view name, std::string_view value) {
            if (name.size() > word_bytes_max) return;
            key.assign(prefix).append(name);
            keeper.label(key, value);
        });
    };
    keep(tenancy::pod_label_prefix, "labels");
    keep(tenancy::pod_annotation_prefix, "annotations");
    return std::move(kept.labels);
}

Result<PodEvent> of_status(const std::optional<json::object>& status) {
    if (json::integer_of(status, "code") == status_gone || json::view_of(status, "reason") == "Expired")
        return PodEvent{.is = PodEvent::Is::expired};
    return PodEvent{.is = PodEvent::Is::refused, .why = printable(json::view_of(status, "message"))};
}

}  // namespace

Result<PodEvent> parse_pod_event(std::string_view line, const WordFilter& filter) {
    constexpr std::string_view what = "an event of the API server";
    json::parser parser;
    TRY(auto event, json::parse_object(parser, line, what));
    auto type = json::view_of(event, "type");
    auto object = json::object_of(event, "object");
    if (type == "ERROR") return of_status(object);

    auto metadata = json::object_of(object, "metadata");
    PodEvent told{.version = json::text_of(metadata, "resourceVersion")};
    if (!is_version(told.version)) return fail(Remedy::quarantine, std::string{what} + ": no resourceVersion");
    if (type == "BOOKMARK") return told;
    bool there = type == "ADDED" || type == "MODIFIED";
    if (!there && type != "DELETED")
        return fail(Remedy::quarantine, std::string{what} + ": unknown type " + printable(type, 40));
    told.is = there ? PodEvent::Is::there : PodEvent::Is::gone;
    auto mirrored = json::view_of(json::object_of(metadata, "annotations"), mirror_annotation);
    auto pod = make_pod(json::view_of(metadata, "namespace"), json::view_of(metadata, "name"),
                        mirrored.empty() ? json::view_of(metadata, "uid") : mirrored);
    if (!pod) return fail(Remedy::quarantine, std::string{what} + ": it names no pod");
    told.pod = std::move(*pod);
    if (there) told.attributes = words_of(metadata, filter);
    return told;
}

std::string status_message(std::string_view body) {
    json::parser parser;
    auto status = json::parse_object(parser, body, "a status");
    return status ? printable(json::view_of(*status, "message")) : std::string{};
}

}  // namespace boatswain::intake::cri
