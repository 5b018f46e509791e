// Who printed: a source, and whose it is.
#pragma once

#include <compare>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace boatswain {

// The name of a tenant, checked: 1 to 128 bytes of UTF-8 without control characters, '/' and '\', that does not start
// with '.' or '_'. Names that start with '_' are Boatswain's own (TenantId::unassigned()).
class TenantId {
  public:
    static constexpr std::size_t bytes_max = 128;

    // Remedy::quarantine with a sentence that says what is wrong with the name.
    static Result<TenantId> parse(std::string_view name);

    // Whose lines go here belongs to nobody we know: sealed for the operator ("_unassigned").
    static TenantId unassigned();
    // The agent's own lines, by which it tries the way from a line to the store ("_canary").
    static TenantId canary();
    // A name as parse() takes it, or one of the two above.
    static Result<TenantId> parse_any(std::string_view name);

    const std::string& str() const { return name_; }
    auto operator<=>(const TenantId&) const = default;

  private:
    explicit TenantId(std::string name) : name_(std::move(name)) {}
    std::string name_;
};

// Whose lines a source's are, as the rules of tenancy found it.
struct Attribution {
    TenantId tenant = TenantId::unassigned();
    std::string app;          // never empty for a container: the last rule is its name
    std::string component;    // may be empty
    std::string instance;     // may be empty
    std::string tenant_rule;  // the rule that answered, e.g. "env:BOATSWAIN_TENANT"; or why none did

    bool operator==(const Attribution&) const = default;
};

// One thing that prints. A value; what is stored of it in a segment's footer is in docs/formats/segment.md.
struct Source {
    std::string id;    // unique in the cluster: a container's 64 hex digits
    std::string kind;  // "docker"
    std::string name;  // for people: the container's name without its leading '/'
    std::string image;
    std::string reader;  // how it is read: "json-file", "logs", "attach"
    Attribution whose;
    std::map<std::string, std::string> labels;  // only those that configuration asks for

    bool operator==(const Source&) const = default;
};

}  // namespace boatswain
