// Lines around lines that were found, as grep prints them: those before and behind in the same source, in groups.
//
// Context decides which entries are shown and to which group each belongs; a group is a run of entries of one source
// without one left out, so that groups that touch are one, and nothing is shown twice. What becomes of groups is a
// GroupSink's: GroupsInTurn writes them one after the other as they are found, LastGroups keeps the last ones.
//
// A gap counts as a line of context. One that no group takes in is a group of its own, since what is missing may be
// what was searched for.
//
// Memory: of each source as many entries as are shown before a hit, and what a sink keeps; all of it held of the
// budget.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <tuple>

#include "query/kept_entry.h"

namespace boatswain::query {

struct ContextSize {
    std::uint64_t before = 0;
    std::uint64_t after = 0;
};

inline constexpr std::uint64_t context_lines_max = 1'000;

enum class Role : std::uint8_t { found, context, lone_gap };

struct GroupEntry {
    KeptEntry kept;
    std::uint64_t number = 0;  // in the order of read_lines()
    Role role = Role::context;
    bool beyond = false;  // enough others were found: it is shown as context of these, if at all

    // Whether it is one of the "N lines" that somebody asked for.
    bool counts() const { return role != Role::context && !beyond; }
};

using GroupNumber = std::uint64_t;

// Takes groups as they come to be: those of several sources at once.
class GroupSink {
  public:
    virtual ~GroupSink() = default;
    virtual void add(GroupNumber group, GroupEntry entry) = 0;
    virtual void ended(GroupNumber group) = 0;  // nothing more will be added to it
};

class Context {
  public:
    Context(ContextSize size, Budget& budget, GroupSink& sink) : size_(size), budget_(budget), sink_(sink) {}

    // The next entry, in the order of read_lines(). An error: the budget is used up.
    Result<void> take(const Entry& entry, bool is_found);
    // From now on only lines behind those that were found are shown, whatever is in them: as grep -m does.
    void find_no_more() { finds_ = false; }
    // Of what was shown, as much as counts.
    std::uint64_t counted() const { return counted_; }
    // Whether lines behind one that was found are still due.
    bool is_due() const { return due_ > 0; }
    // Nothing more comes.
    void finish();

  private:
    struct Printing {
        EntryKeeper keeper;
        std::deque<GroupEntry> before;  // not shown so far
        std::uint64_t after = 0;        // lines that are still due
        std::optional<GroupNumber> group;
        Share held;
    };
    using SourceName = std::tuple<TenantId, std::string, std::string>;  // tenant, host, source id

    Result<Printing*> printing_of(const Entry& entry);
    void show(Printing& source, GroupEntry entry, Role role);
    void pass_over(Printing& source, GroupEntry entry);
    void end_group(Printing& source);
    void set_after(Printing& source, std::uint64_t after);

    ContextSize size_;
    Budget& budget_;
    GroupSink& sink_;
    std::map<SourceName, Printing> sources_;
    const SourceName* last_name_ = nullptr;
    Printing* last_ = nullptr;
    GroupNumber groups_ = 0;
    std::uint64_t taken_ = 0;
    std::uint64_t counted_ = 0;
    std::uint64_t due_ = 0;  // sources of which lines are due
    bool finds_ = true;
};

// Writes groups one after the other, in the order in which they begin. While one is not ended, what belongs to others
// waits; when that comes to waiting_bytes_max, the rest of the first one comes later, as a group of its own.
class GroupsInTurn final : public GroupSink {
  public:
    static constexpr std::uint64_t waiting_bytes_max = 4U << 20;

    // `group` counts from 1, in the order of writing.
    using Write = std::function<void(const GroupEntry& entry, std::uint64_t group)>;
    explicit GroupsInTurn(Write write) : write_(std::move(write)) {}

    void add(GroupNumber group, GroupEntry entry) override;
    void ended(GroupNumber group) override;

  private:
    // One that was set aside and goes on is another turn.
    struct Turn {
        GroupNumber group = 0;
        std::deque<GroupEntry> entries{};
        bool has_begun = false;  // something of it was written
        bool ended = false;
    };
    void write_what_can_be();

    Write write_;
    std::list<Turn> turns_;  // the first is being written
    std::map<GroupNumber, std::list<Turn>::iterator> turn_of_;
    std::uint64_t waiting_bytes_ = 0;
    std::uint64_t written_ = 0;
};

// Keeps the groups of the last `most` entries that count, each with the context of those alone.
class LastGroups final : public GroupSink {
  public:
    LastGroups(std::uint64_t most, ContextSize size) : most_(most), size_(size) {}

    void add(GroupNumber group, GroupEntry entry) override;
    void ended(GroupNumber group) override;

    // Writes them, in the order in which they begin.
    void write(const GroupsInTurn::Write& write) const;
    std::uint64_t counted() const { return counted_.size(); }
    // Whether each group has all lines before the first that counts: what was read reaches far enough back.
    bool reaches_back() const;

  private:
    struct Group {
        std::deque<GroupEntry> entries{};
        std::uint64_t counted = 0;
        bool ended = false;
    };
    void drop_one(GroupNumber group);
    void cut_to_context(Group& group) const;

    std::uint64_t most_;
    ContextSize size_;
    std::map<GroupNumber, Group> groups_;
    std::map<std::uint64_t, GroupNumber> counted_;  // by the number of the entry that counts: its group
};

}  // namespace boatswain::query
