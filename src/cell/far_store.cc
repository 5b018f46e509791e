#include "cell/far_store.h"

#include <algorithm>
#include <utility>

namespace boatswain::cell {
namespace {

std::unexpected<Error> only_read() { return fail(Remedy::stop, "a cell reads ranges of objects"); }
std::unexpected<Error> refused(Remedy remedy) {
    return fail(remedy, remedy == Remedy::re_resolve ? "the object is gone" : "the server's log says why");
}

}  // namespace

Result<void> FarStore::hear(const ChannelMessage& message) {
    std::uint32_t id = 0;
    std::optional<Answered> answered;
    if (message.kind == MessageKind::bytes) {
        TRY(auto reply, parse_read_reply(message.bytes));
        id = reply.id;
        answered = std::move(reply.range);
    } else if (message.kind == MessageKind::listing) {
        TRY(auto reply, parse_list_reply(message.bytes));
        id = reply.id;
        answered = std::move(reply.page);
    } else if (message.kind == MessageKind::refused) {
        TRY(auto reply, parse_call_refused(message.bytes));
        id = reply.id;
        answered = reply.remedy;
    } else {
        return fail(Remedy::quarantine, "the server sent what no cell asked for");
    }
    std::scoped_lock lock{guard_};
    auto place = waiting_.find(id);
    if (place == waiting_.end()) return fail(Remedy::quarantine, "the server answered what nobody asked");
    place->second.answered = std::move(answered);
    came_.notify_all();
    return {};
}

void FarStore::end() {
    std::scoped_lock lock{guard_};
    is_over_ = true;
    came_.notify_all();
}

template <class Outcome, class Call>
Result<Outcome> FarStore::ask(Call call) {
    {
        std::scoped_lock lock{guard_};
        if (is_over_) return refused(Remedy::stop);
        call.id = ++last_id_;
        waiting_.try_emplace(call.id);
    }
    auto sent = channel_.send(pack(call));
    std::unique_lock lock{guard_};
    auto place = waiting_.find(call.id);
    came_.wait(lock, [&] { return is_over_ || !sent || place->second.answered; });
    auto answered = std::move(place->second.answered);
    waiting_.erase(place);
    if (!answered) return refused(Remedy::stop);
    if (auto* remedy = std::get_if<Remedy>(&*answered)) return refused(*remedy);
    auto* outcome = std::get_if<Outcome>(&*answered);
    if (outcome == nullptr) return refused(Remedy::stop);
    return std::move(*outcome);
}

Result<store::RangeBytes> FarStore::read_part(std::string_view key, store::Range range) {
    return ask<store::RangeBytes>(ReadCall{.key = std::string{key}, .range = range});
}

Result<store::RangeBytes> FarStore::read(std::string_view key, store::Range range) {
    if (range.suffix) range.length = std::min(range.length, read_bytes_max);
    if (range.length <= read_bytes_max) return read_part(key, range);
    store::RangeBytes whole{.bytes = {}, .first = range.first};
    while (whole.bytes.size() < range.length) {
        auto length = std::min(read_bytes_max, range.length - whole.bytes.size());
        TRY(auto part, read_part(key, {.first = range.first + whole.bytes.size(), .length = length}));
        whole.object_size = part.object_size;
        whole.bytes += part.bytes;
        if (part.bytes.size() != length) break;
    }
    return whole;
}

Result<store::ListPage> FarStore::list(std::string_view prefix, bool delimited,
                                       const std::optional<std::string>& next) {
    return ask<store::ListPage>(ListCall{.prefix = std::string{prefix}, .delimited = delimited, .next = next});
}

Result<store::PutOutcome> FarStore::put(std::string_view, std::string_view, std::string_view) { return only_read(); }
Result<void> FarStore::replace(std::string_view, std::string_view, std::string_view) { return only_read(); }
Result<std::string> FarStore::read(std::string_view) { return only_read(); }

}  // namespace boatswain::cell
