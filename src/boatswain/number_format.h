// The numbers of a query as text, as JSON in the shape of Loki's answers, or as CSV.
#pragma once

#include "boatswain/commands.h"
#include "boatswain/output.h"
#include "logql/evaluate.h"

namespace boatswain::tool {

// text: "TIME LABELS NUMBER" a line, without TIME where one moment was asked for. json:
// {"resultType":...,"result":[...]}.
void print_numbers(const logql::Numbers& numbers, const logql::Steps& steps, LogFormatChoice format, Output& out);

}  // namespace boatswain::tool
