#include "boatswaind/scrape_metrics.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "base/secret.h"

namespace boatswain::boatswaind {
namespace {

double seconds(Nanoseconds time) { return std::chrono::duration<double>(time).count(); }
double number(auto value) { return static_cast<double>(value); }

// Resident pages: the second number of /proc/self/statm (proc(5)).
double resident_bytes(const Fd& statm) {
    char text[256];
    auto size = ::pread(statm.get(), text, sizeof text, 0);
    std::string_view numbers{text, size > 0 ? static_cast<std::size_t>(size) : 0};
    auto at = numbers.find(' ');
    std::uint64_t pages = 0;
    if (at != numbers.npos) std::from_chars(numbers.data() + at + 1, numbers.data() + numbers.size(), pages);
    return number(pages) * number(::sysconf(_SC_PAGESIZE));
}

double cpu_seconds() {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    auto one = [](const timeval& time) { return number(time.tv_sec) + number(time.tv_usec) / 1e6; };
    return one(used.ru_utime) + one(used.ru_stime);
}

double open_descriptors(const Fd& directory) {
    Fd own{::dup(directory.get())};
    auto* entries = own ? ::fdopendir(own.get()) : nullptr;
    if (!entries) return 0;
    (void)own.release();   // the stream's now
    ::rewinddir(entries);  // where it stands is shared with `directory`
    double open = 0;
    while (const auto* entry = ::readdir(entries)) open += entry->d_name[0] == '.' ? 0 : 1;
    ::closedir(entries);
    return open;
}

double descriptor_limit() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    return number(limit.rlim_cur);
}

struct TenantFigures {
    double containers = 0, lag_bytes = 0, lag_seconds = 0, spooled = 0;
};

}  // namespace

ScrapeMetrics::ScrapeMetrics(Metrics& metrics, std::string_view version, Timestamp started)
    : metrics_(metrics),
      statm_(::open("/proc/self/statm", O_RDONLY | O_CLOEXEC)),
      descriptors_(::open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    set("boatswain_build_info", "Which version runs; always 1", 1, {{"version", std::string{version}}});
    set("process_start_time_seconds", "When the process started", seconds(started.time_since_epoch()));
    for (auto part : ready_parts)
        set("boatswain_not_ready", "Reasons of each part against being ready", 0, {{"part", std::string{part}}});
}

void ScrapeMetrics::show(const Measured& measured) {
    const auto& condition = measured.condition;
    const auto& reading = condition.reading;
    set("boatswain_ready", "1 while lines are read and reach the store: /readyz says 200", measured.ready.ok());
    std::map<std::string_view, int> against;
    for (const auto& reason : measured.ready.reasons) ++against[reason.part];
    for (auto part : ready_parts)
        set("boatswain_not_ready", "Reasons of each part against being ready", against[part],
            {{"part", std::string{part}}});
    set("boatswain_engine_connected", "1 while the engine's events are followed", follows(condition, "engine"));
    set("boatswain_stuck_logs", "Logs with something to read and no progress for a minute", number(reading.stuck));

    constexpr auto lag_help = "Bytes of logs on disk that are not read yet";
    for (const auto& intake : condition.intakes) {
        if (intake.file_reader.empty()) continue;
        const auto& its = intake.reading;
        MetricLabels reader{{"reader", intake.file_reader}};
        set("boatswain_read_lag_bytes", lag_help, number(its.lag_bytes - its.held_lag_bytes), reader);
        set("boatswain_read_lag_seconds",
            "How much later a log was written than the last line taken from it; the worst log", seconds(its.lag_time),
            reader);
    }
    set("boatswain_read_lag_bytes", lag_help, number(reading.held_lag_bytes), {{"reader", "held"}});

    set("boatswain_spool_bytes_max", "Where reading pauses (spool.bytes_max)", number(condition.spool_bytes_max));
    set("boatswain_conflicting_tenants", "Tenants whose keys were taken, which nobody acknowledged within a day",
        number(condition.conflicts.size()));
    set("boatswain_spool_oldest_seconds", "How long the oldest segment has waited for the store; 0 when none waits",
        seconds(measured.spool_oldest.value_or(Nanoseconds{})));
    set("boatswain_line_memory_bytes_max", "The bound of boatswain_line_memory_bytes (memory_max)",
        number(measured.memory_bytes_max));
    show_tenants(measured);
    show_process();
}

void ScrapeMetrics::show_tenants(const Measured& measured) {
    std::map<std::string, TenantFigures> tenants;
    for (const auto& [label, once] : shown_) tenants[label] = {};
    for (const auto& [tenant, lag] : measured.lag) {
        auto& figures = tenants[metrics_.tenant_label(tenant)];
        figures.containers += number(lag.containers);
        figures.lag_bytes += number(lag.bytes);
        figures.lag_seconds = std::max(figures.lag_seconds, seconds(lag.time));
    }
    for (const auto& [tenant, bytes] : measured.spooled_bytes)
        tenants[metrics_.tenant_label(tenant)].spooled += number(bytes);
    for (const auto& [label, figures] : tenants) {
        MetricLabels labels{{"tenant", label}};
        shown_[label] = true;
        set("boatswain_tenant_containers", "Containers of the tenant that are read", figures.containers, labels);
        set("boatswain_tenant_lag_bytes", "Bytes of the tenant's logs on disk that are not read yet", figures.lag_bytes,
            labels);
        set("boatswain_tenant_lag_seconds", "boatswain_read_lag_seconds of the tenant's worst log", figures.lag_seconds,
            labels);
        set("boatswain_tenant_spool_bytes", "Sealed bytes of the tenant that the store has not acknowledged",
            figures.spooled, labels);
    }
}

void ScrapeMetrics::show_process() {
    set("process_resident_memory_bytes", "Memory that is resident", resident_bytes(statm_));
    set("process_open_fds", "Open descriptors", open_descriptors(descriptors_));
    set("process_max_fds", "Descriptors that may be open", descriptor_limit());
    constexpr auto secret_help = "Memory that holds secrets; no: the system locks no more (RLIMIT_MEMLOCK)";
    auto secrets = secret_memory();
    set("boatswain_secret_memory_bytes", secret_help, number(secrets.locked_bytes), {{"locked", "yes"}});
    set("boatswain_secret_memory_bytes", secret_help, number(secrets.unlocked_bytes), {{"locked", "no"}});
    auto& cpu = metrics_.counter("process_cpu_seconds_total", "CPU time, user and system");
    cpu.raise_to(cpu_seconds());
}

}  // namespace boatswain::boatswaind
