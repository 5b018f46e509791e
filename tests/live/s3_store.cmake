boatswain_live_test(s3_store SOURCES ${CMAKE_CURRENT_LIST_DIR}/s3_store_test.cc USES store WITH ${CMAKE_CURRENT_LIST_DIR}/with_rgw.sh auto)
# What the documented policies let a host do. No program of ours takes part.
add_test(NAME live_s3_policy COMMAND ${CMAKE_CURRENT_LIST_DIR}/with_rgw.sh auto ${CMAKE_CURRENT_LIST_DIR}/s3_policy_test.py)
set_tests_properties(live_s3_policy PROPERTIES LABELS live TIMEOUT 300)
# An export that is killed and run again.
boatswain_live_test(export_s3 SOURCES ${CMAKE_CURRENT_LIST_DIR}/export_s3_test.cc USES store query segment open WITH ${CMAKE_CURRENT_LIST_DIR}/with_rgw.sh auto)
target_compile_definitions(export_s3_live_test PRIVATE BOATSWAIN_TOOL="$<TARGET_FILE:boatswain>")
add_dependencies(export_s3_live_test boatswain)
