// Hides what an answer of the engine holds of others' secrets, and leaves the rest of it as it means.
//
// The answer is read as a whole and written again: members keep their order, numbers and texts their values. A hidden
// text is "***"; of a variable the name stays ("PASSWORD=***"), whole variables stay when a rule of [tenancy] reads
// them.
//
//   environment  inspect: the values of Config.Env
//                events: the command line in exec_create and exec_start
//   all          also, of inspect: Args, Config.Cmd, Config.Entrypoint, Config.Healthcheck.Test, the output of health
//                checks, the options of the log driver (but those about sizes and files) and of volume drivers;
//                of the list: Command
//
// Of an image its id is given out, its labels, and its environment as that of a container; nothing else, whatever the
// level: whoever reads logs needs to know what an image said in its starter's name, and no more.
//
// Fail closed: an answer without the place where the secret would stand, or with something else there, is
// Remedy::quarantine, and nothing of it is given out.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace boatswain::guard {

enum class Redaction { none, environment, all };

class Redactor {
  public:
    using Keeps = std::function<bool(std::string_view variable)>;  // whose values are not hidden

    Redactor() = default;
    Redactor(Redaction level, Keeps keeps) : level_(level), keeps_(std::move(keeps)) {}

    Redaction level() const { return level_; }

    // The body of GET /containers/ID/json, one entry of /containers/json, and one object of /events.
    Result<std::string> inspect(std::string_view json) const;
    Result<std::string> list_entry(std::string_view json) const;
    Result<std::string> event(std::string_view json) const;
    Result<std::string> image(std::string_view json) const;  // GET /images/ID/json

  private:
    Redaction level_ = Redaction::none;
    Keeps keeps_;
};

}  // namespace boatswain::guard
