#include "base/log.h"

#include <unistd.h>

#include "base/bytes.h"
#include "base/json_writer.h"

namespace boatswain {
namespace {

constexpr std::size_t field_bytes_max = 500;

std::string_view to_string(LogLevel level) {
    switch (level) {
        case LogLevel::debug: return "debug";
        case LogLevel::info: return "info";
        case LogLevel::warning: return "warning";
        case LogLevel::error: return "error";
    }
    return "error";
}

std::string text_value(const std::string& value) {
    auto shown = printable(value, field_bytes_max);
    if (!shown.empty() && shown.find_first_of(" \"=") == std::string::npos) return shown;
    std::string quoted = "\"";
    for (char c : shown) {
        if (c == '"' || c == '\\') quoted += '\\';
        quoted += c;
    }
    return quoted + '"';
}

}  // namespace

void Log::write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
    if (level < least_) return;
    std::string line;
    if (format_ == LogFormat::json) {
        auto json = json_object();
        json.member("time", clock_.now()).member("level", to_string(level)).member("event", event);
        for (const auto& field : fields) json.member(field.name, printable(field.value, field_bytes_max));
        line = json.take_line();
    } else {
        line = to_text(clock_.now()) + " " + std::string{to_string(level)} + " " + std::string{event};
        for (const auto& field : fields) line += " " + std::string{field.name} + "=" + text_value(field.value);
        line += "\n";
    }
    std::scoped_lock lock{writing_};
    // A full or closed standard error must not stop the daemon: what cannot be written is given up.
    [[maybe_unused]] auto written = ::write(fd_, line.data(), line.size());
}

}  // namespace boatswain
