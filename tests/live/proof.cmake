# boatswaind and boatswain together: closing records, and a store that `boatswain verify` proves.
add_test(NAME proof_live COMMAND ${CMAKE_CURRENT_LIST_DIR}/with_engine.sh ${CMAKE_CURRENT_LIST_DIR}/proof_test.sh
                                 $<TARGET_FILE:boatswaind_program> $<TARGET_FILE:boatswain>)
set_tests_properties(proof_live PROPERTIES LABELS live TIMEOUT 300)
