#include "http/mounts.h"

#include <utility>

namespace boatswain::http {

Handler mounted(std::vector<Mount> mounts, Handler rest) {
    return [mounts = std::move(mounts), rest = std::move(rest)](Request request, AnswerWriter& writer) {
        for (const auto& mount : mounts)
            if (mount.takes(request.path)) return mount.handler(std::move(request), writer);
        return rest(std::move(request), writer);
    };
}

}  // namespace boatswain::http
