# `boatswain why` and `boatswain status` against a running agent: every reason why a container is or is not collected.
if(BOATSWAIN_DOCKERD)
  add_test(NAME live_why COMMAND ${CMAKE_CURRENT_LIST_DIR}/with_engine.sh /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/why_test.py
    ${CMAKE_BINARY_DIR}/boatswaind ${CMAKE_BINARY_DIR}/boatswain)
  set_tests_properties(live_why PROPERTIES LABELS live TIMEOUT 300)
endif()
