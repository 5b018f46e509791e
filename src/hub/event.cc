#include "hub/event.h"

namespace boatswain::hub {

// Made with the lock held: others with the same question wait, instead of making it as well.
std::shared_ptr<const SharedForms::Form> SharedForms::of(const std::string& question,
                                                         const std::function<Form()>& make) const {
    std::lock_guard lock{mutex_};
    if (auto found = forms_.find(question); found != forms_.end()) return found->second;
    if (forms_.size() == forms_max) return nullptr;
    return forms_.emplace(question, std::make_shared<const Form>(make())).first->second;
}

}  // namespace boatswain::hub
