// Whatever Marathon and Mesos say, reading it ends, what is read keeps its bounds, and a plan can be made of it.
#include <algorithm>

#include "fleet/hints.h"
#include "fleet/history_file.h"
#include "fleet/marathon_json.h"
#include "fleet/mesos_json.h"
#include "fleet/plan.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace boatswain;
    using namespace boatswain::fleet;
    std::string_view text{reinterpret_cast<const char*>(data), size};
    // One input, several answers: the app, the agents, the rest.
    auto first = text.substr(0, text.find('\n'));
    auto rest = text.substr(std::min(text.size(), first.size() + 1));
    auto second = rest.substr(0, rest.find('\n'));
    auto third = rest.substr(std::min(rest.size(), second.size() + 1));
    auto now = *parse_time("2026-11-23T10:00:00Z");

    Cluster cluster;
    if (auto app = parse_app(first)) cluster.marathon.app = std::move(*app);
    auto mesos = parse_agents(second);
    if (!mesos) mesos = parse_slaves(second);
    if (mesos) cluster.mesos = std::move(*mesos);
    (void)add_maintenance(cluster.mesos, third, third, now);
    std::string id = cluster.marathon.app ? cluster.marathon.app->id : "/a";
    if (auto deployments = parse_deployments(third, id)) cluster.marathon.deployments = std::move(*deployments);
    if (auto queue = parse_queue(third, id)) cluster.marathon.queue = std::move(*queue);
    (void)parse_info(third);
    (void)parse_blocking(third);
    (void)parse_message(third);
    (void)parse_master_region(third);
    History history;
    if (auto read = parse_history(third)) history = std::move(*read);
    auto plan = make_plan(cluster, history, {}, now);
    for (const auto& action : plan.actions) (void)describe(action);
    if (auto again = parse_history(history_text(plan.history)); !again || *again != plan.history) __builtin_trap();

    // Streams say the same wherever their bytes are cut.
    RecordReader whole_reader, cut_reader;
    EventNames whole_names, cut_names;
    std::string whole, cut;
    auto say_to = [](std::string& said) {
        return [&said](std::string_view one) { said.append(one.substr(0, 64)) += '|'; };
    };
    bool sane = whole_reader.take(text, say_to(whole));
    whole_names.take(text, say_to(whole));
    bool cut_sane = true;
    for (std::size_t i = 0; i < text.size() && cut_sane; ++i)
        cut_sane = cut_reader.take(text.substr(i, 1), say_to(cut));
    for (std::size_t i = 0; i < text.size(); ++i) cut_names.take(text.substr(i, 1), say_to(cut));
    if (sane != cut_sane || whole != cut) __builtin_trap();
    return 0;
}
