#include "boatswain/number_format.h"

#include "api/answers.h"
#include "base/bytes.h"
#include "base/json_writer.h"
#include "boatswain/line_format.h"
#include "logql/series.h"
#include "logql/units.h"

namespace boatswain::tool {

namespace {

void print_json(const logql::Numbers& numbers, const logql::Steps& steps, Output& out) {
    bool is_instant = steps.count() == 1;
    bool is_scalar = numbers.is_scalar && is_instant;
    out.write(json_object()
                  .member("resultType", is_scalar    ? "scalar"
                                        : is_instant ? "vector"
                                                     : "matrix")
                  .raw_member("result", is_scalar    ? api::scalar_json(numbers, steps)
                                        : is_instant ? api::vector_json(numbers, steps)
                                                     : api::matrix_json(numbers, steps))
                  .take_line());
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
                out.write((steps.count() == 1 ? "" : out.time_text(steps.at(i)) + " ") + terminal_safe(labels) + " " +
                          number + "\n");
        }
    }
}

}  // namespace boatswain::tool
