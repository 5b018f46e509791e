// What `boatswain why` shows of containers.
#include <algorithm>

#include "intake/docker/containers.h"
#include "intake/source/source_feed.h"

namespace boatswain::intake::docker {

std::string_view Containers::reader_name(Reader reader) {
    switch (reader) {
        case Reader::none: return "none";
        case Reader::json_file: return "json-file";
        case Reader::k8s_file: return "k8s-file";
        case Reader::logs: return "logs";
        case Reader::attach: return "attach";
        case Reader::driver: return "driver";
    }
    return "none";
}

const batch::Feed* Containers::feed_of(const Container& container) const {
    if (container.logs) return container.logs->open_feed();
    if (container.attach) return container.attach->open_feed();
    return pump_.feed(container.facts.id);
}

void Containers::describe_verdict(const Container& container, Description& description) const {
    using Action = tenancy::Decision::Action;
    description.reason = container.reason;
    description.lack = container.lack;
    switch (container.action) {
        case Action::hold: description.verdict = container.soon ? Verdict::deriving : Verdict::held; return;
        case Action::drop: description.verdict = Verdict::dropped; return;
        case Action::seal: description.verdict = Verdict::collected; break;
        case Action::quarantine: description.verdict = Verdict::quarantined; break;
    }
    bool refused = container.logs && container.logs->refused() && container.logs->trouble();
    if (container.reader != Reader::none && !refused) return;
    description.verdict = Verdict::unreadable;
    description.reason = refused ? container.logs->trouble()->what : container.why;
}

Description Containers::describe_one(const Container& container) const {
    const auto& facts = container.facts;
    Description told{.id = facts.id,
                     .name = container.name,
                     .former_names = container.former_names,
                     .image = facts.image,
                     .log_driver = facts.log_driver,
                     .created = facts.created,
                     .running = container.life && container.life->running,
                     .removed = container.life && container.life->removed,
                     .whose = container.whose,
                     .reader = std::string{reader_name(container.reader)},
                     .reader_reason = container.why};
    describe_verdict(container, told);
    if (const auto* reader = pump_.reader(facts.id)) {
        told.file = reader->standing();
        told.last_error = reader->trouble();
    }
    if (container.logs) {
        told.last_times = container.logs->taken();
        told.last_error = container.logs->trouble();
    }
    if (container.attach) told.last_error = container.attach->trouble();

    if (container.reader == Reader::driver && read_policy_.elsewhere.describe) {
        read_policy_.elsewhere.describe(told);
        return told;
    }
    const auto* feed = feed_of(container);
    if (!feed) return told;
    describe_feed(*feed, batcher_, spool_, container.lines_before.value_or(0), told);
    return told;
}

Description Containers::describe_skipped(const std::string& id, const Skipped& skipped) {
    return {.id = id,
            .name = skipped.name,
            .image = skipped.image,
            .log_driver = skipped.log_driver,
            .created = skipped.created,
            .running = skipped.running,
            .verdict = skipped.own ? Verdict::own : Verdict::excluded,
            .reason = skipped.reason};
}

Description Containers::describe_uninspected(const std::string& id, const LastError& trouble) {
    return {.id = id,
            .verdict = Verdict::not_inspected,
            .reason = "the engine did not say what it is",
            .last_error = trouble};
}

std::vector<Description> Containers::describe_all() const {
    std::vector<Description> all;
    for (const auto& [id, container] : containers_) all.push_back(describe_one(container));
    for (const auto& [id, skipped] : skipped_) all.push_back(describe_skipped(id, skipped));
    for (const auto& [id, trouble] : uninspected_) all.push_back(describe_uninspected(id, trouble));
    all.insert(all.end(), departed_.begin(), departed_.end());
    return all;
}

}  // namespace boatswain::intake::docker
