#include "record/source.h"

#include "base/bytes.h"

namespace boatswain {

Result<TenantId> TenantId::parse(std::string_view name) {
    auto refuse = [&](std::string why) {
        return fail(Remedy::quarantine, "tenant name \"" + printable(name, 64) + "\": " + std::move(why));
    };
    if (name.empty()) return refuse("is empty");
    if (name.size() > bytes_max)
        return refuse("has " + std::to_string(name.size()) + " bytes, at most " + std::to_string(bytes_max) +
                      " are allowed");
    if (name.front() == '.') return refuse("starts with '.'");
    if (name.front() == '_') return refuse("starts with '_', which is kept for Boatswain itself");
    if (!is_valid_utf8(name)) return refuse("is not UTF-8");
    for (std::size_t i = 0; i < name.size(); ++i) {
        auto byte = static_cast<unsigned char>(name[i]);
        if (byte == '/' || byte == '\\') return refuse(std::string{"contains '"} + name[i] + "'");
        bool c1_control = byte == 0xC2 && static_cast<unsigned char>(name[i + 1]) < 0xA0;
        if (byte < 0x20 || byte == 0x7F || c1_control) return refuse("contains a control character");
    }
    return TenantId{std::string{name}};
}

TenantId TenantId::unassigned() { return TenantId{"_unassigned"}; }
TenantId TenantId::canary() { return TenantId{"_canary"}; }

Result<TenantId> TenantId::parse_any(std::string_view name) {
    for (const auto& own : {unassigned(), canary()})
        if (name == own.str()) return own;
    return parse(name);
}

}  // namespace boatswain
