# The web page in a real browser (Debian's chromium), on a real server, agent and engine.
add_test(NAME live_page COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/page_test.py)
set_tests_properties(live_page PROPERTIES LABELS live TIMEOUT 420 ENVIRONMENT BOATSWAIN_BUILD=${CMAKE_BINARY_DIR})
