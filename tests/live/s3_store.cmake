boatswain_live_test(s3_store SOURCES ${CMAKE_CURRENT_LIST_DIR}/s3_store_test.cc USES store WITH ${CMAKE_CURRENT_LIST_DIR}/with_rgw.sh auto)
# What the documented policies let a host do. No program of ours takes part.
add_test(NAME live_s3_policy COMMAND ${CMAKE_CURRENT_LIST_DIR}/with_rgw.sh auto ${CMAKE_CURRENT_LIST_DIR}/s3_policy_test.py)
set_tests_properties(live_s3_policy PROPERTIES LABELS live TIMEOUT 300)
