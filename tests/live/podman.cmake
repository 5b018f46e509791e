# Containers of a real Podman (Debian 12: 4.3.1). A container of it lives a moment, so nothing else runs beside.
add_test(NAME live_podman COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/podman_test.py)
set_tests_properties(live_podman PROPERTIES LABELS live TIMEOUT 420 RUN_SERIAL ON ENVIRONMENT
  BOATSWAIN_BUILD=${CMAKE_BINARY_DIR})

# The same on Podman 5.4 of a newer suite, unpacked by the test, once.
add_test(NAME live_trixie_podman COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/podman_test.py)
set_tests_properties(live_trixie_podman PROPERTIES LABELS live TIMEOUT 1300 RUN_SERIAL ON ENVIRONMENT
  "BOATSWAIN_BUILD=${CMAKE_BINARY_DIR};BOATSWAIN_TEST_PODMAN=trixie;BOATSWAIN_ENGINES=${boatswain_engines_dir}")

# The same on this machine's Podman, run by an ordinary user, and by an agent that runs as he does.
add_test(NAME live_rootless_podman COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/podman_test.py)
set_tests_properties(live_rootless_podman PROPERTIES LABELS live TIMEOUT 420 RUN_SERIAL ON ENVIRONMENT
  "BOATSWAIN_BUILD=${CMAKE_BINARY_DIR};BOATSWAIN_TEST_PODMAN=rootless")

# What `./dev demo --engine podman` shows.
add_test(NAME live_demo_podman COMMAND /usr/bin/python3 ${CMAKE_SOURCE_DIR}/scripts/demo_pods.py --engine podman --once)
set_tests_properties(live_demo_podman PROPERTIES LABELS live TIMEOUT 200 ENVIRONMENT BOATSWAIN_BUILD=${CMAKE_BINARY_DIR})
