#include "boatswain/why_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/json_reader.h"
#include "base/shown_name.h"
#include "base/text.h"

namespace boatswain::tool {

namespace {

constexpr std::size_t id_shown = 12;  // of a container's 64 digits, as docker ps shows it

// One object of an answer. What is missing or of another type is empty: an agent of another version must not be a
// riddle.
class JsonView {
  public:
    explicit JsonView(const json::element& element) : element_(element), fields_(json::as_object(element)) {}

    std::string text(std::string_view name) const { return json::text_of(fields_, name); }
    // Text from outside, fit for a terminal.
    std::string shown(std::string_view name) const { return printable(json::view_of(fields_, name), 400); }
    std::uint64_t number(std::string_view name) const { return number_if_there(name).value_or(0); }
    std::optional<std::uint64_t> number_if_there(std::string_view name) const {
        return json::get<std::uint64_t>(fields_, name);
    }
    double seconds(std::string_view name) const { return json::number_of(fields_, name); }
    bool truth(std::string_view name) const { return json::flag_of(fields_, name); }
    std::optional<Timestamp> time(std::string_view name) const { return json::time_of(fields_, name); }
    std::optional<JsonView> object(std::string_view name) const {
        auto value = json::field(fields_, name);
        return value && value->is_object() ? std::optional{JsonView{*value}} : std::nullopt;
    }
    std::vector<JsonView> array(std::string_view name) const {
        std::vector<JsonView> elements;
        if (auto list = json::get<json::array>(fields_, name))
            for (auto element : *list) elements.emplace_back(element);
        return elements;
    }
    std::vector<std::string> texts(std::string_view name) const {
        std::vector<std::string> all;
        json::for_each_text(fields_, name, [&](std::string_view text) { all.push_back(printable(text, 400)); });
        return all;
    }
    std::string json() const { return simdjson::minify(element_); }

  private:
    json::element element_;
    std::optional<json::object> fields_;
};

// Parses `text`; `parser` owns what the result refers to.
Result<JsonView> parse(json::parser& parser, std::string_view text) {
    auto root = json::parse(parser, text, "the agent's answer");
    if (!root || !root->is_object())
        return fail(Remedy::quarantine, "the agent's answer is not understood: not a JSON object");
    return JsonView{*root};
}

std::string length_text(double seconds) {
    if (seconds < 1) return "under 1 s";
    if (seconds < 120) return fmt::format("{} s", static_cast<std::int64_t>(seconds));
    if (seconds < 7200) return fmt::format("{} min", static_cast<std::int64_t>(seconds / 60));
    if (seconds < 172800) return fmt::format("{} h", static_cast<std::int64_t>(seconds / 3600));
    return fmt::format("{} days", static_cast<std::int64_t>(seconds / 86400));
}

std::string behind_text(const JsonView& container) {
    if (auto position = container.object("position"))
        if (!position->text("file").empty()) return human_size(position->number("lag_bytes"));
    return "";
}

std::string name_of(const JsonView& container) {
    auto name = container.text("name");
    return name.empty() ? container.shown("id").substr(0, id_shown) : shown_name(name, 400);
}

std::string how_read(const JsonView& container) {
    auto reader = container.text("reader");
    if (reader == "json-file") return "read from its json-file log";
    if (reader == "k8s-file") return "read from its k8s-file log";
    if (reader == "logs") return "read through the engine";
    if (reader == "attach") return "read by attaching to it";
    if (reader == "cri") return "read from the log that its runtime writes";
    if (reader == "driver") return "read from the log driver";
    return reader.empty() || reader == "none" ? "not being read" : "read by \"" + printable(reader, 40) + "\"";
}

std::string last_segment(const JsonView& container, Timestamp now) {
    auto segment = container.object("last_segment");
    auto sealed = segment ? segment->time("sealed") : std::nullopt;
    if (!sealed) return "no segment since the agent started";
    return "last segment " + ago(*sealed, now);
}

// The first line: what was asked.
std::string sentence(const JsonView& container, Timestamp now) {
    auto name = name_of(container);
    auto verdict = container.text("verdict");
    if (!container.truth("collected")) {
        auto ended = container.time("ended");
        if (ended)
            return fmt::format("{} was not collected, and is gone since {}: {}", name, ago(*ended, now),
                               container.shown("reason"));
        if (verdict == "deriving")
            return fmt::format("{} is about to be collected: {}", name, container.shown("reason"));
        return fmt::format("{} is not collected: {}", name, container.shown("reason"));
    }
    auto whom = verdict == "quarantined" ? std::string{"the operator, in quarantine"}
                                         : fmt::format("tenant {} (rule {})", shown_name(container.text("tenant"), 400),
                                                       container.shown("rule"));
    if (auto ended = container.time("ended"))
        return fmt::format("{} was collected for {} to its end, {}: {}; {}", name, whom, ago(*ended, now),
                           counted(container.number("lines_read"), "line"), last_segment(container, now));
    auto text = fmt::format("{} is collected for {}, {}", name, whom, how_read(container));
    if (auto behind = behind_text(container); !behind.empty()) text += fmt::format(", {} behind", behind);
    return text + "; " + last_segment(container, now);
}

// The details: names at the left, aligned.
class Details {
  public:
    void add(std::string_view name, std::string_view value) {
        if (!value.empty()) text_ += fmt::format("  {:<12} {}\n", name, value);
    }
    const std::string& str() const { return text_; }

  private:
    std::string text_;
};

std::string whose_text(const JsonView& container) {
    auto tenant = container.text("tenant");
    if (tenant.empty()) return tenant;
    auto text = shown_name(tenant, 400);
    for (const char* part : {"app", "component", "instance"})
        if (auto value = container.text(part); !value.empty())
            text += fmt::format(", {} {}", part, shown_name(value, 400));
    return text;
}

std::string position_text(const JsonView& container, Timestamp now) {
    auto position = container.object("position");
    if (!position) return "";
    if (position->text("file").empty()) {
        std::string text;
        for (const char* stream : {"stdout", "stderr"}) {
            auto last = position->time(std::string{"last_"} + stream);
            text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", stream,
                                last ? "last line " + ago(*last, now) : "no line yet");
        }
        return text;
    }
    auto size = position->number_if_there("size");
    auto text = size ? fmt::format("byte {} of {}", position->number("offset"), *size)
                     : fmt::format("byte {}", position->number("offset"));
    text += fmt::format(", {} behind", human_size(position->number("lag_bytes")));
    if (auto held = position->number("rotated_files_held"); held > 0)
        text += fmt::format(", {} held open and not read yet", counted(held, "newer file"));
    return text;
}

std::string held_text(const JsonView& container) {
    auto held = container.object("held_back");
    if (!held) return "";
    auto lines = held->number("lines");
    auto text = lines == 0 ? std::string{"nothing: each line that was read is sealed"}
                           : counted(lines, "line") + " not sealed yet";
    if (held->number("batch_lines") > 0)
        text += fmt::format("; the tenant's batch has {} ({}), for {}", counted(held->number("batch_lines"), "line"),
                            human_size(held->number("batch_bytes")), length_text(held->seconds("batch_age_seconds")));
    return text;
}

std::string lines_text(const JsonView& container, Timestamp now) {
    auto text = counted(container.number("lines_read"), "line") + " read since the agent started";
    if (auto last = container.time("last_line")) text += ", the last one printed " + ago(*last, now);
    return text;
}

void add_reading(Details& details, const JsonView& container, Timestamp now) {
    details.add("lines", lines_text(container, now));
    if (container.truth("waits_for_room"))
        details.add("waits", "reading pauses: there is no room in memory or in the spool");
    if (!container.time("ended")) details.add("held back", held_text(container));
    if (auto segment = container.object("last_segment")) details.add("last segment", segment->shown("key"));
    if (auto aside = container.object("set_aside"))
        details.add("refused", fmt::format("{} of this tenant: {}", counted(aside->number("segments"), "segment"),
                                           aside->shown("reason")));
    if (auto taken = container.object("key_taken"))
        details.add("key taken", fmt::format("{} (see `boatswain spool`)", taken->shown("key")));
    if (auto spooled = container.object("spooled"); spooled && spooled->number("segments") > 0)
        details.add("spool",
                    fmt::format("{} of the tenant ({}) not yet in the store",
                                counted(spooled->number("segments"), "segment"), human_size(spooled->number("bytes"))));
}

std::string trouble_lines(const JsonView& answer) {
    std::string text;
    for (const auto& trouble : answer.texts("agent_troubles")) text += "The agent has trouble: " + trouble + "\n";
    return text;
}

}  // namespace

std::string ago(Timestamp time, Timestamp now) {
    auto seconds = std::chrono::duration<double>(now - time).count();
    return seconds < 1 ? "now" : length_text(seconds) + " ago";
}

Result<Explained> explain_container(std::string_view json, Timestamp now) {
    json::parser parser;
    TRY(auto container, parse(parser, json));
    Explained explained{.text = sentence(container, now) + "\n", .collected = container.truth("collected")};
    if (auto advice = container.shown("advice"); !advice.empty()) explained.text += "To do: " + advice + "\n";

    Details details;
    auto image = container.shown("image"), state = container.shown("state");
    details.add("container", fmt::format("{}{}{}", container.shown("id").substr(0, id_shown),
                                         image.empty() ? "" : ", image " + image,
                                         container.text("created").empty() ? "" : ", " + state));
    std::string formerly;
    for (const auto& name : container.texts("former_names")) formerly += (formerly.empty() ? "" : ", ") + name;
    if (!formerly.empty()) details.add("formerly", formerly);
    details.add("tenant", whose_text(container));
    if (explained.collected) details.add("decision", container.shown("reason"));
    if (auto reader = container.text("reader"); !reader.empty() && reader != "none")
        details.add("reader", printable(reader) + ": " + container.shown("reader_reason"));
    details.add("position", position_text(container, now));
    if (auto position = container.object("position")) details.add("file", position->shown("file"));
    if (explained.collected) add_reading(details, container, now);
    if (auto error = container.object("last_error")) {
        auto when = error->time("time");
        details.add("last error", (when ? ago(*when, now) + ": " : "") + error->shown("what"));
    }
    explained.text += "\n" + details.str() + trouble_lines(container);
    return explained;
}

Result<void> list_containers(std::string_view json, Timestamp now, Console& console) {
    json::parser parser;
    TRY(auto answer, parse(parser, json));
    auto containers = answer.array("containers");
    if (containers.empty()) console.note("the agent knows no container");
    std::ranges::sort(containers, {}, [](const JsonView& one) {
        return std::tuple{one.time("ended").has_value(), one.text("name"), one.text("id")};
    });
    Table table{{"CONTAINER", "ID", "STATE", "VERDICT", "TENANT", "APP", "READER", ">BEHIND", "LAST LINE", "REASON"}};
    for (const auto& one : containers) {
        auto last = one.time("last_line");
        bool all_is_well = one.text("verdict") == "collected";
        table.add({one.text("name"), one.text("id").substr(0, id_shown), one.text("state"), one.text("verdict"),
                   one.text("tenant"), one.text("app"), one.text("reader"), behind_text(one),
                   last ? ago(*last, now) : "", all_is_well ? std::string{} : one.text("reason")});
    }
    if (!containers.empty()) table.print(console.out);
    if (!containers.empty())
        if (auto trouble = trouble_lines(containers.front()); !trouble.empty()) console.out.write("\n" + trouble);
    return {};
}

Result<std::string> containers_as_lines(std::string_view json) {
    json::parser parser;
    TRY(auto answer, parse(parser, json));
    std::string lines;
    for (const auto& one : answer.array("containers")) lines += one.json() + "\n";
    return lines;
}

std::string refusal_text(std::string_view json) {
    json::parser parser;
    auto answer = parse(parser, json);
    if (!answer) return answer.error().what;
    auto text = answer->shown("error");
    for (const auto& candidate : answer->array("candidates"))
        text += "\n  " + candidate.shown("id").substr(0, id_shown) + "  " + candidate.shown("name");
    for (const auto& trouble : answer->texts("agent_troubles")) text += "\nthe agent has trouble: " + trouble;
    return text;
}

Result<SpoolText> explain_spool(std::string_view json, Timestamp now) {
    json::parser parser;
    TRY(auto spool, parse(parser, json));
    auto refused = spool.number("refused"), damaged = spool.number("damaged"), unnamed = spool.number("unnamed_files");
    auto taken = spool.array("keys_taken");
    SpoolText told{.text = {}, .clean = refused + damaged + unnamed == 0 && taken.empty()};
    if (told.clean) {
        told.text = "No segment stands aside, and no key was taken.\n";
        return told;
    }
    told.text = fmt::format("{} refused by the store, {} damaged on disk, {} of a lost state: {} of {}\n",
                            counted(refused, "segment"), damaged, counted(unnamed, "file"),
                            human_size(spool.number("bytes")), human_size(spool.number("bytes_max")));
    auto when = [&](const JsonView& one, std::string_view name) {
        auto time = one.time(name);
        return time ? ago(*time, now) : std::string{"at a time that is not known"};
    };
    for (const auto& segment : spool.array("aside"))
        told.text +=
            fmt::format("  {} ({}, {}, sealed {}): {}\n", printable(segment.text("key"), 1200), segment.shown("kind"),
                        human_size(segment.number("bytes")), when(segment, "sealed"), segment.shown("reason"));
    if (taken.empty()) return told;
    told.text += fmt::format("\nKeys of {} were taken; the segments went under the second form of their keys:\n",
                             counted(taken.size(), "tenant"));
    for (const auto& conflict : taken)
        told.text += fmt::format("  {} ({}, the last {})\n", printable(conflict.text("key"), 1200),
                                 counted(conflict.number("times"), "time"), when(conflict, "noticed"));
    told.text +=
        "Somebody else wrote there, or the agent's state directory was restored or copied. Once you know which:\n"
        "boatswain spool acknowledge\n";
    return told;
}

Result<std::uint64_t> number_of(std::string_view json, std::string_view name) {
    json::parser parser;
    TRY(auto answer, parse(parser, json));
    return answer.number(name);
}

Result<StatusText> explain_status(std::string_view json, Timestamp now) {
    json::parser parser;
    TRY(auto status, parse(parser, json));
    auto detail = status.object("detail");
    auto said = [&](std::string_view name) { return detail ? detail->shown(name) : std::string{}; };
    auto notes = status.array("notes");
    bool ready = status.truth("healthy");
    StatusText told{.text = {}, .healthy = ready && notes.empty()};
    told.text = fmt::format("boatswaind {} on {} {}: {} of {} containers read, up for {}\n\n", status.shown("version"),
                            status.shown("host"),
                            told.healthy ? "is healthy"
                            : ready      ? "works, but needs somebody"
                                         : "is NOT healthy",
                            said("reading"), said("containers"), length_text(status.seconds("uptime_seconds")));
    Details details;
    for (const auto& note : notes) details.add("to do", fmt::format("{}: {}", note.shown("part"), note.shown("what")));
    for (const auto& reason : status.array("reasons"))
        details.add("trouble", fmt::format("{}: {}", reason.shown("part"), reason.shown("what")));
    details.add("engine", said("engine"));
    details.add("behind", human_size(parse_size(said("read_lag_bytes")).value_or(0)));
    details.add("sealing", said("sealing"));
    if (auto memory = status.object("memory")) {
        auto waiting = memory->number("waiting_tenants");
        details.add("memory", fmt::format("{} of {}{}", human_size(memory->number("bytes")),
                                          human_size(memory->number("bytes_max")),
                                          waiting > 0 ? fmt::format("; {} tenants wait for their turn", waiting) : ""));
    }
    if (auto spool = status.object("spool")) {
        auto text = fmt::format("{}, {} of {}", counted(spool->number("segments"), "segment"),
                                human_size(spool->number("bytes")), human_size(spool->number("bytes_max")));
        if (auto oldest = spool->time("oldest")) text += ", the oldest sealed " + ago(*oldest, now);
        details.add("spool", text + (said("spool") == "ok" ? "" : "; " + said("spool")));
    }
    if (auto keys = said("keys"); keys != "ok") details.add("keys", keys);
    details.add("store", status.shown("store"));
    details.add("shipping", said("shipping"));
    details.add("epoch", status.shown("epoch"));
    told.text += details.str();
    return told;
}

}  // namespace boatswain::tool
