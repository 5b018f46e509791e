# Pods on a real containerd, without a kubelet.
add_test(NAME live_cri COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/cri_test.py)
set_tests_properties(live_cri PROPERTIES LABELS live TIMEOUT 420 ENVIRONMENT BOATSWAIN_BUILD=${CMAKE_BINARY_DIR})

# What `./dev demo --engine containerd` shows.
add_test(NAME live_demo_containerd COMMAND /usr/bin/python3 ${CMAKE_SOURCE_DIR}/scripts/demo_pods.py --engine containerd --once)
set_tests_properties(live_demo_containerd PROPERTIES LABELS live TIMEOUT 200 ENVIRONMENT BOATSWAIN_BUILD=${CMAKE_BINARY_DIR})

# The same as live_cri on containerd 2.x of a newer suite: its CRI plugin is another one. What is in it that is new, and no more.
add_test(NAME live_sid_cri COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/cri_test.py
  Pods.test_nothing_is_lost_or_doubled_over_rotation_and_kills
  Pods.test_a_run_again_and_a_pod_deleted_while_no_agent_ran_are_told
  Pods.test_short_pods_are_whole_and_closed_and_others_go_on_over_a_crash_of_containerd
  Pods.test_variables_say_whose_pods_are_by_containerds_tasks)
set_tests_properties(live_sid_cri PROPERTIES LABELS live TIMEOUT 420 FIXTURES_REQUIRED engine_sid ENVIRONMENT
  "BOATSWAIN_BUILD=${CMAKE_BINARY_DIR};BOATSWAIN_TEST_CONTAINERD=sid;BOATSWAIN_ENGINES=/var/cache/boatswain-engines")
