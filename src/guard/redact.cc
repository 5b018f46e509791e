#include "guard/redact.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <span>

#include "base/json_writer.h"

namespace boatswain::guard {
namespace {

namespace dom = simdjson::dom;

constexpr std::string_view hidden = "***";

// What is done with the value of a member.
enum class How {
    look_below,   // an object: its members are in `below`
    each_below,   // an array of such objects
    environment,  // an array of "NAME=value"
    texts,        // a text, or an array of texts
    options,  // an object of texts: an option's value is hidden unless its name says that it is about sizes or files
    command   // "exec_start: COMMAND"
};

struct Place {
    std::string_view member;
    How how = How::texts;
    std::span<const Place> below = {};
    Redaction least = Redaction::all;  // hidden from this level on
    bool needed = false;               // an answer without it is not what we take it for
};

constexpr std::array<Place, 1> health_log_places{{{"Output"}}};
constexpr std::array<Place, 1> health_places{{{"Log", How::each_below, health_log_places}}};
constexpr std::array<Place, 1> state_places{{{"Health", How::look_below, health_places}}};
constexpr std::array<Place, 1> check_places{{{"Test"}}};
constexpr std::array<Place, 4> config_places{{{"Env", How::environment, {}, Redaction::environment, true},
                                              {"Cmd"},
                                              {"Entrypoint"},
                                              {"Healthcheck", How::look_below, check_places}}};
constexpr std::array<Place, 1> driver_places{{{"Options", How::options}}};
constexpr std::array<Place, 1> volume_places{{{"DriverConfig", How::look_below, driver_places}}};
constexpr std::array<Place, 1> mount_places{{{"VolumeOptions", How::look_below, volume_places}}};
constexpr std::array<Place, 1> log_config_places{{{"Config", How::options}}};
constexpr std::array<Place, 2> host_config_places{
    {{"LogConfig", How::look_below, log_config_places}, {"Mounts", How::each_below, mount_places}}};
constexpr std::array<Place, 4> inspect_places{{{"Args"},
                                               {"Config", How::look_below, config_places, Redaction::environment, true},
                                               {"HostConfig", How::look_below, host_config_places},
                                               {"State", How::look_below, state_places}}};
constexpr std::array<Place, 1> list_places{{{"Command"}}};
constexpr std::array<Place, 2> event_places{
    {{"status", How::command, {}, Redaction::environment}, {"Action", How::command, {}, Redaction::environment}}};

constexpr std::array<std::string_view, 13> harmless_options{
    "max-size",     "max-file", "compress",  "mode",           "max-buffer-size", "tag",           "labels",
    "labels-regex", "env",      "env-regex", "cache-disabled", "cache-max-size",  "cache-max-file"};

class Writer {
  public:
    Writer(Redaction level, const Redactor::Keeps& keeps) : level_(level), keeps_(keeps) {}

    Result<void> members(const dom::object& object, std::span<const Place> places) {
        std::size_t needed = 0;
        json_.object();
        for (auto [name, value] : object) {
            json_.name(name);
            auto place = std::ranges::find(places, name, &Place::member);
            if (place == places.end() || level_ < place->least) {
                json_.raw(simdjson::minify(value));
                continue;
            }
            needed += place->needed ? 1 : 0;
            CHECK(hide(value, *place));
        }
        json_.end();
        auto wanted = std::ranges::count_if(places, [](const Place& place) { return place.needed; });
        if (needed < static_cast<std::size_t>(wanted)) return odd("a member that is always there is missing");
        return {};
    }

    // Of an image's answer, what somebody may know who reads containers.
    Result<void> image(const dom::object& object) {
        std::string_view id;
        if (object["Id"].get(id)) return odd("Id");
        json_.object().member("Id", id).name("Config");
        dom::element config;
        if (object["Config"].get(config) || config.is_null()) {
            json_.value(nullptr).end();
            return {};
        }
        dom::object fields;
        if (config.get(fields)) return odd("Config");
        json_.object().name("Env");
        dom::element entries, labels;
        if (fields["Env"].get(entries) || entries.is_null())
            json_.value(nullptr);
        else
            CHECK(hide(entries, {.member = "Env", .how = How::environment}));
        json_.name("Labels");
        dom::object map;
        bool none = fields["Labels"].get(labels) || labels.is_null();
        if (!none && labels.get(map)) return odd("Labels");
        json_.raw(none ? "null" : simdjson::minify(labels)).end().end();
        return {};
    }

    std::string take() { return json_.take(); }

    static std::unexpected<Error> odd(std::string_view what) {
        return fail(Remedy::quarantine, "the engine's answer has an unknown shape: " + std::string{what});
    }

  private:
    // Absent things are null: that hides nothing.
    Result<void> hide(const dom::element& value, const Place& place) {
        if (value.is_null()) {
            if (place.how == How::look_below && place.needed) return odd(place.member);
            json_.value(nullptr);
            return {};
        }
        dom::object object;
        std::string_view text;
        switch (place.how) {
            case How::look_below:
                if (value.get(object)) return odd(place.member);
                return members(object, place.below);
            case How::each_below:
                return each(value, place, [&](const dom::element& one) -> Result<void> {
                    dom::object fields;
                    if (one.get(fields)) return odd(place.member);
                    return members(fields, place.below);
                });
            case How::environment: return each(value, place, [&](const dom::element& one) { return variable(one); });
            case How::texts:
                if (value.is_array())
                    return each(value, place, [&](const dom::element&) -> Result<void> { return write(hidden); });
                return write(hidden);
            case How::options:
                if (value.get(object)) return odd(place.member);
                return options(object);
            case How::command:
                if (value.get(text)) return odd(place.member);
                return command(text);
        }
        return odd(place.member);
    }

    template <class Each>
    Result<void> each(const dom::element& value, const Place& place, Each&& one) {
        dom::array array;
        if (value.get(array)) return odd(place.member);
        json_.array();
        for (auto element : array) CHECK(one(element));
        json_.end();
        return {};
    }

    // An entry without '=' names a variable that is taken away; it may as well be a mistake with a secret in it.
    Result<void> variable(const dom::element& entry) {
        std::string_view text;
        if (entry.get(text)) return odd("Env");
        auto equals = text.find('=');
        if (equals == text.npos) return write(level_ == Redaction::none ? text : hidden);
        auto name = text.substr(0, equals);
        return write(level_ == Redaction::none || (keeps_ && keeps_(name))
                         ? text
                         : std::string{name} + "=" + std::string{hidden});
    }

    Result<void> options(const dom::object& object) {
        json_.object();
        for (auto [name, value] : object) {
            bool harmless = std::ranges::find(harmless_options, name) != harmless_options.end();
            if (harmless)
                json_.raw_member(name, simdjson::minify(value));
            else
                json_.member(name, hidden);
        }
        json_.end();
        return {};
    }

    Result<void> command(std::string_view text) {
        for (std::string_view action : {"exec_create:", "exec_start:"})
            if (text.starts_with(action)) return write(std::string{action} + " " + std::string{hidden});
        return write(text);
    }

    Result<void> write(std::string_view text) {
        json_.value(text);
        return {};
    }

    Redaction level_;
    const Redactor::Keeps& keeps_;
    JsonWriter json_;
};

Result<dom::element> parse(dom::parser& parser, std::string_view json) {
    dom::element root;
    if (auto error = parser.parse(json.data(), json.size()).get(root))
        return Writer::odd(std::string{"not JSON: "} + simdjson::error_message(error));
    return root;
}

Result<std::string> rewrite(std::string_view json, std::span<const Place> places, Redaction level,
                            const Redactor::Keeps& keeps) {
    dom::parser parser;
    TRY(auto root, parse(parser, json));
    dom::object object;
    if (root.get(object)) return Writer::odd("not an object");
    Writer writer{level, keeps};
    CHECK(writer.members(object, places));
    return writer.take();
}

}  // namespace

Result<std::string> Redactor::inspect(std::string_view json) const {
    if (level_ == Redaction::none) return std::string{json};
    return rewrite(json, inspect_places, level_, keeps_);
}

Result<std::string> Redactor::image(std::string_view json) const {
    dom::parser parser;
    TRY(auto root, parse(parser, json));
    dom::object object;
    if (root.get(object)) return Writer::odd("not an object");
    Writer writer{level_, keeps_};
    CHECK(writer.image(object));
    return writer.take();
}

Result<std::string> Redactor::list_entry(std::string_view json) const {
    if (level_ != Redaction::all) return std::string{json};
    return rewrite(json, list_places, level_, keeps_);
}

Result<std::string> Redactor::event(std::string_view json) const {
    if (level_ == Redaction::none) return std::string{json};
    return rewrite(json, event_places, level_, keeps_);
}

}  // namespace boatswain::guard
