// The functions of templates.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace boatswain::logql {

using TemplateValue = std::variant<std::string, double, bool>;

std::string text_of(const TemplateValue& value);
// As Go's templates: not empty, not zero, not false.
bool is_true(const TemplateValue& value);

struct TemplateFunction {
    std::string_view name;
    std::size_t arguments_min = 0;
    std::size_t arguments_max = 0;
    Result<TemplateValue> (*call)(std::span<const TemplateValue> arguments);
};

// nullptr when there is none of that name.
const TemplateFunction* find_template_function(std::string_view name);

}  // namespace boatswain::logql
