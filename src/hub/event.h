// What happens to a tenant's lines at a hub, as followers are told of it. Values, shared and never changed.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

#include "record/source.h"
#include "segment/object_key.h"

namespace boatswain::hub {

// One source on one host, as its agent said in this stream.
struct LiveSource {
    segment::ObjectKey origin;  // tenant, host and epoch; its sequence is 0: no segment yet
    Source source;
    std::string heading;  // of a frame's text
};
using LiveSourcePtr = std::shared_ptr<const LiveSource>;

// What followers with the same question show of some lines, made once for all of them. Thread-safe.
class SharedForms {
  public:
    struct Form {
        std::string text;
        std::uint64_t lines = 0;  // that it was made of, those that the question leaves out as well
        bool has_notes = false;   // gaps or ends are among them
    };
    // Questions of which a form is kept.
    static constexpr std::size_t forms_max = 4;
    // `make` is called where nobody has asked this `question` before; nullptr: there are forms_max others.
    std::shared_ptr<const Form> of(const std::string& question, const std::function<Form()>& make) const;

  private:
    mutable std::mutex mutex_;
    mutable std::map<std::string, std::shared_ptr<const Form>> forms_;
};

// Lines of a source as they were read.
struct LiveLines {
    LiveSourcePtr source;
    std::uint64_t first_ordinal = 0;
    std::string text;  // with its heading (docs/formats/segment.md)
    SharedForms forms{};
};

// A host whose lines of the tenant come from now on.
struct Joined {
    std::string host, epoch, run;
};
// Everything before `next` of each source was sealed; what follows in this stream comes behind it.
struct Marked {
    std::string host;
    std::uint32_t mark = 0;
    struct Place {
        LiveSourcePtr source;
        std::uint64_t next = 0;
        bool again = true;  // the source's lines can be read again
    };
    std::vector<Place> sources;
};
// What is before that mark is in the store.
struct Stored {
    std::string host;
    std::uint32_t mark = 0;
};
// No lines of this host come any more.
struct Left {
    std::string host, reason;
};

using LiveEvent = std::variant<std::shared_ptr<const LiveLines>, Joined, std::shared_ptr<const Marked>, Stored, Left>;

}  // namespace boatswain::hub
