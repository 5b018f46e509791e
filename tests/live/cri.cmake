# Pods on a real containerd, without a kubelet.
add_test(NAME live_cri COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/cri_test.py)
set_tests_properties(live_cri PROPERTIES LABELS live TIMEOUT 420 ENVIRONMENT BOATSWAIN_BUILD=${CMAKE_BINARY_DIR})
