// Any bytes as all that a cell sends about a question. Nothing of another tenant is asked of the store, and no more goes
// out than came in.
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "api/routes.h"
#include "cell/relay.h"

namespace {

using namespace boatswain;

// Holds an object wherever it is asked for one.
class Anything final : public store::Store {
  public:
    Result<store::PutOutcome> put(std::string_view, std::string_view, std::string_view) override { std::abort(); }
    Result<void> replace(std::string_view, std::string_view, std::string_view) override { std::abort(); }
    Result<store::RangeBytes> read(std::string_view key, store::Range range) override {
        if (!key.starts_with("v1/tenant=acme/")) std::abort();
        return store::RangeBytes{.bytes = std::string(std::min<std::uint64_t>(range.length, 100), 'x'),
                                 .first = range.first,
                                 .object_size = 100};
    }
    Result<std::string> read(std::string_view) override { std::abort(); }
    Result<store::ListPage> list(std::string_view prefix, bool, const std::optional<std::string>&) override {
        if (!prefix.starts_with("v1/tenant=acme/")) std::abort();
        return store::ListPage{.objects = {{.key = std::string{prefix} + "x", .size = 1}}, .prefixes = {}, .next = {}};
    }
    Result<void> probe() override { return {}; }
    std::string describe() const override { return "anything"; }
};

class Counted final : public http::PieceWriter {
  public:
    Counted() : PieceWriter(http::Coding::none) {}
    bool has_sent() const override { return bytes > 0; }
    std::size_t bytes = 0;

  private:
    void take(http::Answer head) override {
        if (head.content_type.contains("html")) std::abort();
    }
    bool take(std::string piece) override {
        bytes += piece.size();
        return true;
    }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace boatswain::cell;
    static cell::Hands hands{2};
    int ends[2];
    constexpr std::size_t size_max = 64U << 10;
    if (size > size_max || ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return 0;
    Fd cell{ends[1]};
    if (::send(cell.get(), data, size, MSG_NOSIGNAL) != static_cast<ssize_t>(size)) return 0;
    (void)::shutdown(cell.get(), SHUT_WR);
    Anything store;
    SystemClock clock;
    Counted out;
    std::atomic<bool> given_up = false;
    auto route = size % 2 == 0 ? "lines" : "labels";
    api::Question question{
        .route = *api::route_named(route),
        .name = {},
        .who = {.id = {}, .sha256 = {}, .tenant = TenantId::parse("acme").value(), .expires = {}, .apps = {}},
        .given = {}};
    Channel channel{Fd{ends[0]}, from_cell_bytes_max, std::chrono::milliseconds{1'000}};
    Relay relay{channel, store, hands, clock, question, given_up, out};
    auto relayed = relay.run();
    if (relayed.reply.answer.body.size() + out.bytes > size + 200) std::abort();
    return 0;
}
