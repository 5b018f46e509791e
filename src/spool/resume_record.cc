#include "spool/resume_record.h"

#include <algorithm>
#include <charconv>

namespace boatswain::spool {
namespace {

void put(std::string& out, std::string_view field) {
    out += std::to_string(field.size()) + ":";
    out += field;
}

class Fields {
  public:
    explicit Fields(std::string_view text) : left_(text) {}

    std::string next() {
        auto colon = left_.find(':');
        std::size_t size = 0;
        auto [end, error] = std::from_chars(left_.data(), left_.data() + std::min(colon, left_.size()), size);
        bool sound = colon != std::string_view::npos && error == std::errc{} && end == left_.data() + colon &&
                     size <= left_.size() - colon - 1;
        if (!sound) {
            sound_ = false;
            left_ = {};
            return {};
        }
        std::string field{left_.substr(colon + 1, size)};
        left_.remove_prefix(colon + 1 + size);
        return field;
    }
    std::size_t next_count() {
        auto text = next();
        std::size_t count = 0;
        auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
        if (error != std::errc{} || end != text.data() + text.size()) sound_ = false;
        return count;
    }
    bool sound() const { return sound_; }
    bool at_end() const { return sound_ && left_.empty(); }

  private:
    std::string_view left_;
    bool sound_ = true;
};

}  // namespace

std::string known_text(const ResumeRecord& known) {
    std::string out;
    const auto& source = known.source;
    for (const auto& field :
         {source.kind, source.name, source.image, source.reader, source.whose.tenant.str(), source.whose.app,
          source.whose.component, source.whose.instance, source.whose.tenant_rule})
        put(out, field);
    put(out, std::to_string(source.labels.size()));
    for (const auto& [key, value] : source.labels) put(out, key), put(out, value);
    put(out, std::to_string(known.recipients.size()));
    for (const auto& recipient : known.recipients) put(out, recipient.str());
    return out;
}

std::optional<ResumeRecord> parse_known(std::string_view id, std::string_view text) {
    Fields fields{text};
    ResumeRecord known;
    auto& source = known.source;
    source.id = id;
    std::string tenant;
    for (auto* field : {&source.kind, &source.name, &source.image, &source.reader, &tenant, &source.whose.app,
                        &source.whose.component, &source.whose.instance, &source.whose.tenant_rule})
        *field = fields.next();
    auto whose = TenantId::parse_any(tenant);
    if (!whose) return std::nullopt;
    source.whose.tenant = *whose;
    auto labels = fields.next_count();
    for (std::size_t i = 0; i < labels && fields.sound(); ++i) {
        auto key = fields.next();
        source.labels[key] = fields.next();
    }
    auto recipients = fields.next_count();
    for (std::size_t i = 0; i < recipients && fields.sound(); ++i) {
        auto recipient = crypto::Recipient::parse(fields.next());
        if (!recipient) return std::nullopt;
        known.recipients.push_back(*recipient);
    }
    if (!fields.at_end() || known.recipients.empty()) return std::nullopt;
    return known;
}

}  // namespace boatswain::spool
