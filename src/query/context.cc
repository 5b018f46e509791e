#include "query/context.h"

#include <algorithm>
#include <utility>

namespace boatswain::query {

Result<Context::Printing*> Context::printing_of(const Entry& entry) {
    const auto& [tenant, host, id] = std::tie(entry.segment.tenant, entry.segment.host, entry.source.id);
    if (last_name_ != nullptr && *last_name_ == std::tie(tenant, host, id)) return last_;
    auto [place, is_new] = sources_.try_emplace(SourceName{tenant, host, id},
                                                Printing{.keeper = {budget_, "the lines around those that were found"},
                                                         .before = {},
                                                         .after = 0,
                                                         .group = {},
                                                         .held = {}});
    if (is_new) {
        constexpr std::uint64_t node_bytes = 64;
        auto bytes = sizeof(SourceName) + sizeof(Printing) + node_bytes + host.size() + id.size();
        TRY(place->second.held, budget_.hold(bytes, "the sources of the answer"));
    }
    last_name_ = &place->first;
    last_ = &place->second;
    return last_;
}

Result<void> Context::take(const Entry& entry, bool is_found) {
    TRY(auto* source, printing_of(entry));
    ++taken_;
    is_found = is_found && finds_;
    bool is_shown = is_found || source->after > 0;
    if (!is_shown && !finds_) {
        set_after(*source, 0);
        end_group(*source);
        return {};
    }
    // Most lines are neither shown nor kept.
    if (!is_shown && size_.before == 0 && entry.is_line()) {
        end_group(*source);
        return {};
    }
    GroupEntry kept{.kept = {}, .number = taken_};
    TRY(kept.kept, source->keeper.keep(entry));
    if (is_found) {
        for (auto& before : std::exchange(source->before, {})) show(*source, std::move(before), Role::context);
        show(*source, std::move(kept), Role::found);
        set_after(*source, size_.after);
    } else if (is_shown) {
        show(*source, std::move(kept), Role::context);
        set_after(*source, source->after - 1);
    } else {
        source->before.push_back(std::move(kept));
        if (source->before.size() <= size_.before) return {};
        pass_over(*source, std::move(source->before.front()));
        source->before.pop_front();
    }
    return {};
}

void Context::finish() {
    for (auto& [name, source] : sources_) {
        for (auto& kept : std::exchange(source.before, {})) pass_over(source, std::move(kept));
        set_after(source, 0);
        end_group(source);
    }
}

void Context::show(Printing& source, GroupEntry entry, Role role) {
    if (!source.group) source.group = groups_++;
    entry.role = role;
    if (entry.counts()) ++counted_;
    sink_.add(*source.group, std::move(entry));
}

void Context::pass_over(Printing& source, GroupEntry entry) {
    end_group(source);
    if (entry.kept.entry().is_line()) return;
    show(source, std::move(entry), Role::lone_gap);
    end_group(source);
}

void Context::end_group(Printing& source) {
    if (source.group) sink_.ended(*std::exchange(source.group, std::nullopt));
}

void Context::set_after(Printing& source, std::uint64_t after) {
    due_ += (after > 0 ? 1 : 0) - (source.after > 0 ? 1 : 0);
    source.after = after;
}

void GroupsInTurn::add(GroupNumber group, GroupEntry entry) {
    auto [place, is_new] = turn_of_.try_emplace(group);
    if (is_new) place->second = turns_.insert(turns_.end(), Turn{.group = group});
    waiting_bytes_ += entry.kept.held.bytes();
    place->second->entries.push_back(std::move(entry));
    write_what_can_be();
}

void GroupsInTurn::ended(GroupNumber group) {
    auto found = turn_of_.find(group);
    if (found == turn_of_.end()) return;  // all of it was written when it was set aside
    found->second->ended = true;
    write_what_can_be();
}

void GroupsInTurn::write_what_can_be() {
    while (!turns_.empty()) {
        auto& turn = turns_.front();
        for (; !turn.entries.empty(); turn.entries.pop_front()) {
            if (!std::exchange(turn.has_begun, true)) ++written_;
            waiting_bytes_ -= turn.entries.front().kept.held.bytes();
            write_(turn.entries.front(), written_);
        }
        if (!turn.ended && waiting_bytes_ <= waiting_bytes_max) return;
        turn_of_.erase(turn.group);
        turns_.pop_front();
    }
}

void LastGroups::add(GroupNumber number, GroupEntry entry) {
    auto& group = groups_[number];
    bool counts = entry.counts();
    auto order = entry.number;
    group.entries.push_back(std::move(entry));
    if (!counts) {
        if (group.counted == 0) cut_to_context(group);
        return;
    }
    ++group.counted;
    counted_.emplace(order, number);
    if (counted_.size() > most_) {
        drop_one(counted_.begin()->second);
        counted_.erase(counted_.begin());
    }
}

void LastGroups::ended(GroupNumber number) {
    auto found = groups_.find(number);
    if (found == groups_.end()) return;
    found->second.ended = true;
    if (found->second.counted == 0) groups_.erase(found);
}

void LastGroups::drop_one(GroupNumber number) {
    auto& group = groups_.at(number);
    std::ranges::find_if(group.entries, &GroupEntry::counts)->beyond = true;
    --group.counted;
    if (group.counted == 0 && group.ended) {
        groups_.erase(number);
        return;
    }
    cut_to_context(group);
}

// Leaves of what stands before the first entry that counts, or of all when none does, as much as its context.
void LastGroups::cut_to_context(Group& group) const {
    auto first = std::ranges::find_if(group.entries, &GroupEntry::counts);
    auto before = static_cast<std::uint64_t>(first - group.entries.begin());
    if (before <= size_.before) return;
    group.entries.erase(group.entries.begin(), first - static_cast<std::ptrdiff_t>(size_.before));
}

void LastGroups::write(const GroupsInTurn::Write& write) const {
    std::uint64_t written = 0;
    for (const auto& [number, group] : groups_) {
        if (group.counted == 0) continue;
        ++written;
        for (const auto& entry : group.entries) write(entry, written);
    }
}

bool LastGroups::reaches_back() const {
    return std::ranges::all_of(groups_, [&](const auto& numbered) {
        const auto& entries = numbered.second.entries;
        auto first = std::ranges::find_if(entries, &GroupEntry::counts);
        bool alone = first != entries.end() && first->role == Role::lone_gap;
        return numbered.second.counted == 0 || alone ||
               static_cast<std::uint64_t>(first - entries.begin()) >= size_.before;
    });
}

}  // namespace boatswain::query
