#include "tenancy/key_file.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "record/source.h"
#include "tenancy/identity.h"

namespace boatswain::tenancy {
namespace {

constexpr std::int64_t ns_per_second = 1'000'000'000;

std::int64_t in_ns(const timespec& time) { return time.tv_sec * ns_per_second + time.tv_nsec; }

Result<std::vector<crypto::Recipient>> recipients_of(std::string_view name, const KeyFileStamp& stamp, const Path& file,
                                                     const Result<std::string_view>& text) {
    auto stem = name.substr(0, name.size() - key_file_suffix.size());
    if (!is_reserved_key_name(stem)) {
        auto tenant = TenantId::parse(stem);
        if (!tenant) return std::unexpected(std::move(tenant).error());
    }
    if (stamp.inode == 0) return fail(Remedy::re_resolve, "cannot be found (a dangling link?)");
    if (!stamp.regular) return fail(Remedy::quarantine, "is not a regular file");
    if (!text) return std::unexpected(text.error());
    if (text->size() > key_file_bytes_max)
        return fail(Remedy::quarantine,
                    "read " + file.string() + ": longer than " + std::to_string(key_file_bytes_max) + " bytes");
    TRY(auto recipients, crypto::parse_recipients(*text));
    if (recipients.empty()) return fail(Remedy::quarantine, "holds no recipient");
    return recipients;
}

}  // namespace

bool is_reserved_key_name(std::string_view name) {
    static const std::string unassigned = TenantId::unassigned().str();
    return name == unassigned || name == break_glass_name;
}

KeyFileStamp KeyFileStamp::of(const struct stat& found) {
    return {.changed_ns = in_ns(found.st_mtim),
            .status_changed_ns = in_ns(found.st_ctim),
            .bytes = static_cast<std::uint64_t>(found.st_size),
            .device = found.st_dev,
            .inode = found.st_ino,
            .regular = S_ISREG(found.st_mode)};
}

Timestamp KeyFileStamp::settled_at() const {
    return Timestamp{Nanoseconds{std::max(changed_ns, status_changed_ns)}} + settled_after;
}

Result<std::string_view> KeyFileReader::text_of(const Path& file) {
    // Without waiting for the other end of what may be a pipe by now.
    Fd opened{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
    if (!opened) return fail_errno(Remedy::stop, "open " + file.string());
    struct stat found{};
    if (::fstat(opened.get(), &found) != 0) return fail_errno(Remedy::stop, "look at " + file.string());
    if (!S_ISREG(found.st_mode)) return fail(Remedy::quarantine, "is not a regular file");
    std::size_t size = 0;
    while (size < buffer_.size()) {
        auto n = ::read(opened.get(), buffer_.data() + size, buffer_.size() - size);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return fail_errno(Remedy::stop, "read " + file.string());
        if (n == 0) break;
        size += static_cast<std::size_t>(n);
    }
    return std::string_view{buffer_}.substr(0, size);
}

KeyFile KeyFileReader::read(const Path& directory, const std::string& name, const KeyFileStamp& stamp, Timestamp now) {
    KeyFile file{.stamp = stamp, .recipients = {}, .trouble = {}};
    if (stamp.regular && is_named_as_identity(name)) {
        file.identity = true;
        return file;
    }
    auto path = directory / name;
    auto text = stamp.regular ? text_of(path) : Result<std::string_view>{std::string_view{}};
    if (stamp.regular && text) {
        file.read = true;
        file.lasts = stamp.settled_at() <= now;
        file.identity = is_identity_text(text->substr(0, identity_look_bytes));
    }
    if (name.ends_with(key_file_suffix)) {
        auto recipients = recipients_of(name, stamp, path, text);
        if (recipients)
            file.recipients = std::move(*recipients);
        else
            file.trouble = std::move(recipients.error().what);
    }
    OPENSSL_cleanse(buffer_.data(), text ? text->size() : buffer_.size());
    return file;
}

}  // namespace boatswain::tenancy
