// Does a container of a Mesos agent claim to be another task than the agent says?
//
// What an app puts into its environment is applied last (Marathon's TaskBuilder: task context, then ports, then the
// app's own `env`), and an app's `parameters` can add Docker labels. Both can thus name any task and any app. The path
// of the sandbox, which the agent binds, cannot be chosen by whoever submits a task. Where both speak and contradict
// each other, somebody lies, and the operator says whom to believe (tenancy.forged).
//
// A claim that the path cannot check is not looked at: MARATHON_APP_LABEL_TENANT is one, so tenants that do not trust
// each other need rules that read the sandbox (docs/intake/tenancy.md).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "record/source_facts.h"
#include "tenancy/mesos_sandbox.h"

namespace boatswain::tenancy {

// Of [tenancy] forged: what becomes of such a container.
enum class Forged {
    quarantine,  // nobody's: sealed for the operator
    ignore_env,  // it is what the sandbox says: all that can be forged (ignore_claims) is taken as absent
    trust_env    // it is what it claims
};

// What Attribution::tenant_rule begins with for a container that is quarantined for it. No rule's text begins so.
inline constexpr std::string_view forged_rule = "forged:";

// The variables that claims are looked for in: kept of the environment beside those that rules name. None is a secret.
bool is_claim(std::string_view environment_key);
// The same of labels.
bool is_label_claim(std::string_view label);
// Whether what is mounted there may be a sandbox.
bool is_sandbox_mount(std::string_view destination);

// Which claims of `container` contradict its sandbox, by name and without values: "env MARATHON_APP_ID", "label
// MESOS_TASK_ID". Empty for a container without a sandbox, or that tells the truth.
std::vector<std::string> forged_claims(const SourceFacts& container);

// `container` without what a task can claim of itself: variables MARATHON_* and MESOS_*, the label MESOS_TASK_ID.
SourceFacts ignore_claims(SourceFacts container);

// Whether Marathon gives tasks of the app `app_id` ("/acme/shop/web") the id `task`: the app's path with '_' for '/',
// then '.', then "<uuid>", "instance-<uuid>" or "marathon-<uuid>" and what follows (SC/marathon/core/task/Task.scala).
bool is_task_of(std::string_view task, std::string_view app_id);

}  // namespace boatswain::tenancy
