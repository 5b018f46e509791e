#include "api/audit.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/json_writer.h"

namespace boatswain::api {

std::string to_json(const AuditedRead& read) {
    auto cut = [](std::string_view text) { return text.substr(0, audit_text_bytes_max); };
    auto json = json_object();
    json.member("time", read.time)
        .member("token", read.token)
        .member("tenant", read.tenant)
        .member("peer", read.peer)
        .member("route", read.route)
        .member_unless_empty("name", cut(read.name))
        .member_unless_empty("query", cut(read.query))
        .member_unless_empty("start", cut(read.start))
        .member_unless_empty("end", cut(read.end));
    if (read.query.size() > audit_text_bytes_max) json.member("query_bytes", read.query.size());
    return json.member("status", read.status)
        .member("bytes", read.bytes)
        .member("read_bytes", read.read_bytes)
        .take_line();
}

Result<void> AuditLog::write(const AuditedRead& read) {
    if (!file_) return {};
    auto line = to_json(read);
    if (line.size() > audit_waiting_bytes_max - waiting_.size())
        return fail(Remedy::back_off, file_->string() + ": more lines wait to be written than are kept");
    waiting_ += line;
    return probe();
}

Result<void> AuditLog::probe() {
    constexpr int mode = 0600;
    if (!file_) return {};
    Fd file{::open(file_->c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, mode)};
    if (!file) return fail_errno(Remedy::back_off, "open " + file_->string());
    // One call as a rule: lines of several servers that share a file do not mix.
    while (!waiting_.empty()) {
        auto written = ::write(file.get(), waiting_.data(), waiting_.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return fail_errno(Remedy::back_off, "write " + file_->string());
        waiting_.erase(0, static_cast<std::size_t>(written));
    }
    return {};
}

}  // namespace boatswain::api
