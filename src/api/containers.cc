// Who printed in a stretch of time, removed and restarted containers too: from footers alone.
#include <algorithm>
#include <map>
#include <tuple>

#include "api/answers.h"
#include "api/asking.h"
#include "api/routes.h"
#include "base/json_writer.h"
#include "logql/record.h"

namespace boatswain::api {
namespace {

struct Container {
    Source source;
    std::string labels;  // JSON
    Timestamp first = Timestamp::max(), last = Timestamp::min();
    std::uint64_t lines = 0, bytes = 0, gaps = 0;
    std::optional<End> end;
};

std::string to_json(const Container& container) {
    auto json = json_object();
    json.member("source", container.source.id)
        .member("app", container.source.whose.app)
        .member("component", container.source.whose.component)
        .member("instance", container.source.whose.instance)
        .member("container", container.source.name)
        .member("image", container.source.image)
        .raw_member("labels", container.labels)
        .member("first", container.first)
        .member("last", container.last)
        .member("lines", container.lines)
        .member("bytes", container.bytes)
        .member("gaps", container.gaps);
    if (container.end) {
        json.object("end").member("time", container.end->time).member("reason", container.end->reason);
        json.member_if_there("exit_code", container.end->exit_code);
    }
    return json.take();
}

}  // namespace

Result<http::Answer> containers(Asking& asking) {
    constexpr std::uint64_t container_bytes = 1'500;
    TRY(auto range, asking.range());
    TRY(auto filter, asking.selector_if_given());
    std::map<std::pair<std::string, std::string>, Container> all;  // by host and source
    TRY(auto tally, asking.each_frame(
                        range, filter,
                        [&](const query::Origin& origin, const open::FooterFrame& frame) -> Result<void> {
                            auto [at, is_new] = all.try_emplace({origin.segment.host, origin.source.id});
                            auto& container = at->second;
                            if (is_new) {
                                auto labels = json_object();
                                for (auto name : logql::origin_label_names())
                                    labels.member_unless_empty(name, logql::origin_label(origin, name));
                                container.labels = labels.take();
                                container.source = origin.source;
                                CHECK(asking.hold(container_bytes + container.labels.size(), "the containers"));
                            }
                            const auto& counts = frame.counts;
                            container.first = std::min(container.first, counts.first_time);
                            container.last = std::max(container.last, counts.last_time);
                            container.lines += counts.lines;
                            container.bytes += counts.message_bytes;
                            container.gaps += counts.gaps;
                            if (counts.end) container.end = counts.end;
                            return {};
                        }));
    std::vector<const Container*> sorted;
    for (const auto& [name, container] : all) sorted.push_back(&container);
    std::ranges::stable_sort(sorted, {}, [](const Container* c) {
        const auto& whose = c->source.whose;
        return std::tie(whose.app, whose.component, whose.instance, c->first);
    });
    auto data = json_array();
    for (const auto* container : sorted) data.raw(to_json(*container));
    return json_answer(success_json(data.take(), asking.met().warnings(tally)));
}

}  // namespace boatswain::api
