// Reads many logs in turn: each that has something new gets one read (log_file_reader.h), then the next one.
//
// Fair: a container that writes without end gets one turn a round like every other. A container whose tenant has no
// room waits until the batcher has progressed; nothing is lost, its log keeps it. Belongs to the I/O thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/log.h"
#include "batch/batcher.h"
#include "intake/log_file/log_file_reader.h"
#include "net/run_queue.h"

namespace boatswain::intake {

class FilePump {
  public:
    // All are told a container's id. `finished`: it is removed, and its log read to its end; it may remove() it.
    // `settled`: it does not run, and its log is read to its end. `begun`: its log, which had no position, is being
    // read. `read_out`: it was read to its end after tell_when_read(). `reader` is the metrics' word for how these logs are read: "json-file".
    FilePump(
        boost::asio::any_io_executor executor, std::string reader, const Clock& clock, Metrics& metrics, Log& log,
        std::function<void(const std::string&)> finished, std::function<void(const std::string&)> settled,
        std::function<void(const std::string&, const FilePosition&)> begun,
        std::function<void(const std::string&)> read_out = [](const auto&) {});
    FilePump(const FilePump&) = delete;

    void add(const std::string& id, std::unique_ptr<LogFileReader> reader, std::unique_ptr<batch::Feed> feed);
    // Holds the log's files open without reading them, until change_feed() says where its lines go. At most parked_max
    // logs, and parked_of_tenant_max of one tenant, so that one with many takes nobody's place; more are not held, and
    // counted. `tenant` is empty while it is not known.
    static constexpr std::size_t parked_max = 1024;
    static constexpr std::size_t parked_of_tenant_max = 256;
    void park(const std::string& id, const std::string& tenant, std::unique_ptr<LogFileReader> reader);
    // Lines from now on go to `feed`; what was read before stays where it went.
    void change_feed(const std::string& id, std::unique_ptr<batch::Feed> feed);
    // Writes the closing record of a log that was read to its end. One that was never there to be read gets none.
    void close(const std::string& id, const End& end);
    // The feed as it stands, closed; nothing is read for `id` from then on.
    void remove(const std::string& id);
    bool contains(const std::string& id) const { return logs_.contains(id); }

    void touch(const std::string& id);  // something may be there to read
    void touch_all();
    void notice_births(const std::string& id, unsigned births, bool all);  // LogFileReader::notice_births
    void notice_births_lost();                                             // LogFileReader::notice_births_lost, of all
    void note_birth(const std::string& id, const LogBirth& birth);         // LogFileReader::note_birth
    // When it does not run any more, what is pending at the end of its log is settled: once, because a container that
    // starts again prints before the engine tells of its start.
    void set_running(const std::string& id, bool running);
    void tell_when_read(const std::string& id);  // once, at the end of what is there now
    void notice_removal(const std::string& id);  // LogFileReader::notice_removal
    FileReaderCounters& counters() { return counters_; }
    void progressed() { run_queue_.progressed(); }  // the batcher gave memory back
    void put_down();                                // LogFileReader::put_down, where Feed::should_put_down

    struct Lag {  // bytes not read, of all logs together
        std::uint64_t read_bytes = 0;
        std::uint64_t parked_bytes = 0;
    };
    Lag lag() const;  // what it costs grows with the logs that are not at their end, not with all
    struct OneLag {
        std::uint64_t bytes = 0;
        Nanoseconds time{};        // LogFileReader::lag_time
        Nanoseconds unread_for{};  // since something was there to read and nothing could be read
    };
    OneLag lag(const std::string& id) const;  // zeros for one that is not here, parked or held
    // Logs that have something to read, or may have. All others were read to their end, and nobody touched them since.
    const std::set<std::string>& unrested() const { return unrested_; }
    const LogFileReader* reader(const std::string& id) const;
    const batch::Feed* feed(const std::string& id) const;

    // Runs until cancelled.
    boost::asio::awaitable<void> run() { return run_queue_.run(); }
    // Reads until every log is at its end, or `deadline`: at shutdown.
    void read_rest(std::chrono::steady_clock::time_point deadline);

  private:
    struct OneLog {
        std::unique_ptr<LogFileReader> reader;
        std::unique_ptr<batch::Feed> feed;                                  // none: parked
        std::string tenant;                                                 // of a parked one
        bool to_settle = false, to_tell = false;                            // at the next end of the log
        std::chrono::steady_clock::time_point not_before{};                 // after trouble
        std::optional<std::chrono::steady_clock::time_point> unread_since;  // something may be there to read
    };
    net::Turn take_turn(const std::string& id);
    net::Turn take_turn(const std::string& id, OneLog& log);
    void uncount_parked(const std::string& id);  // before it is read, or goes

    std::function<void(const std::string&)> finished_, settled_, read_out_;
    std::function<void(const std::string&, const FilePosition&)> begun_;
    const Clock& clock_;
    Log& log_;
    Counter& errors_;
    Counter& unheld_;
    FileReaderCounters counters_;
    net::RunQueue run_queue_;  // of ids that may have something to read
    ReadBuffer buffer_;
    std::map<std::string, OneLog> logs_;
    std::set<std::string> unrested_;                // ids of them: parked, touched, or with bytes that are no line yet
    std::set<std::string> pending_;                 // ids whose feed has a part of a long line, or had one
    std::size_t parked_ = 0;                        // of them
    std::map<std::string, std::size_t> parked_of_;  // by tenant, where that is known
};

}  // namespace boatswain::intake
