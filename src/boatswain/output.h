// What the tool prints on: standard output and standard error, and how things are made fit for a person's terminal.
//
// Names and messages come from containers, which may print escape sequences that repaint or reprogram a terminal, or
// make text read in another order. All that acts so is shown as \xNN (base/characters.h), into a file or pipe too: what
// is in them comes to a terminal in the end (`| less -R`, `| grep`). Only `--output raw` gives bytes as they are.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace boatswain::tool {

// One file descriptor, borrowed, buffered.
class Output {
  public:
    // Colours are used when `colour` is set and `fd` is a terminal. (NO_COLOR: https://no-color.org)
    Output(int fd, bool colour);

    void write(std::string_view text);
    void flush();
    // One line, past what is buffered: at once, and from any thread. Where that is a terminal it takes the place of
    // what stands in the line.
    void write_line(std::string_view text) const;

    // The other side went away, or the disk is full: more writing is of no use.
    bool ended() const { return error_number_ != 0; }
    // Why, unless it was the reader who left, which is not an error.
    Result<void> trouble() const;

    bool is_terminal() const { return terminal_; }
    // A pager stands before the terminal: lines cannot be drawn over, and colours stay.
    void lose_terminal() { terminal_ = false; }
    // How people are shown times: in UTC, or in the time zone of this machine (TZ), which is said with each.
    void show_local_times() { local_times_ = true; }
    std::string time_text(Timestamp time) const;
    bool has_colour() const { return colour_; }
    // `text` in an SGR colour ("1", "31"), or as it is where colours are off.
    std::string paint(std::string_view sgr, std::string_view text) const;

  private:
    int fd_;
    bool terminal_;
    bool colour_;
    bool local_times_ = false;
    int error_number_ = 0;
    std::string buffer_;
};

struct Console {
    Output out;
    Output err;
    int in;
    const Clock& clock;

    // "boatswain: WHAT", on standard error, after what was printed so far.
    void complain(std::string_view what);
    void note(std::string_view what);
};

// Control characters but tabs, other characters that act, and what is not UTF-8, as \xNN. Not cut.
std::string terminal_safe(std::string_view text);

// "1.2 MiB", "17 B": at most four digits.
std::string human_size(std::uint64_t bytes);
// RFC 3339 in whole milliseconds, cut: for people; parse_time reads it back.
std::string short_time(Timestamp time);
// The same in the time zone of this machine: "2026-11-23T11:00:00.123+01:00".
std::string local_time(Timestamp time);
// "2026-11-23T10"
std::string hour_text(Timestamp hour);

// Columns under headings, as wide as their widest cell. Cells are made printable. A heading that starts with '>' has
// its column aligned at the right, and is shown without it.
class Table {
  public:
    explicit Table(std::vector<std::string> headings) : rows_{std::move(headings)} {}
    void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
    void print(Output& out) const;

  private:
    std::vector<std::vector<std::string>> rows_;
};

}  // namespace boatswain::tool
