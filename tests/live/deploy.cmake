# What is handed out, as it would be run: the image as orchestrators start it, the Debian package, the files under deploy/.
function(boatswain_deploy_test FILE CLASS)
  set(name live_deploy_${CLASS})
  add_test(NAME ${name} COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/${FILE} ${CLASS})
  set_tests_properties(${name} PROPERTIES LABELS live TIMEOUT 420 RESOURCE_LOCK deployed_ports ENVIRONMENT BOATSWAIN_BUILD=${CMAKE_BINARY_DIR})
endfunction()

boatswain_deploy_test(deploy_test.py Marathon)
if(EXISTS ${CMAKE_SOURCE_DIR}/src/guard)
  boatswain_deploy_test(deploy_test.py MarathonWithGuard)
  boatswain_deploy_test(swarm_test.py Swarm)
endif()
boatswain_deploy_test(deploy_test.py Metrics)
boatswain_deploy_test(package_test.py Package)
