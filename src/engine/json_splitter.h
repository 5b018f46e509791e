// Cuts a stream of JSON objects into single ones. GET /events sends them one after the other, GET /containers/json in
// one array, and what one read returns may hold half an object, or several.
//
// Objects end by their brackets, not by newlines: engines and proxies differ in what they put between. Between objects
// only blanks are allowed (in an array commas, too).
//
// An object holds what tenants chose (labels, command lines), so how long it is must hold up nothing behind it. One
// that is too long is shortened where `Bounds` allow it, else passed over; the next one is read all the same.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace boatswain::engine {

class JsonSplitter {
  public:
    enum class Shape { sequence, array };
    struct Bounds {
        std::size_t bytes_max;  // of an object, as it is given out; see `deep`
        // An object or array that lies so deep (the whole is 1 deep), and in which `bytes_max` is reached, is given out
        // empty. What lies less deep may then take as much again. 0: nothing is shortened so.
        std::size_t deep = 0;
        // A text that is longer (as it is written, escaped) is given out empty.
        std::size_t text_bytes_max = std::numeric_limits<std::size_t>::max();
    };

    explicit JsonSplitter(Bounds bounds, Shape shape = Shape::sequence) : bounds_(bounds), shape_(shape) {}

    void feed(std::string_view bytes);

    // The next whole object; nothing until more is fed. Remedy::quarantine: an object was too long and is passed over,
    // the next call goes on behind it. Remedy::stop: something else than an object, for good.
    Result<std::optional<std::string>> next();

    // The object that next() gave out last is not whole.
    bool shortened() const { return shortened_; }
    // True between objects: an end of stream here is clean. Of an array, only behind its end.
    bool at_end() const;

  private:
    enum class Left { nothing, text, deep, whole };  // what is not kept, up to its end
    enum class Array { before, inside, behind };

    std::optional<std::string_view> look_between();  // what is wrong there
    bool take(char c);                               // true: the object is whole
    void keep(char c);

    const Bounds bounds_;
    const Shape shape_;
    std::string input_;   // from the object being read, or from what follows the one before
    std::size_t at_ = 0;  // the next byte of input_
    Array array_ = Array::before;

    std::string kept_;  // of the object being read
    Left left_ = Left::nothing;
    std::size_t depth_ = 0;
    std::size_t deep_start_ = 0;  // in kept_, behind the bracket that leads to depth `deep`
    std::size_t text_start_ = 0;  // in kept_, behind the quote
    bool in_text_ = false;
    bool escaped_ = false;
    bool under_way_shortened_ = false;
    bool shortened_ = false;
    bool broken_ = false;
};

}  // namespace boatswain::engine
