// For tests: the CRI intake over a directory of pods, with a batcher and a spool, on a real file system.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "batch/rig_for_test.h"
#include "intake/cri/cri_intake.h"
#include "intake/cri/cri_log_for_test.h"
#include "net/run_for_test.h"
#include "open/sealing_for_test.h"

namespace boatswain::intake::cri {

inline constexpr auto uid = "11111111-2222-3333-4444-555555555555";

class CriIntakeTest : public ::testing::Test {
  protected:
    ~CriIntakeTest() override { stop(); }

    void start() {
        intake = std::make_unique<CriIntake>(io.get_executor(), options, assigner, *rig.batcher, *rig.spool, rig.clock,
                                             rig.metrics, rig.log);
        tasks.spawn("cri", intake->run());
    }
    // As SIGTERM would: everything that is there is read and sealed.
    void stop() {
        if (!intake) return;
        end_tasks();
        intake->finish(rig.clock.steady() + std::chrono::minutes{1});
        intake.reset();
    }
    // As kill -9 would: what was not sealed is forgotten.
    void crash() {
        end_tasks();
        intake.reset();
        rig.restart();
    }
    void end_tasks() {
        tasks.cancel();
        EXPECT_TRUE(net::testing::run_to_end(io, tasks.join()));
    }
    template <class Condition>
    void run_until(Condition condition) {
        EXPECT_TRUE(net::testing::run_until(io, condition));
    }
    void settle() { net::testing::run_for(io, std::chrono::milliseconds{100}); }

    Path directory_of(const std::string& space, const std::string& pod = "web-0", const std::string& of = uid) const {
        return options.pods / (space + "_" + pod + "_" + of);
    }
    Path path_of(const std::string& space, unsigned run = 0) const {
        return directory_of(space) / "app" / (std::to_string(run) + ".log");
    }
    static std::string id_of(unsigned run = 0) { return std::string{uid} + "/app/" + std::to_string(run); }

    // What was sealed so far of each tenant: "hello", "P hello" for a partial line, "gap:REASON".
    const std::map<std::string, std::vector<std::string>>& sealed() {
        EXPECT_TRUE(rig.seal_all());
        for (const auto& object : rig.take_all()) {
            auto segment = open::read_segment(object.bytes, identity);
            for (const auto& [source, lines] : segment.lines)
                for (const auto& line : lines) found_[object.key.tenant.str()].push_back(open::shown(line));
        }
        return found_;
    }
    std::uint64_t lines_read(unsigned run = 0) const {
        auto told = find_described(intake->describe_all(), id_of(run));
        return told.empty() ? 0 : told.front().lines_read;
    }
    bool is_gone(unsigned run = 0) const {
        auto told = find_described(intake->describe_all(), id_of(run));
        return !told.empty() && told.front().ended.has_value();
    }

    boost::asio::io_context io;
    batch::testing::Rig rig;
    open::Identity identity = open::Identity::generate();
    Options options{.pods = rig.directory / "pods", .written_on_max = std::chrono::milliseconds{0}};
    bool has_key = true;
    tenancy::Lack lack = tenancy::Lack::key;  // without it
    // The tenant is the namespace, as the preset "kubernetes" has it.
    Assigner assigner{.assign = [this](const SourceFacts& facts) {
        auto tenant = TenantId::parse(facts.labels.at("io.kubernetes.pod.namespace")).value();
        Assignment assignment{.whose = {.tenant = tenant, .app = facts.name, .tenant_rule = "label"}};
        if (has_key)
            assignment.decision = {.action = tenancy::Decision::Action::seal, .recipients = {identity.recipient()}};
        else
            assignment.decision = {.action = tenancy::Decision::Action::hold, .lack = lack, .reason = "no key"};
        return assignment;
    }};
    net::TaskGroup tasks{io.get_executor(), rig.log};
    std::unique_ptr<CriIntake> intake;

  private:
    std::map<std::string, std::vector<std::string>> found_;
};

}  // namespace boatswain::intake::cri
