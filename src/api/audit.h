// Who read what: one JSON object a line, in a file of its own. Never in our log, which is for whoever runs the server.
//
// The file is opened for each line, so that it can be moved away at any time. While it cannot be written, nobody is
// served: what nobody can account for is not handed out.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/result.h"
#include "base/time.h"

namespace boatswain::api {

struct AuditedRead {
    Timestamp time{};
    std::string_view token;  // its id
    std::string_view tenant;
    std::string_view peer;
    std::string_view route;
    std::string_view name;   // what the path names
    std::string_view query;  // as given, and so are the next two
    std::string_view start, end;
    int status = 0;
    std::uint64_t bytes = 0;       // sent
    std::uint64_t read_bytes = 0;  // of the store
};
// What a client chose is cut to audit_text_bytes_max.
inline constexpr std::size_t audit_text_bytes_max = 4096;
std::string to_json(const AuditedRead& read);
// As many as the answers under way can leave behind, and some more.
inline constexpr std::size_t audit_waiting_bytes_max = 4U << 20;

class AuditLog {
  public:
    // No file: nothing is written.
    explicit AuditLog(std::optional<Path> file) : file_(std::move(file)) {}

    // An error: the line is not there. It waits for the next write() or probe(), with others up to
    // audit_waiting_bytes_max; what is more is lost.
    Result<void> write(const AuditedRead& read);
    // Whether all lines so far are there, and one more could be written now.
    Result<void> probe();

  private:
    const std::optional<Path> file_;
    std::string waiting_;  // to be written; its start may be the rest of a line
};

}  // namespace boatswain::api
