#include "base/secret.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bit>
#include <cstdint>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>

namespace boatswain {
namespace {

constexpr std::size_t slot_bytes = 64;
constexpr std::size_t slots_in_page = 64;
constexpr std::size_t page_bytes = slot_bytes * slots_in_page;  // of ours; the system's may be larger

struct Page {
    std::size_t bytes = page_bytes;
    std::uint64_t taken = 0;  // a bit for each slot; a page of one large secret has all of them
    bool locked = false;
};

std::size_t slots_for(std::size_t size) { return (size + slot_bytes - 1) / slot_bytes; }

std::uint64_t run_of(std::size_t slots) { return slots >= slots_in_page ? ~0ULL : (1ULL << slots) - 1; }

// Where `slots` free ones lie side by side, or slots_in_page.
std::size_t free_run(std::uint64_t taken, std::size_t slots) {
    for (std::size_t at = 0; at + slots <= slots_in_page; ++at)
        if ((taken & (run_of(slots) << at)) == 0) return at;
    return slots_in_page;
}

class Pool {
  public:
    void* allocate(std::size_t size) {
        std::scoped_lock lock{mutex_};
        auto slots = slots_for(size);
        if (slots <= slots_in_page)
            for (auto& [start, page] : pages_)
                if (auto at = free_run(page.taken, slots); at < slots_in_page) {
                    page.taken |= run_of(slots) << at;
                    return start + at * slot_bytes;
                }
        auto& [start, page] = *map(slots <= slots_in_page ? page_bytes : slots * slot_bytes);
        page.taken = run_of(slots);
        return start;
    }

    void release(void* secret, std::size_t size) {
        std::scoped_lock lock{mutex_};
        auto* at = static_cast<char*>(secret);
        auto found = std::prev(pages_.upper_bound(at));
        auto& page = found->second;
        page.taken &= ~(run_of(slots_for(size)) << (static_cast<std::size_t>(at - found->first) / slot_bytes));
        if (page.taken != 0) return;
        ::munmap(found->first, page.bytes);  // unlocks it
        pages_.erase(found);
    }

    SecretMemory standing() {
        std::scoped_lock lock{mutex_};
        SecretMemory sum;
        for (const auto& [start, page] : pages_) (page.locked ? sum.locked_bytes : sum.unlocked_bytes) += page.bytes;
        return sum;
    }

  private:
    std::map<char*, Page>::iterator map(std::size_t bytes) {
        auto system_page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
        bytes = (bytes + system_page - 1) / system_page * system_page;
        void* start = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (start == MAP_FAILED) throw std::bad_alloc{};
        // Both fail on no kernel that we know; core dumps are forbidden anyway.
        (void)::madvise(start, bytes, MADV_DONTDUMP);
        (void)::madvise(start, bytes, MADV_WIPEONFORK);
        bool locked = ::syscall(SYS_mlock, start, bytes) == 0;  // sanitizers make nothing of mlock()
        return pages_.emplace(static_cast<char*>(start), Page{.bytes = bytes, .locked = locked}).first;
    }

    std::mutex mutex_;
    std::map<char*, Page> pages_;  // by their start
};

// Never taken down: secrets in objects that live as long as the program are released after everything else.
Pool& pool() {
    static auto* const the_pool = new Pool;
    return *the_pool;
}

}  // namespace

SecretMemory secret_memory() { return pool().standing(); }

void* allocate_secret(std::size_t size) { return pool().allocate(size == 0 ? 1 : size); }

void release_secret(void* secret, std::size_t size) noexcept {
    if (secret == nullptr) return;
    ::explicit_bzero(secret, size);
    pool().release(secret, size == 0 ? 1 : size);
}

Secret::Secret(std::string_view bytes) : size_(bytes.size()) {
    if (bytes.empty()) return;
    bytes_ = static_cast<char*>(allocate_secret(size_));
    std::memcpy(bytes_, bytes.data(), size_);
}

Secret::Secret(Secret&& other) noexcept
    : bytes_(std::exchange(other.bytes_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Secret& Secret::operator=(Secret other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(size_, other.size_);
    return *this;
}

Secret::~Secret() { release_secret(bytes_, size_); }

WipeAtEnd::~WipeAtEnd() { ::explicit_bzero(bytes_, size_); }

bool Secret::operator==(const Secret& other) const {
    if (size_ != other.size_) return false;
    unsigned char differs = 0;
    for (std::size_t i = 0; i < size_; ++i)
        differs = static_cast<unsigned char>(differs | (bytes_[i] ^ other.bytes_[i]));
    return differs == 0;
}

}  // namespace boatswain
