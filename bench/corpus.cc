#include "corpus.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace boatswain::bench {

namespace {

constexpr std::string_view methods[] = {"GET", "GET", "POST", "PUT", "HEAD", "DELETE"};
constexpr std::string_view paths[] = {"/api/v1/orders/",  "/api/v1/customers/", "/static/js/app.", "/api/v1/items/",
                                      "/search?q=",       "/images/thumb/",     "/login?next=/a/", "/api/v2/payments/",
                                      "/health/backend/", "/api/v1/carts/"};
constexpr std::string_view statuses[] = {"200", "200", "200", "304", "201", "404", "302", "500"};
constexpr std::string_view agents[] = {
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "okhttp/4.12.0", "curl/7.88.1",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1"};
constexpr std::string_view levels[] = {"info", "info", "debug", "warn", "error"};
constexpr std::string_view services[] = {"checkout", "inventory", "billing", "search", "session", "mailer"};
constexpr std::string_view messages[] = {"request finished",
                                         "cache miss, asking the database",
                                         "order accepted",
                                         "retrying after a timeout",
                                         "connection taken from the pool",
                                         "job finished",
                                         "token renewed",
                                         "customer <anonymous> & guest",
                                         "rate limit near"};
constexpr std::string_view regions[] = {"eu-central-1", "eu-west-1", "us-east-1"};
constexpr std::string_view exceptions[] = {
    "java.lang.NullPointerException: Cannot invoke \"Order.total()\" because \"order\" is null",
    "java.util.concurrent.TimeoutException: no answer within 5000 ms",
    "org.postgresql.util.PSQLException: ERROR: duplicate key value violates unique constraint \"orders_pkey\"",
    "java.io.IOException: Connection reset by peer"};
constexpr std::string_view frames[] = {
    "com.example.shop.order.OrderService.accept(OrderService.java:",
    "com.example.shop.web.OrderController.post(OrderController.java:",
    "org.springframework.web.servlet.FrameworkServlet.service(FrameworkServlet.java:",
    "com.example.shop.order.OrderRepository$$Lambda/0x00007f1c.apply(OrderRepository.java:",
    "jakarta.servlet.http.HttpServlet.service(HttpServlet.java:",
    "org.apache.catalina.core.ApplicationFilterChain.doFilter(ApplicationFilterChain.java:",
    "org.apache.tomcat.util.net.NioEndpoint$SocketProcessor.doRun(NioEndpoint.java:",
    "java.base/java.util.concurrent.ThreadPoolExecutor.runWorker(ThreadPoolExecutor.java:",
    "com.zaxxer.hikari.pool.HikariProxyPreparedStatement.executeQuery(HikariProxyPreparedStatement.java:",
    "com.example.shop.billing.Invoice.<init>(Invoice.java:"};

constexpr std::int64_t first_time_ns = 1'795'341'600LL * 1'000'000'000;  // 2026-11-22T10:00:00Z
constexpr std::uint64_t burst_lines_max = 40;
constexpr std::uint64_t trace_lines_max = 30;

}  // namespace

std::uint64_t Dice::next() {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
}

Corpus::Corpus(std::uint64_t seed) : dice_(seed), now_(Nanoseconds(first_time_ns)) {}

CorpusLine Corpus::next() {
    text_.clear();
    now_ += Nanoseconds(1'800 + static_cast<std::int64_t>(dice_.below(37'000)));
    if (left_of_trace_ > 0) {
        trace_line();
        return {.time = now_, .to_stderr = true, .text = text_};
    }
    if (left_of_burst_ == 0) {
        left_of_burst_ = 1 + dice_.below(burst_lines_max);
        kind_ = dice_.below(10);
    }
    --left_of_burst_;
    ++requests_;
    if (kind_ < 4) {
        access();
    } else if (kind_ < 7) {
        json();
    } else if (kind_ < 9 || !dice_.one_in(5)) {
        logfmt();
    } else {
        start_trace();
        return {.time = now_, .to_stderr = true, .text = text_};
    }
    return {.time = now_, .text = text_};
}

void Corpus::add(std::uint64_t number) {
    std::array<char, 20> digits;
    auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    text_.append(digits.data(), end);
}

void Corpus::add_hex(std::uint64_t number, int digits) {
    for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4) text_ += "0123456789abcdef"[(number >> shift) & 0xfU];
}

void Corpus::add_date(char between) {
    std::array<char, time_text_size> time;
    write_time(now_, time.data());
    text_.append(time.data(), 10);
    text_ += between;
    text_.append(time.data() + 11, 12);
}

void Corpus::access() {
    add("10.2.");
    add(dice_.below(4));
    text_ += '.';
    add(dice_.below(250));
    add(" - - [");
    add_date(' ');
    add(" +0000] \"");
    pick(methods);
    text_ += ' ';
    pick(paths);
    add(dice_.below(20'000));
    add(" HTTP/1.1\" ");
    pick(statuses);
    text_ += ' ';
    add(200 + dice_.below(30'000));
    add(" \"-\" \"");
    pick(agents);
    add("\" 0.");
    add(dice_.below(900));
    text_ += ' ';
    add_hex(dice_.next(), 12);
}

void Corpus::json() {
    add(R"({"time":")");
    add_date('T');
    add(R"(Z","level":")");
    pick(levels);
    add(R"(","service":")");
    pick(services);
    add(R"(","msg":")");
    pick(messages);
    add(R"(","trace_id":")");
    add_hex(dice_.next(), 16);
    add(R"(","span_id":")");
    add_hex(dice_.next(), 8);
    add(R"(","region":")");
    pick(regions);
    add(R"(","request":)");
    add(requests_);
    add(R"(,"duration_ms":)");
    add(dice_.below(2'000));
    text_ += '}';
}

void Corpus::logfmt() {
    add("ts=");
    add_date('T');
    add("Z level=");
    pick(levels);
    add(" component=");
    pick(services);
    add(" msg=\"");
    pick(messages);
    add("\" region=");
    pick(regions);
    add(" request_id=");
    add_hex(dice_.next(), 12);
    add(" worker=");
    add(dice_.below(16));
    add(" user=");
    add(dice_.below(50'000));
    add(" latency=");
    add(dice_.below(4'000));
    add("us");
}

void Corpus::start_trace() {
    add_date(' ');
    add(" ERROR [http-nio-8080-exec-");
    add(dice_.below(32));
    add("] c.e.shop.web.ErrorHandler - request failed: ");
    pick(exceptions);
    left_of_trace_ = 5 + dice_.below(trace_lines_max);
}

void Corpus::trace_line() {
    --left_of_trace_;
    add("\tat ");
    pick(frames);
    add(20 + dice_.below(400));
    text_ += ')';
}

namespace {

// As Go's time.RFC3339Nano has it.
void append_time(std::string& out, Timestamp at) {
    std::array<char, time_text_size> time;
    write_time(at, time.data());
    std::size_t end = time_text_size - 1;  // without the Z
    while (time[end - 1] == '0') --end;
    if (time[end - 1] == '.') --end;
    out.append(time.data(), end);
    out += 'Z';
}

}  // namespace

void append_cri_line(std::string& out, const CorpusLine& line) {
    append_time(out, line.time);
    out += line.to_stderr ? " stderr F " : " stdout F ";
    out += line.text;
    out += '\n';
}

void append_json_file_line(std::string& out, const CorpusLine& line) {
    out += R"({"log":")";
    for (char c : line.text) {
        auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (c == '\r') {
            out += "\\r";
        } else if (byte < 0x20 || c == '<' || c == '>' || c == '&') {
            out += "\\u00";
            out += "0123456789abcdef"[byte >> 4U];
            out += "0123456789abcdef"[byte & 0xfU];
        } else {
            out += c;
        }
    }
    out += line.to_stderr ? R"(\n","stream":"stderr","time":")" : R"(\n","stream":"stdout","time":")";
    append_time(out, line.time);
    out += "\"}\n";
}

}  // namespace boatswain::bench
