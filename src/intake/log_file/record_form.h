// What a record of a log file looks like: the seam between reading a log (log_file_reader.h) and its form.
//
// A file holds one record a line: a time, a stream, a message. A form says where in the line these stand:
// intake/json_file has Docker's, intake/cri_file that of containerd, CRI-O and Podman.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "base/time.h"
#include "intake/source/piece_joiner.h"
#include "record/line.h"

namespace boatswain::intake {

struct LogRecord {
    Timestamp time{};
    Stream stream = Stream::out;
    bool newline = false;        // the message ends its line; else the stream's next record goes on with it
    bool inner_newline = false;  // the message holds a newline: the caller must split it
    std::size_t message_bytes = 0;
};

// Reads the records of one log. May remember how the records before looked.
class RecordScanner {
  public:
    virtual ~RecordScanner() = default;

    // More than line.size() is written past the message's start at most by this.
    static constexpr std::size_t slack = 64;

    // Reads `line` (without its final '\n') and writes its message at `out`, which has room for line.size() + slack
    // bytes. False: malformed; what lies at `out` has no meaning then.
    virtual bool scan(std::string_view line, char* out, LogRecord& found) = 0;
};

// Stateless, and lives as long as the program.
class RecordForm {
  public:
    virtual ~RecordForm() = default;
    virtual std::unique_ptr<RecordScanner> scanner() const = 0;

    // Where a record begins inside a line that begins with garbage; npos where none does. What is found may still be no
    // record.
    virtual std::size_t find_record(std::string_view line) const = 0;

    // A record that is longer than may be held is read from its two ends. `front` is its beginning, which must hold
    // message and stream whole; `out` as for RecordScanner::scan, for front.size(). False: it does not.
    virtual bool scan_front(std::string_view front, char* out, LogRecord& found) const = 0;
    // The time of the record that ends with `back`. `whole`: `back` is all of it; else its last back_bytes().
    virtual std::optional<Timestamp> scan_back(std::string_view back, bool whole) const = 0;
    // So much of a record's end holds its time. A form whose time stands at the front has the length of its longest
    // ordinary record; of a longer one the time is not found.
    virtual std::size_t back_bytes() const = 0;

    virtual PieceForm pieces() const = 0;
};

}  // namespace boatswain::intake
