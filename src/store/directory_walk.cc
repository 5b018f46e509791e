#include "store/directory_walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "store/key.h"

namespace boatswain::store {
namespace {

struct Entry {
    std::string
        name;  // one part of a key, unfolded; a directory's with a '/' behind it, so that entries sort as keys do
    Path path;
    std::uint64_t size = 0;
    bool is_directory() const { return name.ends_with('/'); }
};

struct CloseDirectory {
    void operator()(DIR* directory) const { ::closedir(directory); }
};

// In one directory, which is read whole to be sorted.
constexpr std::size_t directory_entries_max = 2'000'000;

// Adds the entries of `directory` to `entries`. `unfolded` is what a folded name had so far; inside a folded name every
// piece starts with '+', outside none does.
Result<void> add_entries(std::vector<Entry>& entries, const Path& directory, const std::string& unfolded) {
    std::unique_ptr<DIR, CloseDirectory> open{::opendir(directory.c_str())};
    if (!open) {
        if (errno == ENOENT || errno == ENOTDIR) return {};
        return fail_errno(errno == EACCES ? Remedy::stop : Remedy::back_off, "list " + directory.string());
    }
    while (auto* found = ::readdir(open.get())) {
        std::string_view piece = found->d_name;
        if (piece == "." || piece == ".." || is_temporary_name(piece)) continue;
        if (entries.size() == directory_entries_max)
            return fail(Remedy::stop, "list " + directory.string() + ": more than " +
                                          std::to_string(directory_entries_max) + " names in one directory");
        if (piece.starts_with('+') != !unfolded.empty()) continue;
        struct stat status{};
        if (::fstatat(::dirfd(open.get()), found->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
        bool folds_on = piece.ends_with('+') && S_ISDIR(status.st_mode) && piece.size() > 1;
        auto name = unfolded + std::string{piece.substr(unfolded.empty() ? 0 : 1)};
        if (folds_on) name.pop_back();
        if (name.size() > key_bytes_max) continue;
        if (folds_on)
            CHECK(add_entries(entries, directory / piece, name));
        else if (key_problem(name))
            continue;
        else if (S_ISDIR(status.st_mode))
            entries.push_back({name + "/", directory / piece});
        else if (S_ISREG(status.st_mode))
            entries.push_back({name, directory / piece, static_cast<std::uint64_t>(status.st_size)});
    }
    return {};
}

class Walker {
  public:
    explicit Walker(const WalkOrder& order) : order_(order) {}

    // Visits what lies in `directory`, whose keys start with `above`. False when the page is full.
    Result<bool> visit(const Path& directory, const std::string& above) {
        std::vector<Entry> entries;
        CHECK(add_entries(entries, directory, {}));
        std::ranges::sort(entries, {}, &Entry::name);
        for (auto& entry : entries) {
            auto key = above + entry.name;
            if (key.size() > key_bytes_max || !leads_to_the_prefix(key)) continue;
            TRY(bool room_left, entry.is_directory() ? visit_directory(entry, key) : visit_object(entry, key));
            if (!room_left) return false;
        }
        return true;
    }

    ListPage take() && { return std::move(page_); }

  private:
    bool leads_to_the_prefix(std::string_view key) const {
        return key.starts_with(order_.prefix) || (key.ends_with('/') && order_.prefix.starts_with(key));
    }

    Result<bool> visit_object(const Entry& entry, const std::string& key) {
        if (key <= order_.after) return true;
        if (is_full()) return false;
        page_.objects.push_back({key, entry.size});
        last_ = key;
        return true;
    }

    Result<bool> visit_directory(const Entry& entry, const std::string& key) {
        bool is_common_prefix = order_.delimited && key.size() > order_.prefix.size();
        if (!is_common_prefix) {
            bool all_seen = key < order_.after && !order_.after.starts_with(key);
            return all_seen ? Result<bool>{true} : visit(entry.path, key);
        }
        if (key <= order_.after) return true;
        TRY(bool some, holds_an_object(entry.path, key.size()));
        if (!some) return true;  // S3 knows no empty directories, so neither do we
        if (is_full()) return false;
        page_.prefixes.push_back(key);
        last_ = key;
        return true;
    }

    Result<bool> holds_an_object(const Path& directory, std::size_t key_bytes) const {
        if (key_bytes > key_bytes_max) return false;
        std::vector<Entry> entries;
        CHECK(add_entries(entries, directory, {}));
        for (const auto& entry : entries) {
            if (!entry.is_directory()) return true;
            TRY(bool some, holds_an_object(entry.path, key_bytes + entry.name.size()));
            if (some) return true;
        }
        return false;
    }

    // Called before each addition: a full page with one more to come is a page with a next one.
    bool is_full() {
        if (page_.objects.size() + page_.prefixes.size() < order_.page_max) return false;
        page_.next = last_;
        return true;
    }

    const WalkOrder& order_;
    ListPage page_;
    std::string last_;
};

}  // namespace

bool is_temporary_name(std::string_view name) {
    auto cut_number = [&] {
        auto digits = name.size() - (name.find_last_not_of("0123456789") + 1);
        if (digits == 0 || digits == name.size()) return false;
        name.remove_suffix(digits);
        return true;
    };
    if (!name.starts_with('.') || !cut_number() || !name.ends_with('.')) return false;
    name.remove_suffix(1);
    return cut_number() && name.ends_with(".tmp.");
}

Result<ListPage> walk(const Path& root, const WalkOrder& order) {
    Walker walker{order};
    CHECK(walker.visit(root, {}));
    return std::move(walker).take();
}

}  // namespace boatswain::store
