#include "boatswain/values.h"

#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <set>

#include "base/text.h"
#include "boatswain/reading.h"
#include "query/crew.h"

namespace boatswain::tool {
namespace {

// Whoever pressed the tab key waits at most so long; what was found until then is offered.
constexpr timeval values_time{.tv_sec = 2, .tv_usec = 0};
// Hours with segments that are looked at, the latest first.
constexpr std::size_t values_hours = 24;
constexpr std::size_t values_max = 1'000;

struct Silent final : query::Observer {
    void damaged(const Error&) override {}
};

// Ends the process when the time is up, wherever it is: a store that does not answer can keep a thread for a minute.
class Deadline {
  public:
    Deadline() {
        std::signal(SIGALRM, [](int) { ::_exit(exit_ok); });
        itimerval timer{.it_interval = {}, .it_value = values_time};
        ::setitimer(ITIMER_REAL, &timer, nullptr);
    }
    ~Deadline() {
        itimerval none{};
        ::setitimer(ITIMER_REAL, &none, nullptr);
    }
    Deadline(const Deadline&) = delete;
    Deadline& operator=(const Deadline&) = delete;
};

// Each name once, at once.
class Offers {
  public:
    explicit Offers(Output& out) : out_(out) {}
    bool add(const std::string& name) {
        if (seen_.size() == values_max) return false;
        if (name.empty() || !is_plain_word(name) || !seen_.insert(name).second) return true;
        out_.write(name + "\n");
        out_.flush();
        return true;
    }

  private:
    Output& out_;
    std::set<std::string> seen_;
};

Result<void> offer_sources(const Values& request, query::Selection selection, store::Store& store,
                           std::span<const open::Identity> identities, query::Budget& budget, Offers& offers) {
    Silent observer;
    query::Crew crew;
    TRY(auto hours, query::hours_with_segments(store, selection, budget));
    auto first = hours.size() > values_hours ? hours.end() - values_hours : hours.begin();
    for (auto hour = hours.end(); hour != first;) {
        --hour;
        selection.range = {.since = *hour, .until = *hour + std::chrono::hours{1}};
        CHECK(query::read_footers(store, identities, selection, {.budget = budget, .crew = &crew}, observer,
                                  [&](const query::SegmentInfo&, const open::Footer& footer) {
                                      bool wants_more = true;
                                      for (const auto& source : footer.sources)
                                          wants_more =
                                              offers.add(request.kind == "app" ? source.whose.app : source.name);
                                      return wants_more;
                                  }));
    }
    return {};
}

Result<void> offer(const Values& request, Console& console) {
    TRY(auto store, open_store(request.store, console));
    query::Budget budget{query::budget_bytes_default};
    Offers offers{console.out};
    if (request.kind == "tenant") {
        TRY(auto tenants, query::Catalog(*store, &budget).tenants());
        for (const auto& tenant : tenants)
            if (!offers.add(tenant.str())) break;
        return {};
    }
    query::Selection selection;
    if (!request.tenant.empty()) {
        TRY(selection.tenant, query::parse_tenant(request.tenant));
    }
    TRY(auto identities, read_identities(request.identities, console));
    return offer_sources(request, selection, *store, identities, budget, offers);
}

// "dir", ":", "/logs" and "--store", "=", "x" are one word each.
std::vector<std::string> joined(const std::vector<std::string>& words) {
    std::vector<std::string> whole;
    bool goes_on = false;
    for (const auto& word : words) {
        bool is_break = !word.empty() && word.find_first_not_of(":=") == word.npos;
        if ((is_break || goes_on) && !whole.empty())
            whole.back() += word;
        else
            whole.push_back(word);
        goes_on = is_break;
    }
    return whole;
}

// As the shell would have given it.
std::string unquoted(std::string word) {
    bool is_quoted = word.size() >= 2 && word.front() == word.back() && (word.front() == '"' || word.front() == '\'');
    if (is_quoted) return word.substr(1, word.size() - 2);
    const char* home = std::getenv("HOME");
    if (word.starts_with("~/") && home != nullptr) word.replace(0, 1, home);
    return word;
}

}  // namespace

bool is_plain_word(const std::string& word) {
    return !word.starts_with('-') && std::ranges::all_of(word, [](char c) {
        return is_letter_or_digit(c) || std::string_view{"._/@+,-"}.contains(c);
    });
}

Values values_request(const std::vector<std::string>& words) {
    auto whole = joined(words);
    Values request;
    if (whole.empty()) return request;
    request.kind = whole.front();
    for (std::size_t at = 1; at < whole.size(); ++at) {
        auto is = [&](std::string_view name) {
            return whole[at] == name || whole[at].starts_with(std::string{name} + "=");
        };
        auto value = [&]() -> std::string {
            if (auto equals = whole[at].find('='); equals != std::string::npos && whole[at].starts_with("--"))
                return unquoted(whole[at].substr(equals + 1));
            return at + 1 < whole.size() ? unquoted(whole[++at]) : std::string{};
        };
        if (is("--store"))
            request.store = value();
        else if (is("--tenant"))
            request.tenant = value();
        else if (is("--identity") || whole[at] == "-i")
            request.identities.push_back(value());
    }
    return request;
}

// Trouble offers nothing: a message in the middle of a command line that is being typed helps nobody.
int run(const Values& request, Console& console) {
    Deadline deadline;
    (void)offer(request, console);
    return exit_ok;
}

}  // namespace boatswain::tool
