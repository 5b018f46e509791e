#include "boatswain/number_format.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/json_writer.h"
#include "boatswain/line_format.h"
#include "logql/series.h"
#include "logql/units.h"

namespace boatswain::tool {

namespace {

// Seconds since the epoch, with milliseconds where there are some.
std::string seconds_of(Timestamp time) {
    auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch().count();
    auto text = fmt::format("{}", milliseconds / 1000);
    return milliseconds % 1000 == 0 ? text : text + fmt::format(".{:03}", milliseconds % 1000);
}

std::string sample_as_json(const logql::Series& series, const logql::Steps& steps, std::size_t step) {
    return fmt::format(R"([{},"{}"])", seconds_of(steps.at(step)), logql::number_text(series.values[step]));
}

void print_json(const logql::Numbers& numbers, const logql::Steps& steps, Output& out) {
    bool is_instant = steps.count() == 1;
    if (numbers.is_scalar && is_instant) {
        out.write(R"({"resultType":"scalar","result":)" + sample_as_json(numbers.series.front(), steps, 0) + "}\n");
        return;
    }
    out.write(fmt::format(R"({{"resultType":"{}","result":[)", is_instant ? "vector" : "matrix"));
    bool is_first = true;
    for (const auto& series : numbers.series) {
        std::string samples;
        for (std::size_t i = 0; i < series.values.size(); ++i)
            if (series.present[i]) samples += (samples.empty() ? "" : ",") + sample_as_json(series, steps, i);
        if (samples.empty()) continue;
        JsonWriter json{is_first ? "" : ","};
        json.object().member("metric", series.labels);
        out.write(is_instant ? json.raw_member("value", samples).take()
                             : json.raw_member("values", "[" + samples + "]").take());
        is_first = false;
    }
    out.write("]}\n");
}

}  // namespace

void print_numbers(const logql::Numbers& numbers, const logql::Steps& steps, LogFormatChoice format, Output& out) {
    if (format == LogFormatChoice::json) return print_json(numbers, steps, out);
    bool is_csv = format == LogFormatChoice::csv;
    if (is_csv) out.write("time,labels,value\n");
    for (const auto& series : numbers.series) {
        auto labels = logql::to_text(series.labels);
        for (std::size_t i = 0; i < series.values.size() && !out.ended(); ++i) {
            if (!series.present[i]) continue;
            auto number = logql::number_text(series.values[i]);
            if (is_csv)
                out.write(to_text(steps.at(i)) + "," + csv_field(terminal_safe(labels)) + "," + number + "\n");
            else
                out.write((steps.count() == 1 ? "" : short_time(steps.at(i)) + " ") + terminal_safe(labels) + " " +
                          number + "\n");
        }
    }
}

}  // namespace boatswain::tool
