// A way in: finds sources of one kind, learns whose they are, and reads them into the batcher.
//
// The agent holds a list of these (boatswaind/agent.cc), and asks nothing else of them: health, metrics, heartbeats and
// `boatswain why` come from what they say here. How to add one: docs/contributing/add-an-intake.md.
//
// Everything runs on the I/O thread and must not block it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "intake/source/description.h"
#include "intake/source/reading_status.h"

namespace boatswain::intake {

struct IntakeHealth {
    std::string part;                   // one word, as /readyz has it: "engine", "pods"
    bool follows = false;               // it has looked for what is there, and learns of what comes
    std::string state;                  // "followed", or why not
    std::vector<std::string> troubles;  // why not all is found, a sentence each
    // Why nothing but a new start of the process helps, a sentence each: /healthz fails.
    std::vector<std::string> restart_helps;
    std::map<std::string, std::string> detail;  // for /readyz, by a name of its own: "containers_directory"
    std::string file_reader;  // the metrics' word for its reader of files: "json-file"; empty: it reads none
    ReadingStatus reading;
    std::vector<std::string> ended_tasks;  // of those that have to run for ever: only a new start brings them back
};

class Intake {
  public:
    virtual ~Intake() = default;

    // What its task is called: "docker intake".
    virtual std::string_view name() const = 0;
    // Finds and reads until cancelled; then everything that it started has ended.
    virtual boost::asio::awaitable<void> run() = 0;
    // After run(): reads what is on disk and not read yet, and closes all feeds.
    virtual void finish(std::chrono::steady_clock::time_point deadline) = 0;

    virtual void reassign() = 0;                                     // the keyring or the rules changed
    virtual void reassign(const std::vector<std::string>& ids) = 0;  // more is known of these sources
    // Rules read words of sources that were not kept: whoever said them is asked again.
    virtual void learn_again() {}
    virtual void progressed() = 0;  // the batcher gave memory back, or a segment became durable
    virtual void put_down() = 0;    // a few times a second: Feed::should_put_down

    virtual IntakeHealth health() const = 0;
    virtual std::map<std::string, TenantLag> lag_by_tenant() const { return {}; }
    // What is known of every source: read, held, passed over; and of the last ones that are gone.
    virtual std::vector<Description> describe_all() const { return {}; }
};

}  // namespace boatswain::intake
