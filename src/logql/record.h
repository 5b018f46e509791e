// One line on its way through a pipeline: its text, which stages may replace, and its labels, which stages add and
// drop.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "query/filter.h"

namespace boatswain::logql {

// Where a label comes from. Of a name in several, the last kind counts.
enum class LabelKind : std::uint8_t {
    stream,    // who printed: what a selector can ask for
    metadata,  // of the line or its source, not for selectors
    parsed,    // out of the line, by a stage
};

struct Label {
    std::string name;
    std::string value;
    LabelKind kind = LabelKind::parsed;
    bool operator==(const Label&) const = default;
};

inline constexpr std::string_view error_label = "__error__";
inline constexpr std::string_view error_details_label = "__error_details__";

// A line that gives more keeps the first ones, with an error: labels are searched one by one, and a line of a megabyte
// can have a hundred thousand fields.
inline constexpr std::size_t labels_max = 500;
inline constexpr std::string_view too_many_labels = "TooManyLabels";

// Labels of one line; a handful, so they are searched one by one.
class Labels {
  public:
    // Absent labels are "".
    std::string_view value(std::string_view name) const;
    bool has(std::string_view name) const { return find(name) != nullptr; }
    bool has_stream(std::string_view name) const;
    // Replaces one of that name, whatever its kind.
    void set(std::string_view name, std::string_view value, LabelKind kind);
    // As a parser adds one: a name that a stream label has becomes NAME_extracted.
    void add_parsed(std::string_view name, std::string_view value);
    void erase(std::string_view name);
    void set_error(std::string_view error, std::string_view details);
    template <class Predicate>
    void erase_if(const Predicate& predicate) {
        std::erase_if(all_, predicate);
    }
    void clear() { all_.clear(); }
    const std::vector<Label>& all() const { return all_; }
    // By name; labels without a value are left out, as Loki does.
    std::vector<Label> sorted() const;

  private:
    const Label* find(std::string_view name) const;
    std::vector<Label> all_;
};

struct Record {
    Timestamp time{};
    std::string_view line;  // of `replaced`, or borrowed from the entry
    std::string replaced;
    Labels labels;

    void replace_line(std::string text) {
        replaced = std::move(text);
        line = replaced;
    }
};

// The labels by which a selector finds who printed: app, component, container, host, instance, namespace, pod,
// service_name, stream, tenant.
inline constexpr std::string_view stream_label = "stream";
// "" when there is none of that name.
std::string_view origin_label(const query::Origin& origin, std::string_view name);
std::vector<std::string_view> origin_label_names();  // in order; without stream, which lines have and sources do not
void add_origin_labels(const query::Entry& entry, Labels& labels);

}  // namespace boatswain::logql
