#include "tenancy/forgery.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace boatswain::tenancy {
namespace {

constexpr std::string_view task_key = "MESOS_TASK_ID";
constexpr std::string_view app_key = "MARATHON_APP_ID";

// What Mesos itself sets for executors of frameworks' own (M/src/slave/slave.cpp executorEnvironment), and the part of
// the path that each repeats.
struct Repeated {
    std::string_view key;
    std::string MesosSandbox::* part;
};
constexpr std::array<Repeated, 3> repeated{{{"MESOS_EXECUTOR_ID", &MesosSandbox::executor},
                                            {"MESOS_FRAMEWORK_ID", &MesosSandbox::framework},
                                            {"MESOS_SLAVE_ID", &MesosSandbox::agent}}};

// With an executor of its own, Marathon puts this before the task's id to make the executor's.
constexpr std::string_view executor_prefix = "marathon-";

std::string_view without(std::string_view text, std::string_view prefix) {
    return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
}

bool starts_with_uuid(std::string_view text) {
    constexpr std::string_view form = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    if (text.size() < form.size()) return false;
    return std::ranges::equal(text.substr(0, form.size()), form, [](char c, char wanted) {
        return wanted == '-' ? c == '-' : std::isxdigit(static_cast<unsigned char>(c)) != 0;
    });
}

}  // namespace

bool is_claim(std::string_view environment_key) {
    return environment_key == task_key || environment_key == app_key ||
           std::ranges::find(repeated, environment_key, &Repeated::key) != repeated.end();
}

bool is_label_claim(std::string_view label) { return label == task_key; }

bool is_sandbox_mount(std::string_view destination) {
    while (destination.size() > 1 && destination.back() == '/') destination.remove_suffix(1);
    return destination == mesos_sandbox_destination;
}

bool is_task_of(std::string_view task, std::string_view app_id) {
    while (app_id.starts_with('/')) app_id.remove_prefix(1);
    while (app_id.ends_with('/')) app_id.remove_suffix(1);
    if (app_id.empty() || task.size() <= app_id.size() || task[app_id.size()] != '.') return false;
    bool same = std::ranges::equal(task.substr(0, app_id.size()), app_id,
                                   [](char of_task, char of_app) { return of_task == (of_app == '/' ? '_' : of_app); });
    auto rest = task.substr(app_id.size() + 1);
    return same && starts_with_uuid(without(without(rest, "instance-"), "marathon-"));
}

std::vector<std::string> forged_claims(const SourceFacts& container) {
    auto sandbox = sandbox_of(container.attributes);
    if (!sandbox) return {};
    auto task = without(sandbox->executor, executor_prefix);
    auto lies_about_task = [&](const std::string& claimed) { return claimed != sandbox->executor && claimed != task; };
    std::vector<std::string> forged;
    auto check = [&](std::string_view kind, const auto& map, std::string_view key, auto&& lies) {
        auto found = map.find(std::string{key});
        if (found != map.end() && lies(found->second)) forged.push_back(std::string{kind} + std::string{key});
    };
    // An empty app id is a claim too: Marathon never sets one.
    check("env ", container.environment, app_key,
          [&](const std::string& claimed) { return !is_task_of(task, claimed); });
    check("env ", container.environment, task_key, lies_about_task);
    for (const auto& [key, part] : repeated)
        check("env ", container.environment, key, [&sandbox, sandbox_part = part](const std::string& claimed) {
            return claimed != (*sandbox).*sandbox_part;
        });
    check("label ", container.labels, task_key, lies_about_task);
    return forged;
}

SourceFacts ignore_claims(SourceFacts container) {
    std::erase_if(container.environment, [](const auto& entry) {
        return entry.first.starts_with("MARATHON_") || entry.first.starts_with("MESOS_");
    });
    container.labels.erase(std::string{task_key});
    return container;
}

}  // namespace boatswain::tenancy
