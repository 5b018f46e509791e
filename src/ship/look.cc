#include "ship/look.h"

#include <algorithm>
#include <vector>

#include "base/bytes.h"
#include "segment/object_key.h"

namespace boatswain::ship {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::hours;

// Where hours are so few, each is asked for by itself: else one request of each day says which there are.
constexpr hours hours_asked_for_singly{4};

class Look {
  public:
    Look(store::Store& store, const TenantId& tenant, const std::string& host, const spool::HeadAtStart& head)
        : store_(store),
          tenant_(tenant),
          under_hour_("host=" + percent_encode(host) + "/" + percent_encode(head.epoch) + "."),
          head_(head) {}

    Result<std::optional<std::string>> run(Timestamp now) {
        auto last = floor<hours>(now);
        auto first = head_.moved == Timestamp{} ? last : std::min(floor<hours>(head_.moved - look_margin), last);
        TRY(auto hours, hours_between(first, last));
        for (auto hour : hours) {
            TRY(auto found, look_into(hour));
            if (found || requests_ >= look_requests_max) return found;
        }
        return std::optional<std::string>{};
    }

  private:
    Result<std::vector<Timestamp>> hours_between(Timestamp first, Timestamp last) {
        std::vector<Timestamp> found;
        if (last - first < hours_asked_for_singly) {
            for (auto hour = first; hour <= last; hour += hours{1}) found.push_back(hour);
            return found;
        }
        last = std::min(last, first + look_days_max);
        for (Timestamp day = floor<days>(first); day <= last; day += days{1}) {
            constexpr std::size_t day_text_size = 11;  // 2026-11-23T
            auto prefix = segment::tenant_prefix(tenant_) + "hour=" + to_text(day).substr(0, day_text_size);
            ++requests_;
            TRY(auto page, store_.list(prefix, true, std::nullopt));  // of a day, one page has all
            for (const auto& there : page.prefixes) {
                auto hour = parse_time(there.substr(prefix.size() - day_text_size, day_text_size + 2) + ":00:00Z");
                if (hour && *hour >= first && *hour <= last) found.push_back(*hour);
            }
        }
        return found;
    }

    Result<std::optional<std::string>> look_into(Timestamp hour) {
        std::optional<std::string> next;
        do {
            ++requests_;
            TRY(auto page, store_.list(segment::hour_prefix(tenant_, hour) + under_hour_, false, next));
            for (const auto& object : page.objects) {
                auto key = segment::parse_object_key(object.key);
                if (key && key->epoch == head_.epoch && key->sequence > head_.sequence)
                    return std::optional{object.key};
            }
            next = std::move(page.next);
        } while (next && requests_ < look_requests_max);
        return std::optional<std::string>{};
    }

    store::Store& store_;
    const TenantId& tenant_;
    const std::string under_hour_;
    const spool::HeadAtStart& head_;
    std::size_t requests_ = 0;
};

}  // namespace

Result<std::optional<std::string>> object_behind(store::Store& store, const TenantId& tenant, const std::string& host,
                                                 const spool::HeadAtStart& head, Timestamp now) {
    return Look{store, tenant, host, head}.run(now);
}

}  // namespace boatswain::ship
