#include "api/answers.h"

#include <fmt/format.h>

#include "base/json_writer.h"
#include "logql/units.h"

namespace boatswain::api {
namespace {

// In large portions: a share for each line would be more than the line.
constexpr std::uint64_t portion_bytes = 1U << 20;
constexpr std::uint64_t stream_bytes = 200;

// Seconds since the epoch, with milliseconds where there are some.
std::string seconds_of(Timestamp time) {
    auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch().count();
    auto text = fmt::format("{}", milliseconds / 1000);
    return milliseconds % 1000 == 0 ? text : text + fmt::format(".{:03}", milliseconds % 1000);
}

}  // namespace

std::string sample_json(Timestamp time, double value) {
    return fmt::format(R"([{},"{}"])", seconds_of(time), logql::number_text(value));
}

Result<void> Streams::add(const logql::Record& record) {
    auto stream = json_object(), metadata = json_object(), parsed = json_object();
    for (const auto& label : record.labels.sorted()) {
        bool folded = !categorised_ || label.kind == logql::LabelKind::stream;
        auto& object = folded ? stream : label.kind == logql::LabelKind::metadata ? metadata : parsed;
        object.member(label.name, label.value);
    }
    auto line = json_array();
    line.value(std::to_string(record.time.time_since_epoch().count())).value(record.line);
    if (categorised_) {
        constexpr std::string_view none = "{}";
        line.object();
        if (auto text = metadata.take(); text != none) line.raw_member("structuredMetadata", text);
        if (auto text = parsed.take(); text != none) line.raw_member("parsed", text);
    }
    auto labels = stream.take(), value = line.take();
    labels.pop_back();
    // Twice: once here, and once in the answer.
    auto bytes = 2 * (value.size() + 1) + stream_bytes + 2 * labels.size();
    if (bytes > room_) {
        TRY(held_.emplace_back(), budget_.hold(bytes + portion_bytes, "the lines of the answer"));
        room_ += bytes + portion_bytes;
    }
    room_ -= bytes;
    auto& values = values_[std::move(labels)];
    values += (values.empty() ? "" : ",") + value;
    ++lines_;
    return {};
}

std::string Streams::json() const {
    auto json = json_array();
    for (const auto& [stream, values] : values_)
        json.object().raw_member("stream", stream + "}").raw_member("values", "[" + values + "]").end();
    return json.take();
}

std::string matrix_json(const logql::Numbers& numbers, const logql::Steps& steps) {
    auto json = json_array();
    for (const auto& series : numbers.series) {
        auto samples = json_array();
        for (std::size_t i = 0; i < series.values.size(); ++i)
            if (series.present[i]) samples.raw(sample_json(steps.at(i), series.values[i]));
        if (auto text = samples.take(); text != "[]")
            json.object().member("metric", series.labels).raw_member("values", text).end();
    }
    return json.take();
}

std::string vector_json(const logql::Numbers& numbers, const logql::Steps& at) {
    auto json = json_array();
    for (const auto& series : numbers.series)
        if (!series.present.empty() && series.present[0])
            json.object()
                .member("metric", series.labels)
                .raw_member("value", sample_json(at.first, series.values[0]))
                .end();
    return json.take();
}

std::string scalar_json(const logql::Numbers& numbers, const logql::Steps& at) {
    return sample_json(at.first, numbers.series.front().values[0]);
}

std::string to_json(const QueryAnswer& answer) {
    const auto& effort = answer.effort;
    auto per_second = [&](std::uint64_t count) {
        return effort.seconds <= 0 ? 0 : static_cast<std::uint64_t>(static_cast<double>(count) / effort.seconds);
    };
    auto json = json_object();
    json.member("status", "success").object("data").member("resultType", answer.type);
    if (answer.categorised) json.array("encodingFlags").value("categorize-labels").end();
    json.raw_member("result", answer.result)
        .object("stats")
        .object("summary")
        .member("bytesProcessedPerSecond", per_second(effort.bytes))
        .member("linesProcessedPerSecond", per_second(effort.lines))
        .member("totalBytesProcessed", effort.bytes)
        .member("totalLinesProcessed", effort.lines)
        .raw_member("execTime", fmt::format("{:.6f}", effort.seconds))
        .member("queueTime", 0)
        .member("subqueries", 0)
        .member("totalEntriesReturned", effort.returned)
        .member("splits", 0)
        .member("shards", 0)
        .end();
    for (const char* none : {"querier", "ingester", "cache", "index"}) json.object(none).end();
    json.end().end();
    if (!answer.warnings.empty()) json.member("warnings", answer.warnings);
    return json.take_line();
}

std::string success_json(std::string_view data, std::span<const std::string> warnings) {
    auto json = json_object();
    json.member("status", "success").raw_member("data", data);
    if (!warnings.empty()) json.member("warnings", warnings);
    return json.take_line();
}

}  // namespace boatswain::api
