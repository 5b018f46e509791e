// For tests: one container's log, read through the real batcher and spool, stopped and started again at will.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "batch/rig_for_test.h"
#include "crypto/recipient.h"
#include "intake/json_file/json_line.h"
#include "intake/log_file/log_file_reader.h"

namespace boatswain::intake {

class Reading {
  public:
    static constexpr auto id = "c0ffee";

    Reading(batch::testing::Rig& rig, Path log_path, crypto::Recipient recipient, LogTerms log_terms = {},
            const RecordForm& form = json_form)
        : terms(log_terms),
          form_(form),
          rig_(rig),
          log_path_(std::move(log_path)),
          recipients_{recipient},
          counters_(rig.metrics) {
        open();
    }

    void open() {
        auto start = rig_.spool->checkpoint(id).value_or(Checkpoint{});
        const auto* position = std::get_if<FilePosition>(&start.position);
        feed = rig_.batcher->open_feed(batch::testing::source(id), recipients_, start, false);
        reader = std::make_unique<LogFileReader>(form_, log_path_, position ? std::optional{*position} : std::nullopt,
                                                 terms, rig_.clock, counters_, rig_.log);
    }
    // As a kill and a new start would: what was not sealed is forgotten.
    void crash() {
        reader.reset();
        feed.reset();
        rig_.restart();
        open();
    }

    Result<LogFileReader::Step> step() {
        auto step = reader->read_some(*feed, buffer_);
        if (!step && step.error().remedy == Remedy::retry) return LogFileReader::Step::more;
        return step;
    }
    LogFileReader::Step read_to_end() {
        for (;;) {
            auto now = step();
            if (!now) throw std::runtime_error(now.error().what);
            if (*now != LogFileReader::Step::more) return *now;
        }
    }
    void settle() { reader->settle(*feed); }
    FileReaderCounters& counters() { return counters_; }
    std::uint64_t malformed() const { return static_cast<std::uint64_t>(counters_.malformed.value()); }

    const LogTerms terms;
    std::unique_ptr<batch::Feed> feed;
    std::unique_ptr<LogFileReader> reader;

  private:
    const RecordForm& form_;
    batch::testing::Rig& rig_;
    Path log_path_;
    std::vector<crypto::Recipient> recipients_;
    FileReaderCounters counters_;
    ReadBuffer buffer_;
};

}  // namespace boatswain::intake
