// Whatever a server sends, in whatever pieces: the same lines, and events within their bounds.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "intake/pod_watch/known_pods.h"
#include "intake/pod_watch/watch_lines.h"

namespace {

using namespace boatswain;
using namespace boatswain::intake::cri;

void require(bool holds) {
    if (!holds) std::abort();
}

std::vector<std::string> lines_of(std::string_view bytes, std::size_t piece) {
    std::vector<std::string> lines;
    WatchLines split;
    while (!bytes.empty()) {
        split.take(bytes.substr(0, piece), [&](std::string line) { lines.push_back(std::move(line)); });
        bytes.remove_prefix(std::min(piece, bytes.size()));
    }
    return lines;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    auto piece = std::size_t{data[0]} + 1;
    std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
    auto lines = lines_of(bytes, piece);
    require(lines == lines_of(bytes, bytes.size() + 1));
    WordFilter filter{
        .label = [](std::string_view key) { return key == "pod-label:team" || key == "pod-annotation:a"; },
        .more_labels = [](std::string_view key) { return key.starts_with("pod-label:t"); }};
    KnownPods known;
    for (const auto& line : lines) {
        require(!line.empty() && !line.contains('\n'));
        auto event = parse_pod_event(line, filter);
        if (!event) {
            require(event.error().remedy == Remedy::quarantine && !event.error().what.empty());
            continue;
        }
        require(event->version.size() <= version_bytes_max && is_valid_utf8(event->why));
        std::size_t words = 0;
        for (const auto& [key, value] : event->attributes) {
            require(key.starts_with("pod-label:t") || key == "pod-annotation:a");
            words += key.size() + value.size();
        }
        require(words <= more_bytes_max + 2 * word_bytes_max);
        auto pod = event->pod;
        bool there = event->is == PodEvent::Is::there;
        if (there) require(make_pod(pod.space, pod.name, pod.uid).has_value());
        known.take(std::move(*event));
        if (there) require(known.find(pod) != nullptr);
    }
    known.begin_again();
    known.forget([](const Pod&) { return false; }, true);
    require(known.size() == 0 && known.bytes() == 0);
    (void)status_message(bytes);
    return 0;
}
