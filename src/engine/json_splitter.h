// Cuts a stream of JSON objects into single ones. GET /events sends them one after the other, and what one read returns
// may hold half an object, or several.
//
// Objects end by their braces, not by newlines: engines and proxies differ in what they put between. Between objects
// only blanks are allowed.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace boatswain::engine {

class JsonSplitter {
  public:
    // `bytes_max`: a longer object is an error, so that an engine cannot make us gather for ever.
    explicit JsonSplitter(std::size_t bytes_max) : bytes_max_(bytes_max) {}

    void feed(std::string_view bytes);

    // The next whole object; nothing until more is fed. Too long, or something else than an object: Remedy::quarantine,
    // for good.
    Result<std::optional<std::string>> next();

    // True between objects: an end of stream here is clean.
    bool at_object_start() const;

  private:
    std::size_t bytes_max_;
    std::string pending_;      // starts with the object being read, after blanks
    std::size_t scanned_ = 0;  // so much of pending_ has been looked at
    std::size_t depth_ = 0;
    bool in_string_ = false;
    bool escaped_ = false;
    bool broken_ = false;
};

}  // namespace boatswain::engine
