#include "query/verify.h"

#include <mutex>
#include <numeric>

#include "base/bytes.h"
#include "base/text.h"
#include "query/ordered_parallel.h"

namespace boatswain::query {

namespace {

// An id of up to 256 bytes, a node, a Progress.
constexpr std::uint64_t open_source_memory = 400;

// "3" or "3 to 7"
std::string stretch(std::uint64_t first, std::uint64_t last) {
    return first == last ? std::to_string(first) : std::to_string(first) + " to " + std::to_string(last);
}

}  // namespace

void Findings::add(Problem problem) {
    ++faults.at(static_cast<std::size_t>(problem.fault));
    if (problems.size() < problems_named_max) problems.push_back(std::move(problem));
}

std::uint64_t Findings::problem_count() const {
    return std::accumulate(faults.begin(), faults.end(), std::uint64_t{0});
}

ChainChecker::ChainChecker(const ListedChain& chain, Findings& findings, Budget* budget)
    : chain_(chain),
      findings_(findings),
      budget_(budget),
      name_("tenant \"" + printable(chain.id.tenant.str(), 64) + "\", host \"" + printable(chain.id.host, 64) +
            "\", epoch \"" + printable(chain.id.epoch, 64) + "\"") {
    report_.id = chain.id;
    report_.first_in_store = chain.first_in_store;
    report_.last_in_store = chain.last_in_store;
}

void ChainChecker::add(Fault fault, const std::string& what) {
    ++report_.problems;
    findings_.add({fault, what});
}

Result<void> ChainChecker::take(const Link& link, const Examined& object) {
    if (is_copy(link, object)) {
        ++report_.copies;
        return {};
    }
    ++report_.segments;
    report_.bytes += link.size;
    for (const auto& problem : object.problems) {
        ++report_.problems;
        findings_.add(problem);
    }
    if (take_place(link, object)) {
        take_link(link, object);
        at_ = link.sequence;
        hashes_ = {object.sha256};
        last_name_ = object.name;
        report_.last = link.sequence;
        report_.last_sha256 = object.sha256;
    } else {
        // Of a number, the lines of one object are counted: the first that opens.
        if (at_is_opened_ || !object.opened) return {};
        --unseen_;
    }
    at_is_opened_ = object.opened;

    report_.opened += object.opened ? 1 : 0;
    report_.for_others += object.for_others ? 1 : 0;
    if (object.for_others && report_.unopened.size() < problems_named_max) report_.unopened.push_back(object.name);
    if (!object.opened) {
        ++unseen_;
        return {};
    }
    for (const auto& frame : object.frames) CHECK(take_frame(object, frame));
    take_gaps(object);
    return {};
}

// The bytes of the object before, under the second form of its key: an agent that may only write puts it there when it
// cannot see what holds the first.
bool ChainChecker::is_copy(const Link& link, const Examined& object) const {
    return report_.segments > 0 && link.sequence == at_ && link.second_form && object.problems.empty() &&
           hashes_.contains(object.sha256);
}

// The sequence number against the one before. False: another object has this number too, and was taken for it.
bool ChainChecker::take_place(const Link& link, const Examined& object) {
    if (report_.segments == 1) {
        report_.first = link.sequence;
        return true;
    }
    if (link.sequence == at_) {
        take_another(link, object);
        return false;
    }
    if (link.sequence > at_ + 1) {
        auto missing = link.sequence - at_ - 1;
        unseen_ += missing;
        add(Fault::missing, name_ + ": " + counted(missing, "segment") + " missing, number " +
                                stretch(at_ + 1, link.sequence - 1) + ", between " + last_name_ + " and " +
                                object.name);
    }
    return true;
}

// A further object of the number before.
void ChainChecker::take_another(const Link& link, const Examined& object) {
    hashes_.insert(object.sha256);
    auto number = ": number " + std::to_string(at_) + " is there twice";
    if (!link.second_form)
        add(Fault::repeated, object.name + number + ", as " + last_name_ + " too");
    else
        add(Fault::conflict, object.name + number + ": " + last_name_ +
                                 " holds other bytes. The key was taken by one who may write to the store, or by the "
                                 "host itself when its state was restored or copied; both objects were kept");
}

// The hash of the predecessor, as this object says it, against the object that is there.
void ChainChecker::take_link(const Link& link, const Examined& object) {
    if (object.sha256.empty()) return;  // gone
    if (!object.previous_sha256) {
        ++report_.unlinked;
        return;
    }
    const auto& previous = *object.previous_sha256;
    if (link.sequence == 1) {
        if (!previous.empty())
            add(Fault::broken_link, object.name + ": it is the first of its chain and names a predecessor");
        return;
    }
    if (previous.empty()) return add(Fault::broken_link, object.name + ": it names no predecessor");
    bool predecessor_seen = report_.segments > 1 && at_ + 1 == link.sequence && !hashes_.contains("");
    if (predecessor_seen && !hashes_.contains(previous))
        add(Fault::broken_link, object.name + ": it was sealed after an object with SHA-256 " + previous + ", and " +
                                    last_name_ + " has " + *hashes_.begin() +
                                    ": one of the two was exchanged or changed");
}

Result<void> ChainChecker::take_frame(const Examined& object, const ExaminedFrame& frame) {
    const auto& source = object.sources[frame.source];
    auto where =
        object.name + ": source " + printable(source.id.substr(0, 12), 48) + " (" + printable(source.name, 64) + ")";
    report_.lines += frame.lines;
    report_.message_bytes += frame.message_bytes;
    if (ended_.contains(source.id)) {
        add(Fault::lines, where + " goes on after its closing record");
        return {};
    }
    auto [place, is_new] = open_.try_emplace(source.id);
    auto& progress = place->second;
    if (is_new) {
        if (open_.size() > open_sources_max)
            return fail(Remedy::stop, name_ + " has more than " + std::to_string(open_sources_max) +
                                          " sources without an end; ask for less with --since and --until");
        Share held;
        if (budget_ != nullptr) {
            TRY(held, budget_->hold(open_source_memory, "the sources of " + name_ + " that have no end"));
        }
        ++report_.sources;
        progress = {.next_ordinal = frame.first_ordinal,
                    .whole = frame.first_ordinal == 0,
                    .unseen = unseen_,
                    .held = std::move(held)};
        report_.begun_before += progress.whole ? 0 : 1;
    }
    // Lines that could not be sealed are missing from the count, and a gap record says so.
    std::uint64_t named = 0;
    for (const auto& [index, gap] : object.gaps)
        if (index == frame.source && gap.reason == gap_unsealed) named += gap.lines_min;
    take_ordinals(progress, frame, named, where);
    if (frame.end) take_end(source.id, progress, *frame.end, where);
    return {};
}

void ChainChecker::take_ordinals(Progress& progress, const ExaminedFrame& frame, std::uint64_t named,
                                 const std::string& where) {
    auto expected = progress.next_ordinal;
    if (frame.first_ordinal > expected) {
        auto skipped = frame.first_ordinal - expected;
        bool explained = progress.reassigned || progress.unseen != unseen_ || skipped <= named;
        if (progress.unseen != unseen_) report_.lines_missing += skipped;
        if (!explained)
            add(Fault::lines, where + " lacks " + counted(skipped, "line") + ", number " +
                                  stretch(expected, frame.first_ordinal - 1) + ", though no segment is missing");
        progress.whole = false;
    } else if (frame.first_ordinal < expected) {
        add(Fault::lines, where + " repeats " + counted(expected - frame.first_ordinal, "line") + ", from number " +
                              std::to_string(frame.first_ordinal));
        progress.whole = false;
    }
    // Ordinals are the writer's word: one so high that lines do not fit behind it is as wrong as one that is skipped.
    if (__builtin_add_overflow(frame.first_ordinal, frame.lines, &progress.next_ordinal))
        add(Fault::lines, where + " counts its lines from " + std::to_string(frame.first_ordinal));
    progress.bytes += frame.message_bytes;
    progress.reassigned = false;
    progress.unseen = unseen_;
}

void ChainChecker::take_end(const std::string& id, Progress& progress, const End& end, const std::string& where) {
    if (end.lines != progress.next_ordinal)
        add(Fault::totals, where + " ended after " + counted(end.lines, "line") + ", and " +
                               std::to_string(progress.next_ordinal) + " were counted");
    else if (progress.whole && end.bytes && *end.bytes != progress.bytes)
        add(Fault::totals, where + " ended after " + counted(*end.bytes, "byte") + ", and " +
                               std::to_string(progress.bytes) + " were counted");
    if (end.reason == end_reassigned) {
        progress.reassigned = true;
        return;
    }
    ++report_.ended;
    open_.erase(id);
    ended_.insert(id);
    ended_in_order_.push_back(id);
    if (ended_in_order_.size() <= ended_sources_max) return;
    ended_.erase(ended_in_order_.front());
    ended_in_order_.pop_front();
}

void ChainChecker::take_gaps(const Examined& object) {
    report_.gaps += object.gap_count;
    findings_.gap_count += object.gap_count;
    for (const auto& [index, gap] : object.gaps) {
        auto& reasons = findings_.gaps_by_reason;
        bool listed = reasons.contains(gap.reason) || reasons.size() < gap_reasons_max;
        auto& total = reasons[listed ? gap.reason : "other"];
        ++total.count;
        total.lines_min += gap.lines_min;
        total.bytes_min += gap.bytes_min;
        const auto& source = object.sources[index];
        if (findings_.gaps.size() < gaps_named_max)
            findings_.gaps.push_back(
                {.chain = chain_.id, .source = source.id, .name = source.name, .app = source.app, .gap = gap});
    }
}

void judge_unopened(Verification& verification) {
    std::set<TenantId> readable;
    for (const auto& chain : verification.chains)
        if (chain.opened > 0) readable.insert(chain.id.tenant);
    for (auto& chain : verification.chains) {
        if (!readable.contains(chain.id.tenant)) continue;
        chain.problems += chain.for_others;
        for (const auto& name : chain.unopened)
            verification.findings.add(
                {Fault::unopened, name + ": no identity given opens it, though they open others of this tenant: it "
                                         "was changed, or it is sealed for another key, which is needed too"});
        verification.findings.faults.at(static_cast<std::size_t>(Fault::unopened)) +=
            chain.for_others - chain.unopened.size();
    }
}

Result<Verification> verify_store(store::Store& store, std::span<const open::Identity> identities,
                                  const VerifyRequest& request, Budget& budget,
                                  const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
    Catalog catalog{store, &budget};
    TRY(auto chains, list_chains(catalog, request.tenant, request.host, request.range, budget));
    auto bounds = request.oversized ? open::Bounds::of_the_format() : open::Bounds{};
    std::mutex large_footers;
    bounds.large_footers = &large_footers;
    std::uint64_t total = 0, done = 0;
    for (const auto& chain : chains) total += chain.links.size();
    Verification verification{.foreign = catalog.foreign()};
    for (const auto& chain : chains) {
        ChainChecker checker{chain, verification.findings, &budget};
        auto work = [&](std::size_t at) {
            return examine(store, chain.key(chain.links[at]), chain.links[at].size, identities, bounds);
        };
        auto take = [&](std::size_t at, Examined object) {
            progress(++done, total);
            return checker.take(chain.links[at], object);
        };
        CHECK(ordered_parallel<Examined>(chain.links.size(), verifiers, 2 * verifiers, work, take));
        verification.chains.push_back(checker.report());
    }
    judge_unopened(verification);
    return verification;
}

}  // namespace boatswain::query
