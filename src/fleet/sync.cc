#include "fleet/sync.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/json_writer.h"
#include "base/url_text.h"

namespace boatswain::fleet {

Syncer::Syncer(Connections connections, std::string app, Options options, const Clock& clock)
    : connections_(std::move(connections)),
      app_(std::move(app)),
      options_(options),
      clock_(clock),
      marathon_(connections_.marathon),
      app_at_marathon_(marathon_, app_) {
    if (!connections_.mesos.addresses.empty()) mesos_ = std::make_unique<Endpoint>(connections_.mesos);
}

// Marathon names the leading master again after each election.
Result<void> Syncer::find_mesos(const MarathonState& marathon) {
    if (!connections_.mesos.addresses.empty() || (mesos_ && marathon.mesos_url == found_mesos_)) return {};
    auto addresses = parse_addresses(marathon.mesos_url);
    if (!addresses)
        return fail(Remedy::back_off, "Marathon does not say where Mesos is (" +
                                          printable(url_for_people(marathon.mesos_url)) + "): give --mesos");
    auto options = connections_.mesos;
    options.addresses = std::move(*addresses);
    options.credential = {};  // nobody said that this address may have it
    found_mesos_ = marathon.mesos_url;
    mesos_ = std::make_unique<Endpoint>(std::move(options));
    return {};
}

Result<Look> Syncer::look() {
    auto cluster = std::make_unique<Cluster>();
    bool known = !connections_.mesos.addresses.empty();
    if (known) {
        TRY(cluster->mesos, look_at_mesos(*mesos_, clock_.now()));
    }
    TRY(cluster->marathon, app_at_marathon_.look());
    if (!known) {
        CHECK(find_mesos(cluster->marathon));
        TRY(cluster->mesos, look_at_mesos(*mesos_, clock_.now()));
    }
    Look look{.plan = make_plan(*cluster, history_, options_, clock_.now()), .mesos = mesos_->addresses().front()};
    look.cluster = std::move(cluster);
    history_ = look.plan.history;
    return look;
}

void Syncer::act(Look& look) {
    for (auto& action : look.plan.actions) {
        auto result = app_at_marathon_.act(action);
        bool failed = !result;
        look.outcomes.push_back({action, std::move(result)});
        if (failed) return;
    }
}

std::string_view to_string(Verdict verdict) {
    switch (verdict) {
        case Verdict::in_step: return "in step";
        case Verdict::act: return "act";
        case Verdict::wait: return "wait";
        case Verdict::refuse: return "refuse";
    }
    return "?";
}

std::string look_as_json(const Look& look, Timestamp now) {
    const auto& plan = look.plan;
    auto json = json_object();
    json.member("time", now)
        .member("verdict", to_string(plan.verdict))
        .member("instances", plan.instances)
        .member("eligible", plan.eligible)
        .member("covered", plan.covered)
        .member("waiting", plan.waiting)
        .member("gone", plan.gone.size())
        .array("actions");
    for (std::size_t i = 0; i < plan.actions.size(); ++i) {
        const auto& action = plan.actions[i];
        json.object().member("do", describe(action)).member("why", action.why);
        if (i < look.outcomes.size()) {
            const auto& result = look.outcomes[i].result;
            json.member("done", result.has_value());
            if (!result) json.member("error", result.error().what);
        }
        json.end();
    }
    json.end().member("notes", plan.notes);
    return json.take_line();
}

std::string look_as_text(const Look& look, const std::string& app, bool dry_run) {
    const auto& plan = look.plan;
    auto text = fmt::format("{}: {} instances, {} eligible hosts, {} of them have one{}\n", printable(app),
                            plan.instances, plan.eligible, plan.covered,
                            plan.actions.empty() && plan.verdict == Verdict::in_step ? ": nothing to do" : "");
    for (std::size_t i = 0; i < plan.actions.size(); ++i) {
        const auto& action = plan.actions[i];
        bool tried = i < look.outcomes.size();
        std::string_view how = dry_run                            ? "would "
                               : tried && look.outcomes[i].result ? "done: "
                               : tried                            ? "failed: "
                                                                  : "left for the next look: ";
        text += fmt::format("{}{}\n  because {}\n", how, describe(action), action.why);
        if (tried && !look.outcomes[i].result) text += "  error: " + look.outcomes[i].result.error().what + "\n";
    }
    for (const auto& note : plan.notes) text += "note: " + note + "\n";
    return text;
}

}  // namespace boatswain::fleet
