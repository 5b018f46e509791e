boatswain_live_test(s3_store SOURCES ${CMAKE_CURRENT_LIST_DIR}/s3_store_test.cc USES store WITH ${CMAKE_CURRENT_LIST_DIR}/with_rgw.sh auto)
