// Templates of line_format and label_format: the part of Go's text/template that queries use.
//
//   {{.label}}  {{ .label | trunc 80 | ToUpper }}  {{ if eq .level "error" }}E{{ else }}I{{ end }}  {{- trims blanks
//   -}}
//
// What is outside it is refused by name: range, with, define, variables, fromJson.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "logql/record.h"

namespace boatswain::logql {

inline constexpr std::size_t template_depth_max = 32;
// What one line may become.
inline constexpr std::size_t template_result_bytes_max = 1U << 20;

class Template {
  public:
    // Remedy::stop with a sentence.
    static Result<Template> parse(std::string_view text);
    Template(Template&&) noexcept;
    ~Template();

    // An absent label is "". An error, such as a number that is none, is a sentence: nothing of the line is in it.
    Result<std::string> fill(const Record& record) const;

    struct Node;

  private:
    explicit Template(std::unique_ptr<Node> root);
    std::unique_ptr<Node> root_;
};

}  // namespace boatswain::logql
