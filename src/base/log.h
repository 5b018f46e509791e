// Boatswain's own log: one event a line, on standard error.
//
// An event is a past-tense sentence and fields ("segment sealed" tenant=acme lines=812). Values from outside are made
// printable and cut. A container's line, a secret or an environment value is never a field.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <mutex>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace boatswain {

enum class LogLevel { debug, info, warning, error };
enum class LogFormat { text, json };

struct LogField {
    std::string_view name;
    std::string value;

    LogField(std::string_view n, std::string_view v) : name(n), value(v) {}
    LogField(std::string_view n, const char* v) : name(n), value(v) {}
    LogField(std::string_view n, const std::string& v) : name(n), value(v) {}
    LogField(std::string_view n, const Error& e) : name(n), value(e.what) {}
    template <class Integer>
        requires std::is_integral_v<Integer>
    LogField(std::string_view n, Integer v) : name(n), value(std::to_string(v)) {}
};

// Thread-safe: one write(2) an event.
class Log {
  public:
    // `fd` is borrowed and stays open. Events below `least` are not written.
    Log(const Clock& clock, int fd, LogFormat format, LogLevel least)
        : clock_(clock), fd_(fd), format_(format), least_(least) {}
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;

    void debug(std::string_view event, std::initializer_list<LogField> fields = {}) {
        write(LogLevel::debug, event, fields);
    }
    void info(std::string_view event, std::initializer_list<LogField> fields = {}) {
        write(LogLevel::info, event, fields);
    }
    void warning(std::string_view event, std::initializer_list<LogField> fields = {}) {
        write(LogLevel::warning, event, fields);
    }
    void error(std::string_view event, std::initializer_list<LogField> fields = {}) {
        write(LogLevel::error, event, fields);
    }

  private:
    void write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields);

    const Clock& clock_;
    int fd_;
    LogFormat format_;
    LogLevel least_;
    std::mutex writing_;
};

// `text` as a JSON string, with its quotes; bytes that are not UTF-8 become U+FFFD.
std::string json_quote(std::string_view text);

}  // namespace boatswain
