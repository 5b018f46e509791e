# An agent's heartbeats and `boatswain fleet status`, in processes of their own; no engine.
add_test(NAME live_heartbeat COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/heartbeat_test.py ${CMAKE_BINARY_DIR}/boatswaind
  ${CMAKE_BINARY_DIR}/boatswain)
set_tests_properties(live_heartbeat PROPERTIES LABELS live TIMEOUT 300)
