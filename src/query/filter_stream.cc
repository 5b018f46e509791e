#include "query/filter_stream.h"

namespace boatswain::query {

namespace {

class StreamIs final : public Filter {
  public:
    explicit StreamIs(Stream stream) : stream_(stream) {}
    using Filter::match;
    Match match(const Entry& entry) const override {
        return entry.is_line() ? match_if(entry.text.line.stream == stream_) : Match::some;
    }

  private:
    Stream stream_;
};

}  // namespace

FilterPtr stream_is(Stream stream) { return std::make_shared<StreamIs>(stream); }

}  // namespace boatswain::query
