#include "cell/cells.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "cell/relay.h"
#include "query/crew.h"

namespace boatswain::cell {
namespace {

constexpr int unavailable = 503;
// How long a cell may take no byte that it asked for.
constexpr std::chrono::milliseconds stall_max{10'000};
constexpr std::chrono::milliseconds look_every{1'000};
// Code, libraries, one frame and one footer for each hand.
constexpr std::uint64_t memory_beside = 512ULL << 20;
constexpr std::uint64_t thread_bytes = 8ULL << 20;

// A question's budget, its answer in several forms, and the stacks of its threads: far more than it should be, so that
// what reaches it is out of hand.
std::uint64_t memory_of_a_cell(const CellsOptions& options) {
    constexpr std::uint64_t of_a_question = 3;
    return memory_beside + options.footer_cache + query::hands_of_this_machine() * thread_bytes +
           options.questions_max * (of_a_question * options.memory + 2 * thread_bytes);
}

api::Reply refuse(std::string_view what, std::string trouble) {
    return {.answer = api::error_answer(unavailable, what), .trouble = std::move(trouble)};
}

Result<Fd> open_identities(const Path& path) {
    Fd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
    struct stat found{};
    // Our own want of descriptors says nothing of the key.
    if (!file && (errno == EMFILE || errno == ENFILE)) return fail_errno(Remedy::back_off, "open " + path.string());
    if (!file || ::fstat(file.get(), &found) != 0) return fail_errno(Remedy::re_resolve, "open " + path.string());
    if (!S_ISREG(found.st_mode)) return fail(Remedy::stop, path.string() + " is no file");
    return file;
}

}  // namespace

struct Cells::Cell {
    explicit Cell(TenantId whose) : tenant(std::move(whose)) {}
    const TenantId tenant;
    std::mutex starting;                 // held while it is started; of the next two, until one is there
    std::optional<CellProcess> process;  // then as it is, until nobody has the cell any more
    std::optional<Error> why_not;        // it could not be started
    // Of Cells::guard_:
    std::size_t questions = 0;
    std::chrono::steady_clock::time_point idle_since{};
};

// A question's place in a cell.
class Cells::Seat {
  public:
    Seat(Cells& cells, std::shared_ptr<Cell> cell) : cells_(&cells), cell_(std::move(cell)) {}
    Seat(Seat&& other) noexcept = default;
    Seat& operator=(Seat&&) = delete;
    ~Seat() {
        if (cell_) cells_->leave(cell_, fault_);
    }

    CellProcess& process() { return *cell_->process; }
    // The cell answers nobody any more.
    void give_up_the_cell(std::string fault) { fault_ = std::move(fault); }

  private:
    Cells* cells_;
    std::shared_ptr<Cell> cell_;
    std::string fault_;
};

Cells::Cells(Fd executable, store::Store& store, Path identities, CellsOptions options, const Clock& clock,
             Metrics& metrics, Log& log)
    : executable_(std::move(executable)),
      store_(store),
      identities_(std::move(identities)),
      options_(std::move(options)),
      clock_(clock),
      metrics_(metrics),
      log_(log),
      hands_(calls_max * options_.questions_max),
      keeper_([this] { keep(); }) {
    show_count();
}

Cells::~Cells() {
    {
        std::scoped_lock lock{guard_};
        is_over_ = true;
    }
    is_over_called_.notify_all();
    keeper_.join();
}

Result<CellProcess> Cells::start(const TenantId& tenant) const {
    return CellProcess::start(executable_, options_.word,
                              {.tenant = tenant,
                               .version = options_.version,
                               .footer_cache = options_.footer_cache,
                               .questions_max = static_cast<std::uint32_t>(options_.questions_max),
                               .read_ahead = store_.read_ahead_bytes()},
                              {.memory_max = memory_of_a_cell(options_),
                               .questions_max = static_cast<std::uint32_t>(options_.questions_max)});
}

Result<std::string> Cells::probe() {
    TRY(auto cell, start(TenantId::unassigned()));
    return cell.missing();
}

void Cells::show_count() {
    metrics_.gauge("boatswain_serve_cells", "Processes that read, each for one tenant")
        .set(static_cast<double>(cells_.size()));
}

// Of those that have been idle since `since` or longer.
std::shared_ptr<Cells::Cell> Cells::take_longest_idle(std::chrono::steady_clock::time_point since) {
    auto longest = cells_.end();
    for (auto at = cells_.begin(); at != cells_.end(); ++at)
        if (at->second->questions == 0 && at->second->idle_since <= since &&
            (longest == cells_.end() || at->second->idle_since < longest->second->idle_since))
            longest = at;
    if (longest == cells_.end()) return nullptr;
    auto cell = std::move(longest->second);
    cells_.erase(longest);
    show_count();
    return cell;
}

Result<Cells::Seat> Cells::seat_for(const TenantId& tenant) {
    std::shared_ptr<Cell> cell, gives_way;  // ends outside of the lock
    {
        std::scoped_lock lock{guard_};
        auto place = cells_.find(tenant);
        // One that died while nobody looked.
        if (place != cells_.end() && place->second->questions == 0 && place->second->process &&
            place->second->process->has_ended()) {
            gives_way = std::move(place->second);
            cells_.erase(place);
            place = cells_.end();
        }
        if (place == cells_.end()) {
            if (cells_.size() >= options_.cells_max) gives_way = take_longest_idle(clock_.steady());
            if (cells_.size() >= options_.cells_max)
                return fail(Remedy::back_off, "as many cells answer as there may be");
            place = cells_.emplace(tenant, std::make_shared<Cell>(tenant)).first;
            show_count();
        }
        cell = place->second;
        ++cell->questions;
    }
    gives_way.reset();  // before another one begins: no more than cells_max live
    Seat seat{*this, cell};
    std::scoped_lock lock{cell->starting};
    if (cell->process) return seat;
    // Those who waited for a start that failed do not try again, each after the other.
    if (cell->why_not) return std::unexpected(*cell->why_not);
    metrics_.counter("boatswain_serve_cell_starts_total", "Processes that were started to read for a tenant").add();
    auto started = start(tenant);
    if (!started) {
        cell->why_not = started.error();
        seat.give_up_the_cell(started.error().what);
        return std::unexpected(std::move(started).error());
    }
    cell->process.emplace(std::move(*started));
    return seat;
}

void Cells::leave(const std::shared_ptr<Cell>& cell, const std::string& fault) {
    std::scoped_lock lock{guard_};
    --cell->questions;
    cell->idle_since = clock_.steady();
    if (fault.empty()) return;
    auto place = cells_.find(cell->tenant);
    if (place == cells_.end() || place->second != cell) return;  // another question has seen it
    metrics_.counter("boatswain_serve_cell_faults_total", "Processes that ended, or were ended, while they read").add();
    cells_.erase(place);
    show_count();
}

void Cells::keep() {
    std::unique_lock lock{guard_};
    while (!is_over_) {
        is_over_called_.wait_for(lock, look_every);
        while (auto idle = take_longest_idle(clock_.steady() - options_.idle_max)) {
            lock.unlock();
            idle.reset();
            lock.lock();
        }
    }
}

std::optional<pid_t> Cells::process_of(const TenantId& tenant) const {
    std::scoped_lock lock{guard_};
    auto place = cells_.find(tenant);
    if (place == cells_.end()) return std::nullopt;
    std::scoped_lock started{place->second->starting};
    return place->second->process ? std::optional{place->second->process->id()} : std::nullopt;
}

api::Reply Cells::answer(const api::Question& question, const std::atomic<bool>& given_up, http::PieceWriter& out) {
    const auto& tenant = question.who.tenant;
    Handed handed;
    auto identities = open_identities(identities_ / (tenant.str() + ".key"));
    if (!identities)
        return refuse(identities.error().remedy == Remedy::back_off ? "what reads these logs cannot be asked: ask again"
                                                                    : "this server has no key for these logs",
                      identities.error().what);
    handed.identities = std::move(*identities);
    auto seat = seat_for(tenant);
    if (!seat) return refuse("what reads these logs cannot be started: ask again", seat.error().what);
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return refuse("what reads these logs cannot be asked: ask again", "no socket for a question");
    Channel channel{Fd{ends[0]}, from_cell_bytes_max, stall_max};
    handed.channel = Fd{ends[1]};
    if (auto taken = seat->process().hand(handed); !taken) {
        seat->process().kill();
        seat->give_up_the_cell(taken.error().what);
        return refuse("what reads these logs ended: ask again", taken.error().what);
    }
    handed = {};
    Relay relay{channel, store_, hands_, clock_, question, given_up, out};
    auto relayed = relay.run();
    if (!relayed.fault.empty()) {
        log_.error("a cell ended, or was ended", {{"tenant", tenant.str()}, {"why", relayed.fault}});
        seat->process().kill();
        seat->give_up_the_cell(std::move(relayed.fault));
    }
    return std::move(relayed.reply);
}

}  // namespace boatswain::cell
