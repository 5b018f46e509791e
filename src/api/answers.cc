#include "api/answers.h"

#include <fmt/format.h>

#include "base/log.h"
#include "logql/units.h"

namespace boatswain::api {
namespace {

// In large portions: a share for each line would be more than the line.
constexpr std::uint64_t portion_bytes = 1U << 20;
constexpr std::uint64_t stream_bytes = 200;

void add_member(std::string& object, std::string_view name, std::string_view value) {
    object += (object.empty() ? "" : ",") + json_quote(name) + ":" + json_quote(value);
}

std::string labels_json(const logql::MetricLabels& labels) {
    std::string text;
    for (const auto& [name, value] : labels) add_member(text, name, value);
    return "{" + text + "}";
}

// Seconds since the epoch, with milliseconds where there are some.
std::string seconds_of(Timestamp time) {
    auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch().count();
    auto text = fmt::format("{}", milliseconds / 1000);
    return milliseconds % 1000 == 0 ? text : text + fmt::format(".{:03}", milliseconds % 1000);
}

std::string sample_json(const logql::Series& series, const logql::Steps& steps, std::size_t step) {
    return fmt::format(R"([{},"{}"])", seconds_of(steps.at(step)), logql::number_text(series.values[step]));
}

std::string warnings_json(std::span<const std::string> warnings) {
    return warnings.empty() ? std::string{} : ",\"warnings\":" + array_json(warnings);
}

}  // namespace

Result<void> Streams::add(const logql::Record& record) {
    std::string stream, metadata, parsed;
    for (const auto& label : record.labels.sorted()) {
        bool folded = !categorised_ || label.kind == logql::LabelKind::stream;
        add_member(folded                                     ? stream
                   : label.kind == logql::LabelKind::metadata ? metadata
                                                              : parsed,
                   label.name, label.value);
    }
    auto value = fmt::format(R"(["{}",{})", record.time.time_since_epoch().count(), json_quote(record.line));
    if (categorised_)
        value += fmt::format(R"(,{{{}{}{}}})", metadata.empty() ? "" : "\"structuredMetadata\":{" + metadata + "}",
                             metadata.empty() || parsed.empty() ? "" : ",",
                             parsed.empty() ? "" : "\"parsed\":{" + parsed + "}");
    value += "]";
    // Twice: once here, and once in the answer.
    auto bytes = 2 * (value.size() + 1) + stream_bytes + 2 * stream.size();
    if (bytes > room_) {
        TRY(held_.emplace_back(), budget_.hold(bytes + portion_bytes, "the lines of the answer"));
        room_ += bytes + portion_bytes;
    }
    room_ -= bytes;
    auto& values = values_[std::move(stream)];
    values += (values.empty() ? "" : ",") + value;
    ++lines_;
    return {};
}

std::string Streams::json() const {
    std::string text = "[";
    for (const auto& [stream, values] : values_) {
        if (text.size() > 1) text += ',';
        text.append("{\"stream\":{").append(stream).append("},\"values\":[").append(values).append("]}");
    }
    return text + "]";
}

std::string matrix_json(const logql::Numbers& numbers, const logql::Steps& steps) {
    std::string text;
    for (const auto& series : numbers.series) {
        std::string samples;
        for (std::size_t i = 0; i < series.values.size(); ++i)
            if (series.present[i]) samples += (samples.empty() ? "" : ",") + sample_json(series, steps, i);
        if (samples.empty()) continue;
        text += (text.empty() ? "" : ",") +
                fmt::format(R"({{"metric":{},"values":[{}]}})", labels_json(series.labels), samples);
    }
    return "[" + text + "]";
}

std::string vector_json(const logql::Numbers& numbers, const logql::Steps& at) {
    std::string text;
    for (const auto& series : numbers.series)
        if (!series.present.empty() && series.present[0])
            text += (text.empty() ? "" : ",") + fmt::format(R"({{"metric":{},"value":{}}})", labels_json(series.labels),
                                                            sample_json(series, at, 0));
    return "[" + text + "]";
}

std::string scalar_json(const logql::Numbers& numbers, const logql::Steps& at) {
    return sample_json(numbers.series.front(), at, 0);
}

std::string array_json(std::span<const std::string> texts) {
    std::string text;
    for (const auto& one : texts) text += (text.empty() ? "" : ",") + json_quote(one);
    return "[" + text + "]";
}

std::string to_json(const QueryAnswer& answer) {
    const auto& effort = answer.effort;
    auto per_second = [&](std::uint64_t count) {
        return effort.seconds <= 0 ? 0 : static_cast<std::uint64_t>(static_cast<double>(count) / effort.seconds);
    };
    auto text = fmt::format(R"({{"status":"success","data":{{"resultType":"{}",)", answer.type);
    if (answer.categorised) text += R"("encodingFlags":["categorize-labels"],)";
    text.append("\"result\":").append(answer.result);
    text += fmt::format(
        R"(,"stats":{{"summary":{{"bytesProcessedPerSecond":{},"linesProcessedPerSecond":{},"totalBytesProcessed":{},)"
        R"("totalLinesProcessed":{},"execTime":{:.6f},"queueTime":0,"subqueries":0,"totalEntriesReturned":{},)"
        R"("splits":0,"shards":0}},"querier":{{}},"ingester":{{}},"cache":{{}},"index":{{}}}}}})",
        per_second(effort.bytes), per_second(effort.lines), effort.bytes, effort.lines, effort.seconds,
        effort.returned);
    return text + warnings_json(answer.warnings) + "}\n";
}

std::string success_json(std::string_view data, std::span<const std::string> warnings) {
    return "{\"status\":\"success\",\"data\":" + std::string{data} + warnings_json(warnings) + "}\n";
}

}  // namespace boatswain::api
