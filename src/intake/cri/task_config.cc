#include "intake/cri/task_config.h"

#include "base/json_reader.h"

namespace boatswain::intake::cri {

// containerd, pkg/cri/annotations (1.6, 1.7), internal/cri/annotations (2.x).
Result<std::optional<PodTask>> parse_task_config(std::string_view text, const WordFilter& filter) {
    constexpr std::string_view what = "a task's config.json";
    json::parser parser;
    TRY(auto root, json::parse_object(parser, text, what));
    auto annotations = json::object_of(root, "annotations");
    if (json::view_of(annotations, "io.kubernetes.cri.container-type") != "container") return std::optional<PodTask>{};
    auto pod = make_pod(json::view_of(annotations, "io.kubernetes.cri.sandbox-namespace"),
                        json::view_of(annotations, "io.kubernetes.cri.sandbox-name"),
                        json::view_of(annotations, "io.kubernetes.cri.sandbox-uid"));
    auto container = json::view_of(annotations, "io.kubernetes.cri.container-name");
    if (!pod || !is_container_name(container))
        return fail(Remedy::quarantine, std::string{what} + ": it names no container of a pod");
    SourceFacts kept;
    WordKeeper keeper{filter, kept};
    bool all = json::for_each(json::object_of(root, "process"), "env", variables_max, [&](const json::element& one) {
        if (auto variable = json::as_text(one)) keeper.environment(*variable);
    });
    if (!all) return fail(Remedy::quarantine, std::string{what} + ": more variables than are looked at");
    return std::optional{PodTask{
        .pod = std::move(*pod), .container = std::string{container}, .environment = std::move(kept.environment)}};
}

}  // namespace boatswain::intake::cri
