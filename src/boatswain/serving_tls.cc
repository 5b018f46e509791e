#include "boatswain/serving_tls.h"

#include <sys/stat.h>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <csignal>

namespace boatswain::tool {

struct ServingTls::Watch {
    explicit Watch(const boost::asio::any_io_executor& executor) : timer(executor), hang_up(executor, SIGHUP) {}
    boost::asio::steady_timer timer;
    boost::asio::signal_set hang_up;
    bool is_over = false;  // what has come to its end already cannot be cancelled any more
};

ServingTls::ServingTls(net::ServerTlsFiles files) : files_(std::move(files)) {}
ServingTls::~ServingTls() = default;

std::string ServingTls::stamp() const {
    std::string all;
    for (const auto* file : {&files_.certificate, &files_.key, &files_.client_ca, &files_.client_crl}) {
        struct stat found{};
        if (file->empty() || ::stat(file->c_str(), &found) != 0) found = {};
        for (auto number : {static_cast<std::int64_t>(found.st_dev), static_cast<std::int64_t>(found.st_ino),
                            static_cast<std::int64_t>(found.st_size), static_cast<std::int64_t>(found.st_mtim.tv_sec),
                            static_cast<std::int64_t>(found.st_mtim.tv_nsec)})
            all += std::to_string(number) + " ";
    }
    return all;
}

Result<void> ServingTls::open() {
    stamp_ = stamp();
    TRY(tls_, net::make_server_tls(files_));
    return {};
}

void ServingTls::look(Log& log, bool at_any_rate) {
    auto now = stamp();
    bool is_new = now != stamp_;
    if (!is_new && !is_wrong_ && !at_any_rate) return;
    stamp_ = std::move(now);
    auto renewed = net::renew_server_tls(*tls_, files_);
    if (renewed)
        log.info("certificate read again", {{"file", files_.certificate}});
    else if (is_new || at_any_rate)
        log.error("certificate cannot be read: the one of before is shown", {{"error", renewed.error()}});
    is_wrong_ = !renewed;
}

void ServingTls::wait(Log& log) {
    watch_->timer.expires_after(certificate_look_every);
    watch_->timer.async_wait([this, &log](const boost::system::error_code& code) {
        if (code || watch_->is_over) return;
        look(log, false);
        wait(log);
    });
}

void ServingTls::watch(boost::asio::any_io_executor executor, Log& log) {
    watch_ = std::make_unique<Watch>(executor);
    wait(log);
    // Asked for again each time: a signal ends the wait.
    auto on_signal = [this, &log](auto& self) -> void {
        watch_->hang_up.async_wait([this, &log, self](const boost::system::error_code& code, int) {
            if (code || watch_->is_over) return;
            look(log, true);
            self(self);
        });
    };
    on_signal(on_signal);
}

void ServingTls::stop() {
    if (!watch_) return;
    watch_->is_over = true;
    watch_->timer.cancel();
    watch_->hang_up.cancel();
}

}  // namespace boatswain::tool
