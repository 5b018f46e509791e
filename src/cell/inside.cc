#include "cell/inside.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <exception>
#include <memory>
#include <optional>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include "api/questions.h"
#include "base/time.h"
#include "cell/answer_writer.h"
#include "cell/channel.h"
#include "cell/far_store.h"
#include "cell/setup.h"
#include "open/identity.h"
#include "query/crew.h"
#include "query/known_footers.h"
#include "sandbox/isolation.h"

namespace boatswain::cell {
namespace {

constexpr int exit_well = 0, exit_alone = 2, exit_unconfined = 3;
constexpr int unavailable = 503, server_error = 500;

struct Cell {
    CellSetup setup;
    SystemClock clock{};
    query::Crew crew{};
    query::KnownFooters known{setup.footer_cache};
    std::atomic<std::uint32_t> questions{0};
};

// Everything of one question; belongs to the thread that answers it.
class Answer {
  public:
    Answer(Cell& cell, Handed handed)
        : cell_(cell),
          identities_(std::move(handed.identities)),
          channel_(std::move(handed.channel), to_cell_bytes_max) {}

    void run() {
        auto asked = channel_.receive(std::chrono::milliseconds{-1});
        if (!asked || !*asked || (*asked)->kind != MessageKind::question) return;
        auto question = parse_question((*asked)->bytes, cell_.setup.tenant);
        if (!question) return;
        asked->reset();
        std::jthread hears{[this] { hear(); }};
        ChannelWriter out{channel_, question->coding};
        // What is thrown ends this question, and no other one.
        try {
            (void)out.end(reply(*question, out));
        } catch (const std::exception& thrown) {
            (void)out.end({.answer = api::error_answer(server_error, "the query failed"),
                           .trouble = thrown.what(),
                           .is_whole = false});
        }
        channel_.shut_down(true);
    }

  private:
    // Until the server has no more to say: the question is answered, or its client is gone.
    void hear() {
        for (;;) {
            auto message = channel_.receive(std::chrono::milliseconds{-1});
            if (!message || !*message || !store_.hear(**message)) break;
        }
        given_up_ = true;
        store_.end();
    }

    api::Reply reply(const api::Question& question, ChannelWriter& out) {
        auto identities = open::read_identities(std::exchange(identities_, {}));
        if (!identities)
            return {.answer = api::error_answer(unavailable, "this server has no key for these logs"),
                    .trouble = identities.error().what};
        api::Sources sources{.store = store_,
                             .identities = {},
                             .limits = question.limits,
                             .clock = cell_.clock,
                             .version = cell_.setup.version,
                             .crew = &cell_.crew,
                             .known = &cell_.known,
                             .opened_with = &*identities};
        return api::answer(question, sources, given_up_, &out);
    }

    Cell& cell_;
    Fd identities_;
    Channel channel_;
    FarStore store_{channel_, cell_.setup.read_ahead};
    std::atomic<bool> given_up_ = false;
};

// The server asks as many at a time as may be, and counts a question that it has the answer of no more; here it may
// still be on its way out. The next one waits for that.
void begin(const std::shared_ptr<Cell>& cell, Handed handed) {
    auto leave = [](Cell& left) {
        --left.questions;
        left.questions.notify_one();
    };
    for (auto busy = cell->questions.load(); busy >= cell->setup.questions_max; busy = cell->questions.load())
        cell->questions.wait(busy);
    ++cell->questions;
    auto answer = std::make_unique<Answer>(*cell, std::move(handed));
    try {
        // Nobody waits for it: the process ends while it runs, or it ends by itself.
        std::thread{[cell, leave, answer = std::move(answer)]() mutable {
            answer->run();
            answer.reset();
            leave(*cell);
        }}.detach();
    } catch (const std::system_error&) {
        leave(*cell);
    }
}

}  // namespace

void end_before_the_server() {
    constexpr std::string_view ends_first = "500";
    Fd score{::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC)};
    if (score) (void)!::write(score.get(), ends_first.data(), ends_first.size());
}

int run_cell() {
    Fd control{control_descriptor};
    int type = 0;
    socklen_t size = sizeof type;
    if (::getsockopt(control.get(), SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_SEQPACKET) {
        std::fputs("boatswain cell: it is started by `boatswain serve`\n", stderr);
        return exit_alone;
    }
    auto confined = sandbox::isolate();
    if (!confined) {
        (void)send_packet(control, pack(CellReady{.missing = confined.error().what}));
        return exit_unconfined;
    }
    auto packet = receive_packet(control);
    auto setup = packet ? parse_setup(*packet) : std::unexpected(packet.error());
    if (!setup || !send_packet(control, pack(CellReady{.is_confined = true, .missing = confined->missing})))
        return exit_alone;
    auto cell = std::make_shared<Cell>(std::move(*setup));
    for (;;) {
        auto handed = receive_handed(control);
        if (!handed) return exit_well;
        begin(cell, std::move(*handed));
    }
}

}  // namespace boatswain::cell
