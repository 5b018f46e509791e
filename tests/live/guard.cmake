# `boatswaind guard`: hostile clients before an engine that only records what reaches it; then before a real engine, with the docker
# command as its client, and an agent that has nothing but the guard's socket.
add_test(NAME live_guard_hostile COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/guard_hostile_test.py)
set_tests_properties(live_guard_hostile PROPERTIES LABELS live TIMEOUT 200 ENVIRONMENT BOATSWAIN_BUILD=${CMAKE_BINARY_DIR})

foreach(class DockerCommand AgentBehindGuard Sandboxed)
  add_test(NAME live_guard_${class} COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/guard_test.py ${class})
  set_tests_properties(live_guard_${class} PROPERTIES LABELS live TIMEOUT 420
    ENVIRONMENT BOATSWAIN_BUILD=${CMAKE_BINARY_DIR})
endforeach()
