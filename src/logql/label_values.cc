#include "logql/label_values.h"

#include "record/line.h"

namespace boatswain::logql {

Result<void> LabelValues::hold(std::string_view text) {
    constexpr std::uint64_t node_bytes = 200;
    TRY(held_.emplace_back(), budget_.hold(node_bytes + text.size(), "the labels of the answer"));
    return {};
}

Result<void> LabelValues::add(std::string_view name, std::string_view value) {
    if (value.empty() || (only_ && name != *only_)) return {};
    auto known = all_.find(name);
    if (known == all_.end()) {
        CHECK(hold(name));
        known = all_.emplace(std::string{name}, Values{}).first;
    }
    if (keep_ == Keep::names || known->second.contains(value)) return {};
    CHECK(hold(value));
    known->second.emplace(value);
    return {};
}

Result<void> LabelValues::take(const query::Origin& origin) {
    for (auto name : origin_label_names()) CHECK(add(name, origin_label(origin, name)));
    for (auto stream : {Stream::err, Stream::out}) CHECK(add(stream_label, to_string(stream)));
    return {};
}

}  // namespace boatswain::logql
