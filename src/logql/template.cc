#include "logql/template.h"

#include <algorithm>
#include <array>
#include <optional>
#include <variant>
#include <vector>

#include "base/text.h"
#include "base/time.h"
#include "logql/template_functions.h"
#include "logql/units.h"

namespace boatswain::logql {

namespace {

struct Call;

struct Field {
    std::string label;
};
enum class Builtin : std::uint8_t { line, timestamp };
using Operand = std::variant<TemplateValue, Field, Builtin, std::unique_ptr<Call>>;

// A function with its arguments, or (function absent) the value of the one argument. A value that is piped in comes
// last.
struct Call {
    const TemplateFunction* function = nullptr;
    std::vector<Operand> arguments;
    std::unique_ptr<Call> piped;
};

}  // namespace

// Text, an action, or an "if" with what it guards; then what follows.
struct Template::Node {
    struct Branch {
        std::unique_ptr<Call> condition;  // none: "else"
        std::vector<Node> body;
    };
    std::string text;
    std::unique_ptr<Call> action;
    std::vector<Branch> branches;
    std::vector<Node> children;  // of the root
};

namespace {

using Node = Template::Node;

constexpr std::array refused_keywords{
    std::string_view{"range"},    std::string_view{"with"},  std::string_view{"define"},  std::string_view{"block"},
    std::string_view{"template"}, std::string_view{"break"}, std::string_view{"continue"}};

// The inside of one {{ }}.
struct Action {
    std::string_view text;
    std::size_t depth = 0;
};

bool is_word(char c) { return is_letter_or_digit(c) || c == '_'; }

class CallParser {
  public:
    explicit CallParser(std::string_view text) : rest_(text) {}

    Result<std::unique_ptr<Call>> whole() {
        TRY(auto call, pipeline(0));
        skip();
        if (!rest_.empty()) return bad();
        return call;
    }

  private:
    std::unexpected<Error> bad() const {
        return fail(Remedy::stop, "template: unexpected \"" + std::string{rest_.substr(0, 20)} + "\"");
    }
    void skip() {
        while (!rest_.empty() && std::isspace(static_cast<unsigned char>(rest_.front()))) rest_.remove_prefix(1);
    }

    Result<std::unique_ptr<Call>> pipeline(std::size_t depth) {
        if (depth > template_depth_max) return fail(Remedy::stop, "template: too deep");
        TRY(auto left, command(depth, nullptr));
        for (skip(); rest_.starts_with('|'); skip()) {
            rest_.remove_prefix(1);
            TRY(left, command(depth, std::move(left)));
        }
        return left;
    }

    Result<std::unique_ptr<Call>> command(std::size_t depth, std::unique_ptr<Call> piped) {
        auto call = std::make_unique<Call>();
        call->piped = std::move(piped);
        skip();
        std::string name;
        if (!rest_.empty() && is_word(rest_.front()) && !is_digit(rest_.front())) {
            name = word();
            if (name == "__line__" || name == "__timestamp__") {
                call->arguments.emplace_back(name == "__line__" ? Builtin::line : Builtin::timestamp);
            } else if (name == "true" || name == "false") {
                call->arguments.emplace_back(TemplateValue{name == "true"});
            } else {
                call->function = find_template_function(name);
                if (!call->function) return fail(Remedy::stop, "template: function \"" + name + "\" not defined");
            }
        }
        for (skip(); !rest_.empty() && rest_.front() != '|' && rest_.front() != ')'; skip()) {
            TRY(auto next, operand(depth));
            call->arguments.push_back(std::move(next));
        }
        return checked(std::move(call), name);
    }

    static Result<std::unique_ptr<Call>> checked(std::unique_ptr<Call> call, const std::string& name) {
        auto count = call->arguments.size() + (call->piped ? 1 : 0);
        if (!call->function) {
            if (count == 1) return call;
            return fail(Remedy::stop, count == 0 ? "template: missing value for command"
                                                 : "template: a value that is no function has no arguments");
        }
        if (count >= call->function->arguments_min && count <= call->function->arguments_max) return call;
        return fail(Remedy::stop, "template: wrong number of arguments for " + name + ": want " +
                                      std::to_string(call->function->arguments_min) + ", got " + std::to_string(count));
    }

    Result<Operand> operand(std::size_t depth) {
        char c = rest_.front();
        if (c == '.') {
            rest_.remove_prefix(1);
            auto label = word();
            if (label.empty()) return fail(Remedy::stop, "template: a name has to follow \".\"");
            return Operand{Field{std::move(label)}};
        }
        if (c == '"' || c == '`') return text();
        if (c == '(') {
            rest_.remove_prefix(1);
            TRY(auto inner, pipeline(depth + 1));
            skip();
            if (!rest_.starts_with(')')) return bad();
            rest_.remove_prefix(1);
            return Operand{std::move(inner)};
        }
        if (c == '$') return fail(Remedy::stop, "template: variables are not supported");
        if (is_digit(c) || c == '-' || c == '+') {
            std::size_t end = 1;
            while (end < rest_.size() && (is_word(rest_[end]) || rest_[end] == '.')) ++end;
            auto number = parse_number(rest_.substr(0, end));
            if (!number) return bad();
            rest_.remove_prefix(end);
            return Operand{TemplateValue{*number}};
        }
        auto name = word();
        if (name == "__line__") return Operand{Builtin::line};
        if (name == "__timestamp__") return Operand{Builtin::timestamp};
        if (name == "true" || name == "false") return Operand{TemplateValue{name == "true"}};
        if (name.empty()) return bad();
        const auto* function = find_template_function(name);
        if (!function || function->arguments_min > 0)
            return fail(Remedy::stop, "template: function \"" + name + "\" not defined here");
        auto call = std::make_unique<Call>();
        call->function = function;
        return Operand{std::move(call)};
    }

    std::string word() {
        std::size_t end = 0;
        while (end < rest_.size() && is_word(rest_[end])) ++end;
        std::string name{rest_.substr(0, end)};
        rest_.remove_prefix(end);
        return name;
    }

    Result<Operand> text() {
        char quote = rest_.front();
        std::string value;
        for (std::size_t at = 1; at < rest_.size(); ++at) {
            char c = rest_[at];
            if (c == quote) {
                rest_.remove_prefix(at + 1);
                return Operand{TemplateValue{std::move(value)}};
            }
            if (c == '\\' && quote == '"' && at + 1 < rest_.size()) {
                c = rest_[++at];
                value += c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
            } else {
                value += c;
            }
        }
        return fail(Remedy::stop, "template: unterminated string");
    }

    std::string_view rest_;
};

class TemplateParser {
  public:
    explicit TemplateParser(std::string_view text) : rest_(text) {}

    Result<std::vector<Node>> whole() {
        std::string ended_by;
        TRY(auto nodes, body(0, ended_by));
        if (!ended_by.empty()) return fail(Remedy::stop, "template: unexpected {{" + ended_by + "}}");
        return nodes;
    }

  private:
    // Up to the end, or to {{end}}, {{else}} or {{else if}}, which `ended_by` then says.
    Result<std::vector<Node>> body(std::size_t depth, std::string& ended_by) {
        if (depth > template_depth_max) return fail(Remedy::stop, "template: too deep");
        std::vector<Node> nodes;
        ended_by.clear();
        while (!rest_.empty()) {
            auto open = rest_.find("{{");
            Node literal;
            literal.text = rest_.substr(0, open);
            if (std::exchange(trim_next_, false)) literal.text.erase(0, literal.text.find_first_not_of(" \t\r\n"));
            if (open == std::string_view::npos) {
                rest_ = {};
                nodes.push_back(std::move(literal));
                break;
            }
            rest_.remove_prefix(open + 2);
            if (rest_.starts_with("- ")) {
                literal.text.erase(literal.text.find_last_not_of(" \t\r\n") + 1);
                rest_.remove_prefix(2);
            }
            if (!literal.text.empty()) nodes.push_back(std::move(literal));
            TRY(auto action, inside());
            if (action.starts_with("/*")) continue;
            auto keyword = action.substr(0, std::min(action.find_first_of(" \t("), action.size()));
            if (keyword == "end" || keyword == "else") {
                ended_by = action;
                return nodes;
            }
            if (std::ranges::find(refused_keywords, keyword) != refused_keywords.end())
                return fail(Remedy::stop, "template: {{" + std::string{keyword} + "}} is not supported");
            if (keyword == "if") {
                TRY(auto node, conditional(action.substr(2), depth));
                nodes.push_back(std::move(node));
                continue;
            }
            Node node;
            TRY(node.action, CallParser{action}.whole());
            nodes.push_back(std::move(node));
        }
        return nodes;
    }

    Result<Node> conditional(std::string_view condition, std::size_t depth) {
        Node node;
        std::string ended_by;
        std::string held{condition};
        bool is_else = false;
        while (true) {
            Node::Branch branch;
            if (!is_else) {
                TRY(branch.condition, CallParser{held}.whole());
            }
            TRY(branch.body, body(depth + 1, ended_by));
            node.branches.push_back(std::move(branch));
            if (ended_by.empty()) return fail(Remedy::stop, "template: {{if}} without {{end}}");
            if (ended_by == "end") break;
            if (is_else) return fail(Remedy::stop, "template: expected {{end}} behind {{else}}");
            auto rest = std::string_view{ended_by}.substr(4);  // behind "else"
            rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
            is_else = rest.empty();
            if (is_else) continue;
            if (!rest.starts_with("if ")) return fail(Remedy::stop, "template: unexpected {{" + ended_by + "}}");
            held = rest.substr(2);
        }
        ended_by.clear();
        return node;
    }

    // What stands before the next "}}" that is in no string, without blanks around it.
    Result<std::string_view> inside() {
        char quote = 0;
        for (std::size_t at = 0; at < rest_.size(); ++at) {
            char c = rest_[at];
            if (quote != 0) {
                if (c == '\\' && quote == '"') ++at;
                if (c == quote) quote = 0;
            } else if (c == '"' || c == '`') {
                quote = c;
            } else if (rest_.substr(at).starts_with("}}")) {
                auto text = rest_.substr(0, at);
                rest_.remove_prefix(at + 2);
                if (text.ends_with(" -")) {
                    text.remove_suffix(2);
                    trim_next_ = true;
                }
                while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
                while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
                return text;
            }
        }
        return fail(Remedy::stop, "template: unclosed action");
    }

    std::string_view rest_;
    bool trim_next_ = false;
};

Result<TemplateValue> value_of(const Call& call, const Record& record);

Result<TemplateValue> value_of(const Operand& operand, const Record& record) {
    if (const auto* value = std::get_if<TemplateValue>(&operand)) return *value;
    if (const auto* field = std::get_if<Field>(&operand)) return std::string{record.labels.value(field->label)};
    if (const auto* call = std::get_if<std::unique_ptr<Call>>(&operand)) return value_of(**call, record);
    if (std::get<Builtin>(operand) == Builtin::line) return std::string{record.line};
    return to_text(record.time);
}

Result<TemplateValue> value_of(const Call& call, const Record& record) {
    std::vector<TemplateValue> arguments;
    for (const auto& operand : call.arguments) {
        TRY(auto value, value_of(operand, record));
        arguments.push_back(std::move(value));
    }
    if (call.piped) {
        TRY(auto value, value_of(*call.piped, record));
        arguments.push_back(std::move(value));
    }
    if (!call.function) return arguments.front();
    return call.function->call(arguments);
}

Result<void> fill_nodes(const std::vector<Node>& nodes, const Record& record, std::string& into) {
    for (const auto& node : nodes) {
        into += node.text;
        if (node.action) {
            TRY(auto value, value_of(*node.action, record));
            into += text_of(value);
        }
        if (into.size() > template_result_bytes_max) return fail(Remedy::stop, "the result is too long");
        for (const auto& branch : node.branches) {
            if (branch.condition) {
                TRY(auto condition, value_of(*branch.condition, record));
                if (!is_true(condition)) continue;
            }
            CHECK(fill_nodes(branch.body, record, into));
            break;
        }
    }
    return {};
}

}  // namespace

Template::Template(std::unique_ptr<Node> root) : root_(std::move(root)) {}
Template::Template(Template&&) noexcept = default;
Template::~Template() = default;

Result<Template> Template::parse(std::string_view text) {
    auto root = std::make_unique<Node>();
    TRY(root->children, TemplateParser{text}.whole());
    return Template{std::move(root)};
}

Result<std::string> Template::fill(const Record& record) const {
    std::string result;
    CHECK(fill_nodes(root_->children, record, result));
    return result;
}

}  // namespace boatswain::logql
