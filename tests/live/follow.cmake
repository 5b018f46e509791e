# Lines while they are printed: a real engine, agents, `boatswain serve` as their hub, and those who follow.
foreach(class Live Faults)
  add_test(NAME live_follow_${class} COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/follow_test.py ${class})
  set_tests_properties(live_follow_${class} PROPERTIES LABELS live TIMEOUT 300 ENVIRONMENT BOATSWAIN_BUILD=${CMAKE_BINARY_DIR})
endforeach()
