#include "tenancy/keyring.h"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "base/bytes.h"
#include "tenancy/identity.h"

namespace boatswain::tenancy {
namespace {

constexpr auto suffix = key_file_suffix;
constexpr std::string_view gone_suffix = ".gone";

constexpr auto second_of = [](const auto& pair) { return pair.second; };

std::string_view unassigned_name() {
    static const std::string name = TenantId::unassigned().str();
    return name;
}

// Adds those of `more` that are not there yet, up to the number that one segment can be sealed for.
void add(std::vector<crypto::Recipient>& to, const std::vector<crypto::Recipient>& more) {
    for (const auto& recipient : more)
        if (to.size() < crypto::recipients_max && std::ranges::find(to, recipient) == to.end()) to.push_back(recipient);
}

}  // namespace

// The stamps are taken before the files are read, so that a change in between is seen as one by the next look.
Result<Keyring::Listing> Keyring::list() const {
    std::unique_ptr<DIR, int (*)(DIR*)> directory{::opendir(directory_.c_str()), ::closedir};
    if (!directory) return fail_errno(Remedy::stop, "read the keyring " + directory_.string());
    Listing listing;
    auto add_stamp = [&](const std::string& name, const struct stat& found) {
        listing.files[name] = Stamp::of(found);
        if ((found.st_mode & (S_IWGRP | S_IWOTH)) != 0) listing.writable.insert(name);
    };
    struct stat found{};
    if (::fstat(::dirfd(directory.get()), &found) != 0)
        return fail_errno(Remedy::stop, "stat the keyring " + directory_.string());
    add_stamp("", found);
    for (errno = 0; const auto* entry = ::readdir(directory.get()); errno = 0) {
        std::string name = entry->d_name;
        if (name == "." || name == "..") continue;
        if (listing.files.size() + listing.others.size() > key_files_max)
            return fail(Remedy::stop, "read the keyring " + directory_.string() + ": more than " +
                                          std::to_string(key_files_max) + " files");
        bool there = ::fstatat(::dirfd(directory.get()), name.c_str(), &found, 0) == 0;
        // Hidden names are other programs' (an editor's, Kubernetes' "..data").
        if (!name.ends_with(suffix) || name.size() == suffix.size() || name.front() == '.') {
            if (there && S_ISREG(found.st_mode)) listing.others[name] = Stamp::of(found);
        } else if (there) {
            add_stamp(name, found);
        } else {
            listing.files[name] = {};  // a dangling link, or gone since: said when it is read
        }
    }
    if (errno != 0) return fail_errno(Remedy::back_off, "read the keyring " + directory_.string());
    return listing;
}

// What is known of a file that was not changed is not read again: with thousands of them that takes most of a second.
void Keyring::read_files(const Listing& listing, Timestamp now) {
    std::map<std::string, KeyFile> files;
    KeyFileReader reader;
    for (const auto* of : {&listing.files, &listing.others})
        for (const auto& [name, stamp] : *of) {
            if (name.empty()) continue;
            auto known = read_.find(name);
            bool same = known != read_.end() && known->second.lasts && known->second.stamp == stamp;
            files.emplace(name, same ? std::move(known->second) : reader.read(directory_, name, stamp, now));
        }
    read_ = std::move(files);
}

// Hidden files, too: an editor's copy of an identity opens as much as the identity.
std::vector<std::string> Keyring::identities_read() const {
    std::vector<std::string> names;
    for (const auto& [name, file] : read_)
        if (file.identity) names.push_back(name);
    return names;
}

// Before the first reload() it is what an earlier process understood.
LastGood Keyring::known_before(std::vector<std::string>& problems) {
    if (!std::exchange(loaded_, true) && !last_good_.empty()) {
        auto kept = read_last_good(last_good_, directory_);
        if (kept) return *(kept_ = std::move(*kept));
        problems.push_back("what the key files said at the last start is not known: " + kept.error().what);
    }
    std::scoped_lock lock{mutex_};
    return {.files = files_, .removed = removed_};
}

// Whose key file was there before, and is not. What is reserved is nobody's lines.
Keyring::Removed Keyring::removed_now(const LastGood& before, const Files& files, const Broken& broken,
                                      const Listing& listing, Timestamp now, std::vector<std::string>& problems) const {
    Removed removed;
    auto is_gone = [&](const std::string& name) { return listing.others.contains(name + std::string{gone_suffix}); };
    auto note = [&](const std::string& name, Timestamp since) {
        if (!files.contains(name) && !is_reserved_key_name(name) && !is_gone(name)) removed.emplace(name, since);
    };
    for (const auto& [name, since] : before.removed) note(name, since);
    for (const auto& [name, recipients] : before.files)
        if (!broken.contains(name)) note(name, now);
    for (; removed.size() > removed_keys_max; removed.erase(std::ranges::min_element(removed, {}, second_of)))
        problems.push_back(printable(std::ranges::min_element(removed, {}, second_of)->first) +
                           ".pub: was removed, and is forgotten: so many were");
    for (const auto& [name, recipients] : files)
        if (is_gone(name))
            problems.push_back(printable(name) + std::string{gone_suffix} + ": does not count, as " + printable(name) +
                               ".pub is there");
    return removed;
}

// Without it, a key file that is broken at the next start holds its tenant's lines: no reason to stop now.
void Keyring::keep(const LastGood& known, std::vector<std::string>& problems) {
    if (last_good_.empty() || !keeps_ || kept_ == known) return;
    auto written = write_last_good(last_good_, directory_, known);
    if (written)
        kept_ = known;
    else
        problems.push_back("what the key files say is not kept for the next start: " + written.error().what);
}

void Keyring::take(LastGood known, Broken broken, std::string unreadable) {
    std::scoped_lock lock{mutex_};
    auto unknown = [](const Files& files, const Broken& all) {
        Broken without;
        for (const auto& one : all)
            if (!files.contains(one.first)) without.insert(one);
        return without;
    };
    bool changed = known.files != files_ || known.removed != removed_ ||
                   unknown(known.files, broken) != unknown(files_, broken_) || unreadable != unreadable_;
    files_ = std::move(known.files);
    removed_ = std::move(known.removed);
    broken_ = std::move(broken);
    unreadable_ = std::move(unreadable);
    if (changed) ++generation_;
}

void Keyring::note_seen(Listing listing, std::string identities) {
    std::optional<Timestamp> look_again;
    for (const auto& [name, file] : read_)
        if (file.read && !file.lasts) look_again = std::max(look_again.value_or(Timestamp{}), file.stamp.settled_at());
    std::scoped_lock lock{mutex_};
    identities_ = std::move(identities);
    seen_ = std::move(listing);
    look_again_ = look_again;
}

Result<std::vector<std::string>> Keyring::reload(Timestamp now) {
    std::scoped_lock one_at_a_time{reloading_};
    std::vector<std::string> problems;
    auto before = known_before(problems);
    auto listing = list();
    if (!listing) {
        take(std::move(before), {}, listing.error().what);
        return std::unexpected(std::move(listing).error());
    }

    read_files(*listing, now);
    if (auto names = identities_read(); !names.empty()) {
        auto refused = identities_refused(directory_, names);
        take(std::move(before), {}, refused);
        note_seen(std::move(*listing), refused);
        return fail(Remedy::stop, std::move(refused));
    }

    Files files;
    Broken broken;
    if (listing->writable.contains(""))
        problems.push_back(directory_.string() + ": the directory may be written to by group or others");
    for (const auto& [name, stamp] : listing->files) {
        if (name.empty()) continue;
        if (listing->writable.contains(name))
            problems.push_back(printable(name) + ": may be written to by group or others");
        auto stem = name.substr(0, name.size() - suffix.size());
        const auto& file = read_.at(name);
        if (file.trouble.empty()) {
            files.emplace(std::move(stem), file.recipients);
            continue;
        }
        problems.push_back(printable(name) + ": " + file.trouble);
        if (auto kept = before.files.find(stem); kept != before.files.end()) {
            problems.back() += "; what it said before stays in force";
            files.insert(*kept);
        }
        broken.emplace(std::move(stem), file.trouble);
    }
    if (auto glass = files.find(break_glass_name.data()); glass != files.end())
        for (const auto& [name, recipients] : files)
            if (name != break_glass_name && recipients.size() + glass->second.size() > crypto::recipients_max)
                problems.push_back(printable(name) + ".pub: with those of " + std::string{break_glass_name} +
                                   ".pub more than " + std::to_string(crypto::recipients_max) +
                                   " recipients; break-glass recipients past that are left out");

    auto removed = removed_now(before, files, broken, *listing, now, problems);
    LastGood known{.files = std::move(files), .removed = std::move(removed)};
    keep(known, problems);
    take(std::move(known), std::move(broken), {});
    note_seen(std::move(*listing), {});
    return problems;
}

std::vector<std::string> Keyring::broken(std::size_t most) const {
    std::scoped_lock lock{mutex_};
    std::vector<std::string> sentences;
    if (!unreadable_.empty())
        sentences.push_back(unreadable_ + (files_.empty() ? "; nothing is read until that is mended"
                                                          : "; the keys of before stay in force, others are held"));
    for (const auto& [name, why] : broken_) {
        if (sentences.size() >= most) break;
        sentences.push_back(printable(name) + ".pub: " + why +
                            (files_.contains(name)       ? "; what it said before stays in force"
                             : name == break_glass_name  ? "; all containers are held until it is mended"
                             : name == unassigned_name() ? "; what is to be quarantined is held until it is mended"
                                                         : "; its tenant's containers are held until it is mended"));
    }
    return sentences;
}

bool Keyring::is_of_a_broken_file(std::string_view problem) const {
    std::scoped_lock lock{mutex_};
    return std::ranges::any_of(
        broken_, [&](const auto& one) { return problem.starts_with(printable(one.first) + ".pub: " + one.second); });
}

bool Keyring::changed_on_disk(Timestamp now) const {
    auto listing = list();
    std::scoped_lock lock{mutex_};
    return !listing || !seen_ || *listing != *seen_ || (look_again_ && *look_again_ <= now);
}

Keyring::Recipients Keyring::with_break_glass(const std::string& name) const {
    auto own = files_.find(name);
    if (own == files_.end()) return {};
    auto recipients = own->second;
    if (auto glass = files_.find(break_glass_name.data()); glass != files_.end()) add(recipients, glass->second);
    return recipients;
}

std::vector<crypto::Recipient> Keyring::recipients(const TenantId& tenant) const {
    std::scoped_lock lock{mutex_};
    return with_break_glass(tenant.str());
}

std::string Keyring::held(const std::string& name) const {
    for (const std::string& needed : {name, std::string{break_glass_name}}) {
        if (files_.contains(needed)) continue;
        if (auto found = broken_.find(needed); found != broken_.end())
            return "the key file " + printable(needed) + ".pub is broken (" + found->second + ")";
    }
    if (!unreadable_.empty() && !files_.contains(name)) return "the keyring is not taken over (" + unreadable_ + ")";
    return {};
}

Keys Keyring::keys_for(const TenantId& tenant) const {
    std::scoped_lock lock{mutex_};
    Keys keys{.operators = with_break_glass(TenantId::unassigned().str()),
              .operators_held = held(TenantId::unassigned().str())};
    if (tenant != TenantId::unassigned()) {
        keys.tenant = with_break_glass(tenant.str());
        keys.held = held(tenant.str());
        if (auto found = removed_.find(tenant.str()); found != removed_.end()) keys.removed_since = found->second;
    }
    if (auto glass = files_.find(break_glass_name.data()); glass != files_.end()) keys.break_glass = glass->second;
    return keys;
}

RemovedKeys Keyring::removed() const {
    std::scoped_lock lock{mutex_};
    return removed_;
}

std::string Keyring::identities() const {
    std::scoped_lock lock{mutex_};
    return identities_;
}

std::vector<std::string> Keyring::tenants() const {
    std::scoped_lock lock{mutex_};
    std::vector<std::string> names;
    for (const auto& [name, recipients] : files_)
        if (!is_reserved_key_name(name)) names.push_back(name);
    return names;
}

std::uint64_t Keyring::generation() const {
    std::scoped_lock lock{mutex_};
    return generation_;
}

}  // namespace boatswain::tenancy
