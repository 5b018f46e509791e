#include "query/filter_pod.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "query/filter_source.h"

namespace boatswain::query {
namespace {

class OfSource : public Filter {
  public:
    Match match(const Origin& origin) const final { return match_if(holds(origin.source)); }
    Match match(const FrameSummary& frame) const final { return match(frame.origin); }
    Match match(const Entry& entry) const final { return match(entry.origin()); }

  private:
    virtual bool holds(const Source& source) const = 0;
};

class PodIs final : public OfSource {
  public:
    explicit PodIs(PodWish wish) : wish_(std::move(wish)) {}

  private:
    bool holds(const Source& source) const override {
        auto is = pod_container(source);
        if (!is || (!wish_.space.empty() && is->space != wish_.space) || (!wish_.pod.empty() && is->pod != wish_.pod))
            return false;
        return wish_.containers.empty() || std::ranges::any_of(wish_.containers, [&](const std::string& wanted) {
                   return wanted == is->container || is_named(source, wanted);
               });
    }
    const PodWish wish_;
};

class SourceIsOneOf final : public OfSource {
  public:
    explicit SourceIsOneOf(std::vector<std::string> ids) : ids_(std::move(ids)) { std::ranges::sort(ids_); }

  private:
    bool holds(const Source& source) const override { return std::ranges::binary_search(ids_, source.id); }
    std::vector<std::string> ids_;
};

// `text` in exactly so many parts; nothing when it has another number of them, or an empty one.
template <std::size_t parts>
std::optional<std::array<std::string_view, parts>> split(std::string_view text, char separator) {
    std::array<std::string_view, parts> found;
    for (std::size_t i = 0; i < parts; ++i) {
        auto end = i + 1 < parts ? text.find(separator) : text.size();
        if (end == text.npos || end == 0) return std::nullopt;
        found[i] = text.substr(0, end);
        text.remove_prefix(std::min(text.size(), end + 1));
    }
    if (found[parts - 1].find(separator) != std::string_view::npos) return std::nullopt;
    return found;
}

std::optional<std::uint32_t> number_of(std::string_view text) {
    std::uint32_t number = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

}  // namespace

std::optional<PodContainer> pod_container(const Source& source) {
    if (source.kind == "cri") {
        auto name = split<3>(source.name, '/'), id = split<3>(source.id, '/');
        auto run = id ? number_of((*id)[2]) : std::nullopt;
        if (!name || !run) return std::nullopt;
        return PodContainer{
            .space = (*name)[0], .pod = (*name)[1], .container = (*name)[2], .uid = (*id)[0], .run = *run};
    }
    auto name = split<6>(source.name, '_');
    auto run = name && (*name)[0] == "k8s" ? number_of((*name)[5]) : std::nullopt;
    if (!run) return std::nullopt;
    return PodContainer{
        .space = (*name)[3], .pod = (*name)[2], .container = (*name)[1], .uid = (*name)[4], .run = *run};
}

FilterPtr pod_is(PodWish wish) { return std::make_shared<PodIs>(std::move(wish)); }

FilterPtr source_is_one_of(std::vector<std::string> ids) { return std::make_shared<SourceIsOneOf>(std::move(ids)); }

}  // namespace boatswain::query
