// fleet sync: looks, plans and acts, once or until a signal ends it.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <random>
#include <thread>

#include "base/log.h"
#include "boatswain/fleet_commands.h"
#include "boatswain/fleet_observe.h"
#include "boatswain/fleet_place.h"
#include "fleet/hints.h"
#include "fleet/history_file.h"
#include "fleet/sync.h"

namespace boatswain::tool {
namespace {

using namespace std::chrono_literals;

constexpr int gap_part = 6;            // of the interval: the least between two looks, whatever happens
constexpr double jitter_share = 0.1;   // of the interval, either way
constexpr int patience_intervals = 3;  // without a look that succeeds, until /healthz says so
constexpr auto signal_look = 100ms;    // how soon a signal is seen

sigset_t ending_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    return signals;
}

// From construction on, SIGTERM and SIGINT only set a flag and end waits; a thread takes them.
class Ending {
  public:
    explicit Ending(fleet::Waker& waker) : waker_(waker) {
        auto signals = ending_signals();
        pthread_sigmask(SIG_BLOCK, &signals, &before_);
        thread_ = std::jthread{[this, signals](const std::stop_token& stop) {
            timespec wait{.tv_sec = 0, .tv_nsec = std::chrono::nanoseconds{signal_look}.count()};
            while (!stop.stop_requested()) {
                if (sigtimedwait(&signals, nullptr, &wait) < 0) continue;
                told_ = true;
                waker_.wake();
                return;
            }
        }};
    }
    ~Ending() {
        thread_ = {};
        pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }
    const std::atomic<bool>& told() const { return told_; }

  private:
    fleet::Waker& waker_;
    std::atomic<bool> told_{false};
    sigset_t before_{};
    std::jthread thread_;
};

void log_look(Log& log, const fleet::Look& look, bool dry_run) {
    const auto& plan = look.plan;
    if (dry_run)
        for (const auto& action : plan.actions)
            log.info("would act", {{"action", fleet::describe(action)}, {"because", action.why}});
    for (const auto& [action, result] : look.outcomes) {
        if (result)
            log.info("acted", {{"action", fleet::describe(action)}, {"because", action.why}});
        else
            log.warning("action failed", {{"action", fleet::describe(action)}, {"error", result.error()}});
    }
}

class SyncRun {
  public:
    SyncRun(const FleetSync& request, Console& console, fleet::Connections connections, fleet::Waker& waker,
            const std::atomic<bool>& told)
        : request_(request),
          console_(console),
          waker_(waker),
          told_(told),
          log_(console.clock, STDERR_FILENO, request.log_format == "json" ? LogFormat::json : LogFormat::text,
               request.once ? LogLevel::warning : LogLevel::info),
          standing_(metrics_, console.clock, request.every * patience_intervals + 60s),
          connections_(connections),
          syncer_(std::move(connections), request.place.app, request.options, console.clock) {}

    Result<int> run() {
        if (request_.state_file) load_state();
        if (request_.once) return once();
        std::unique_ptr<FleetServer> server;
        if (request_.listen) {
            TRY(server, FleetServer::open(*request_.listen, metrics_, standing_));
            log_.info("listening", {{"address", server->address()}});
        }
        log_.info("fleet sync started", {{"version", BOATSWAIN_VERSION},
                                         {"app", request_.place.app},
                                         {"marathon", request_.place.marathon},
                                         {"interval", to_text(request_.every)},
                                         {"dry_run", request_.dry_run ? "yes" : "no"}});
        for_ever();
        log_.info("fleet sync ended");
        return exit_fleet_ok;
    }

  private:
    Result<int> once() {
        TRY(auto look, look_and_act());
        console_.out.write(request_.json ? fleet::look_as_json(look, console_.clock.now())
                                         : fleet::look_as_text(look, request_.place.app, request_.dry_run));
        bool failed = std::ranges::any_of(look.outcomes, [](const auto& one) { return !one.result; });
        bool amiss = look.plan.verdict == fleet::Verdict::wait || look.plan.verdict == fleet::Verdict::refuse;
        return failed || amiss ? exit_fleet_amiss : exit_fleet_ok;
    }

    void for_ever() {
        std::unique_ptr<fleet::Hints> hints;
        while (!told_) {
            auto look = look_and_act();
            if (told_) return;
            if (look) {
                standing_.looked(*look);
                tell(*look);
                if (!hints && !request_.no_events) hints = start_hints();
            } else {
                standing_.failed(look.error());
                tell_once("look failed: " + look.error().what,
                          [&] { log_.warning("look failed", {{"error", look.error()}}); });
            }
            auto gap = request_.every / gap_part;
            waker_.wait_for(gap, false);
            waker_.wait_for(jittered() - gap, true);
        }
    }

    std::unique_ptr<fleet::Hints> start_hints() {
        auto connections = connections_;
        if (connections.mesos.addresses.empty()) {
            connections.mesos.addresses = syncer_.mesos()->addresses();
            connections.mesos.credential = {};
        }
        return std::make_unique<fleet::Hints>(std::move(connections), waker_, log_);
    }

    Result<fleet::Look> look_and_act() {
        TRY(auto look, syncer_.look());
        if (!request_.dry_run) syncer_.act(look);
        if (request_.state_file && !request_.dry_run)
            if (auto saved = fleet::save_history(*request_.state_file, syncer_.history()); !saved)
                log_.warning("state not saved", {{"error", saved.error()}});
        return look;
    }

    void load_state() {
        auto history = fleet::load_history(*request_.state_file);
        if (history)
            syncer_.remember(std::move(*history));
        else
            log_.warning("state not understood: the hold time begins again", {{"error", history.error()}});
    }

    void tell(const fleet::Look& look) {
        if (request_.json) {
            console_.out.write(fleet::look_as_json(look, console_.clock.now()));
            console_.out.flush();
        }
        log_look(log_, look, request_.dry_run);
        const auto& plan = look.plan;
        std::string notes;
        for (const auto& note : plan.notes) notes += (notes.empty() ? "" : "; ") + note;
        auto standing =
            std::to_string(plan.instances) + "/" + std::to_string(plan.eligible) + "/" + std::to_string(plan.covered);
        tell_once(std::string{fleet::to_string(plan.verdict)} + standing, [&] {
            auto level = plan.verdict == fleet::Verdict::refuse ? &Log::warning : &Log::info;
            (log_.*level)("looked", {{"verdict", fleet::to_string(plan.verdict)},
                                     {"instances", plan.instances},
                                     {"eligible", plan.eligible},
                                     {"covered", plan.covered},
                                     {"notes", notes}});
        });
    }

    // What is the same as the last time is not said again.
    template <class Say>
    void tell_once(std::string what, const Say& say) {
        if (what == last_told_) return;
        last_told_ = std::move(what);
        say();
    }

    // Several of us, started together, do not stay together.
    Nanoseconds jittered() {
        std::uniform_real_distribution<double> share{1 - jitter_share, 1 + jitter_share};
        return std::chrono::duration_cast<Nanoseconds>(request_.every * share(random_));
    }

    const FleetSync& request_;
    Console& console_;
    fleet::Waker& waker_;
    const std::atomic<bool>& told_;
    Log log_;
    Metrics metrics_;
    SyncHealth standing_;
    fleet::Connections connections_;
    fleet::Syncer syncer_;
    std::mt19937_64 random_{std::random_device{}()};
    std::string last_told_;
};

}  // namespace

int run(const FleetSync& request, Console& console) {
    fleet::Waker waker;
    Ending ending{waker};
    auto connections = connections_of(request.place, &ending.told());
    if (!connections) {
        console.complain(connections.error().what);
        return exit_fleet_unknown;
    }
    auto code = SyncRun{request, console, std::move(*connections), waker, ending.told()}.run();
    if (code) return *code;
    if (ending.told()) return exit_fleet_ok;
    console.complain(code.error().what);
    return exit_fleet_unknown;
}

}  // namespace boatswain::tool
