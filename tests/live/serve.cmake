# `boatswain serve` as clients meet it: three behind HAProxy, of which one dies; an SDK of npm; tokens of a login server.
add_test(NAME live_serve_clients COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/serve_clients_test.py)
set_tests_properties(live_serve_clients PROPERTIES LABELS live TIMEOUT 120 ENVIRONMENT BOATSWAIN_BUILD=${CMAKE_BINARY_DIR})
add_test(NAME live_serve_openapi COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/serve_openapi_test.py)
set_tests_properties(live_serve_openapi PROPERTIES LABELS live TIMEOUT 180 ENVIRONMENT BOATSWAIN_BUILD=${CMAKE_BINARY_DIR})
add_test(NAME live_serve_oidc COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/serve_oidc_test.py)
set_tests_properties(live_serve_oidc PROPERTIES LABELS live TIMEOUT 240 ENVIRONMENT BOATSWAIN_BUILD=${CMAKE_BINARY_DIR})
add_test(NAME live_serve_certificates COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/serve_certificates_test.py)
set_tests_properties(live_serve_certificates PROPERTIES LABELS live TIMEOUT 240 ENVIRONMENT BOATSWAIN_BUILD=${CMAKE_BINARY_DIR})
add_test(NAME live_serve_sign_in COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/serve_sign_in_test.py)
set_tests_properties(live_serve_sign_in PROPERTIES LABELS live TIMEOUT 300 ENVIRONMENT BOATSWAIN_BUILD=${CMAKE_BINARY_DIR})
# Each tenant's logs are read in a process of its own.
add_test(NAME live_serve_cells COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/serve_cells_test.py)
set_tests_properties(live_serve_cells PROPERTIES LABELS live TIMEOUT 120 ENVIRONMENT BOATSWAIN_BUILD=${CMAKE_BINARY_DIR})
