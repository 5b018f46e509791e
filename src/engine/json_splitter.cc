#include "engine/json_splitter.h"

#include <utility>

namespace boatswain::engine {
namespace {

constexpr std::string_view null = "null";  // Go's empty array

bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

}  // namespace

void JsonSplitter::feed(std::string_view bytes) {
    if (!broken_) input_ += bytes;
}

bool JsonSplitter::at_end() const {
    if (broken_ || depth_ != 0 || (shape_ == Shape::array && array_ != Array::behind)) return false;
    for (char c : std::string_view{input_}.substr(at_))
        if (!is_blank(c)) return false;
    return true;
}

// Up to the next object's first bracket.
std::optional<std::string_view> JsonSplitter::look_between() {
    for (; at_ < input_.size(); ++at_) {
        char c = input_[at_];
        if (is_blank(c)) continue;
        bool array = shape_ == Shape::array;
        if (c == '{' && (!array || array_ == Array::inside)) return std::nullopt;
        if (array && array_ == Array::inside && c == ',') continue;
        if (array && array_ == Array::inside && c == ']') {
            array_ = Array::behind;
        } else if (array && array_ == Array::before && c == '[') {
            array_ = Array::inside;
        } else if (array && array_ == Array::before && c == 'n') {
            if (input_.size() - at_ < null.size()) return std::nullopt;  // its rest is still to come
            if (input_.compare(at_, null.size(), null) != 0) return "something else than an array";
            at_ += null.size() - 1;
            array_ = Array::behind;
        } else {
            return array && array_ != Array::inside ? "something else than an array" : "something else than an object";
        }
    }
    return std::nullopt;
}

void JsonSplitter::keep(char c) {
    if (left_ != Left::nothing) return;
    kept_ += c;
    auto let_go = [this](Left what, std::size_t from) {
        left_ = what;
        kept_.resize(from);
        under_way_shortened_ = true;
    };
    if (in_text_ && kept_.size() > text_start_ && kept_.size() - text_start_ > bounds_.text_bytes_max)
        return let_go(Left::text, text_start_);
    if (kept_.size() <= bounds_.bytes_max) return;
    if (bounds_.deep != 0 && depth_ >= bounds_.deep) return let_go(Left::deep, deep_start_);
    if (bounds_.deep == 0 || kept_.size() > 2 * bounds_.bytes_max) let_go(Left::whole, 0);
}

bool JsonSplitter::take(char c) {
    if (in_text_) {
        bool ends = c == '"' && !escaped_;
        escaped_ = c == '\\' && !escaped_;
        if (ends) {
            in_text_ = false;
            if (left_ == Left::text) left_ = Left::nothing;
        }
        keep(c);
        return false;
    }
    if (c == '"') {
        keep(c);
        in_text_ = true;
        text_start_ = kept_.size();
    } else if (c == '{' || c == '[') {
        keep(c);
        if (++depth_ == bounds_.deep) deep_start_ = kept_.size();
    } else if (c == '}' || c == ']') {
        --depth_;
        if (left_ == Left::deep && depth_ < bounds_.deep) left_ = Left::nothing;
        keep(c);
        return depth_ == 0;
    } else {
        keep(c);
    }
    return false;
}

Result<std::optional<std::string>> JsonSplitter::next() {
    auto broken = [&](std::string_view why) {
        broken_ = true;
        input_.clear();
        at_ = 0;
        return fail(Remedy::stop, "stream of JSON objects: " + std::string{why});
    };
    if (broken_) return broken("it was broken before");
    if (depth_ == 0)
        if (auto wrong = look_between()) return broken(*wrong);
    bool whole = false;
    // At depth 0 only an object's bracket is taken: what look_between() waits for is not.
    while (!whole && at_ < input_.size() && (depth_ > 0 || input_[at_] == '{')) whole = take(input_[at_++]);
    if (!whole) {
        input_.erase(0, at_);
        at_ = 0;
        return std::nullopt;
    }
    shortened_ = std::exchange(under_way_shortened_, false);
    auto object = std::exchange(kept_, {});
    if (std::exchange(left_, Left::nothing) != Left::whole) return object;
    return fail(Remedy::quarantine,
                "stream of JSON objects: an object is longer than " + std::to_string(bounds_.bytes_max) + " bytes");
}

}  // namespace boatswain::engine
