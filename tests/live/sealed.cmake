# The page's end-to-end mode in a real browser, at a server without keys; what it sends is recorded and judged.
add_test(NAME live_sealed COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/sealed_test.py)
set_tests_properties(live_sealed PROPERTIES LABELS live TIMEOUT 420 ENVIRONMENT BOATSWAIN_BUILD=${CMAKE_BINARY_DIR})
