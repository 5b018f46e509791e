// The parsers "json" and "unpack".
#include <simdjson.h>

#include <optional>
#include <set>
#include <variant>

#include "base/text.h"
#include "logql/stage.h"

namespace boatswain::logql {

namespace {

namespace json = simdjson::ondemand;

constexpr std::string_view json_error = "JSONParserErr";
// Deeper objects are an error of the line.
constexpr std::size_t depth_max = 64;

// simdjson reads a little past the end, and one parser serves a thread at a time.
class Document {
  public:
    simdjson::simdjson_result<json::document> open(std::string_view line) {
        text_.assign(line);
        text_.reserve(line.size() + simdjson::SIMDJSON_PADDING);
        return parser_.iterate(text_.data(), text_.size(), text_.capacity());
    }

  private:
    json::parser parser_;
    std::string text_;
};

Document& document_of_this_thread() {
    thread_local Document document;
    return document;
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.back() == ' ' || text.back() == '\n' || text.back() == '\t' || text.back() == '\r'))
        text.remove_suffix(1);
    return text;
}

// A value as a label: strings without quotes and escapes, numbers as they are written. Nothing for null.
template <class Value>
simdjson::simdjson_result<std::optional<std::string>> text_of(Value& value) {
    json::json_type type{};
    if (auto error = value.type().get(type)) return error;
    switch (type) {
        case json::json_type::string: {
            std::string_view text;
            if (auto error = value.get_string().get(text)) return error;
            return std::optional{std::string{text}};
        }
        case json::json_type::number: {
            std::string text{trimmed(value.raw_json_token())};
            if (simdjson::simdjson_result<double> checked = value.get_double(); checked.error()) return checked.error();
            return std::optional{std::move(text)};
        }
        case json::json_type::boolean: {
            bool truth = false;
            if (auto error = value.get_bool().get(truth)) return error;
            return std::optional<std::string>{truth ? "true" : "false"};
        }
        default: break;
    }
    return std::optional<std::string>{};
}

class Flatten {
  public:
    explicit Flatten(Labels& labels) : labels_(labels) {}

    simdjson::error_code object(json::object fields, const std::string& prefix, std::size_t depth) {
        if (depth > depth_max) return simdjson::DEPTH_ERROR;
        for (auto field : fields) {
            std::string_view key;
            if (auto error = field.unescaped_key().get(key)) return error;
            auto name = prefix.empty() ? label_name(key) : prefix + "_" + label_name(key).substr(leading(key));
            json::value value;
            if (auto error = field.value().get(value)) return error;
            json::json_type type{};
            if (auto error = value.type().get(type)) return error;
            if (type == json::json_type::object) {
                json::object inner;
                if (auto error = value.get_object().get(inner)) return error;
                if (auto error = object(inner, name, depth + 1)) return error;
            } else if (type == json::json_type::array) {
                std::string_view skipped;
                if (auto error = simdjson::to_json_string(value).get(skipped)) return error;
            } else {
                std::optional<std::string> text;
                if (auto error = text_of(value).get(text)) return error;
                if (text && seen_.insert(name).second) labels_.add_parsed(name, *text);
            }
        }
        return simdjson::SUCCESS;
    }

  private:
    // Within a name, a digit needs no "_" before it.
    static std::size_t leading(std::string_view key) {
        return !key.empty() && key.front() >= '0' && key.front() <= '9' ? 1 : 0;
    }
    Labels& labels_;
    std::set<std::string> seen_;  // the first of equal names counts
};

void note_error(Record& record, simdjson::error_code error) {
    record.labels.set_error(json_error, simdjson::error_message(error));
}

bool is_at_end(json::document& document) {
    const char* place = nullptr;
    return document.current_location().get(place) == simdjson::OUT_OF_BOUNDS;
}

class JsonAll final : public Stage {
  public:
    bool process(Record& record) const override {
        json::document document;
        json::object object;
        auto error = document_of_this_thread().open(record.line).get(document);
        if (!error) error = document.get_object().get(object);
        if (!error) error = Flatten{record.labels}.object(object, "", 0);
        if (!error && !is_at_end(document)) error = simdjson::TAPE_ERROR;
        if (error) note_error(record, error);
        return true;
    }
};

using Step = std::variant<std::string, std::size_t>;

struct Path {
    std::string label;
    std::vector<Step> steps;
};

// a.b["c"][0]
Result<std::vector<Step>> parse_path(std::string_view text) {
    auto bad = [&] { return fail(Remedy::stop, "\"" + std::string{text} + R"(" is no path: a.b["c"][0])"); };
    std::vector<Step> steps;
    auto rest = text;
    auto is_word = [](char c) { return is_letter_or_digit(c) || c == '_' || c == '-'; };
    while (!rest.empty()) {
        if (rest.starts_with("[\"")) {
            auto end = rest.find("\"]");
            if (end == std::string_view::npos) return bad();
            steps.emplace_back(std::string{rest.substr(2, end - 2)});
            rest.remove_prefix(end + 2);
        } else if (rest.starts_with('[')) {
            auto end = rest.find(']');
            if (end == std::string_view::npos || end == 1 || end > 10) return bad();
            std::size_t index = 0;
            for (char c : rest.substr(1, end - 1)) {
                if (c < '0' || c > '9') return bad();
                index = index * 10 + static_cast<std::size_t>(c - '0');
            }
            steps.emplace_back(index);
            rest.remove_prefix(end + 1);
        } else {
            if (rest.front() == '.') {
                if (steps.empty()) return bad();
                rest.remove_prefix(1);
            } else if (!steps.empty()) {
                return bad();
            }
            std::size_t end = 0;
            while (end < rest.size() && is_word(rest[end])) ++end;
            if (end == 0) return bad();
            steps.emplace_back(std::string{rest.substr(0, end)});
            rest.remove_prefix(end);
        }
    }
    if (steps.empty()) return bad();
    return steps;
}

class JsonSome final : public Stage {
  public:
    explicit JsonSome(std::vector<Path> paths) : paths_(std::move(paths)) {}

    bool process(Record& record) const override {
        json::document document;
        auto error = document_of_this_thread().open(record.line).get(document);
        for (const auto& path : paths_) {
            if (error) break;
            std::string text;
            error = find(document, path, text);
            bool is_missing = error == simdjson::NO_SUCH_FIELD || error == simdjson::INDEX_OUT_OF_BOUNDS ||
                              error == simdjson::INCORRECT_TYPE;
            if (is_missing) error = simdjson::SUCCESS;
            if (!error) record.labels.add_parsed(path.label, text);
            document.rewind();
        }
        if (error) note_error(record, error);
        return true;
    }

  private:
    static simdjson::error_code find(json::document& document, const Path& path, std::string& text) {
        json::value at;
        auto error = step(document, path.steps.front()).get(at);
        for (std::size_t i = 1; i < path.steps.size() && !error; ++i) error = step(at, path.steps[i]).get(at);
        if (error) return error;
        json::json_type type{};
        if ((error = at.type().get(type))) return error;
        if (type == json::json_type::object || type == json::json_type::array) {
            std::string_view raw;
            if ((error = simdjson::to_json_string(at).get(raw))) return error;
            text = trimmed(raw);
            return simdjson::SUCCESS;
        }
        std::optional<std::string> simple;
        if ((error = text_of(at).get(simple))) return error;
        text = simple.value_or("");
        return simdjson::SUCCESS;
    }
    template <class From>
    static simdjson::simdjson_result<json::value> step(From& from, const Step& step) {
        if (const auto* key = std::get_if<std::string>(&step)) return from.find_field_unordered(*key);
        json::array array;
        if (auto error = from.get_array().get(array)) return error;
        return array.at(std::get<std::size_t>(step));
    }
    std::vector<Path> paths_;
};

// Strings of one flat object become labels, and "_entry" the line.
class Unpack final : public Stage {
  public:
    bool process(Record& record) const override {
        json::document document;
        json::object object;
        auto error = document_of_this_thread().open(record.line).get(document);
        if (!error) error = document.get_object().get(object);
        std::optional<std::string> entry;
        if (!error) error = take(object, record.labels, entry);
        if (error) note_error(record, error);
        if (entry) record.replace_line(std::move(*entry));
        return true;
    }
    bool replaces_line() const override { return true; }

  private:
    static simdjson::error_code take(json::object& object, Labels& labels, std::optional<std::string>& entry) {
        for (auto field : object) {
            std::string_view key;
            if (auto error = field.unescaped_key().get(key)) return error;
            auto name = std::string{key};
            json::value value;
            if (auto error = field.value().get(value)) return error;
            json::json_type type{};
            if (auto error = value.type().get(type)) return error;
            if (type != json::json_type::string) {
                std::string_view skipped;
                if (auto error = simdjson::to_json_string(value).get(skipped)) return error;
                continue;
            }
            std::string_view text;
            if (auto error = value.get_string().get(text)) return error;
            if (name == "_entry")
                entry = std::string{text};
            else
                labels.add_parsed(label_name(name), text);
        }
        return simdjson::SUCCESS;
    }
};

}  // namespace

Result<StagePtr> json_parser(const std::vector<Extraction>& extractions) {
    if (extractions.empty()) return std::make_unique<JsonAll>();
    std::vector<Path> paths;
    for (const auto& extraction : extractions) {
        TRY(auto steps, parse_path(extraction.path));
        paths.push_back({.label = extraction.label, .steps = std::move(steps)});
    }
    return std::make_unique<JsonSome>(std::move(paths));
}

StagePtr unpack_parser() { return std::make_unique<Unpack>(); }

}  // namespace boatswain::logql
