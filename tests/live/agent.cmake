# The agent as a whole, against a private engine and a real S3 server: one test a class, so that each reports for itself. They measure
# against time (a container lives a moment, a kill comes amid output), so nothing else runs beside them.
function(boatswain_agent_test FILE CLASS)
  set(name live_agent_${CLASS})
  add_test(NAME ${name} COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/${FILE} ${CLASS})
  set_tests_properties(${name} PROPERTIES LABELS live RUN_SERIAL ON TIMEOUT 300
    ENVIRONMENT BOATSWAIN_BUILD=${CMAKE_BINARY_DIR})
endfunction()

foreach(class SixtyContainers Lives)
  boatswain_agent_test(agent_lines_test.py ${class})
endforeach()
foreach(class AgentRestarts EngineRestarts LiveRestore Manners)
  boatswain_agent_test(agent_life_test.py ${class})
endforeach()
boatswain_agent_test(agent_away_test.py Away)
foreach(class Keys Secrets Selection)
  boatswain_agent_test(agent_tenancy_test.py ${class})
endforeach()
boatswain_agent_test(agent_s3_test.py S3Agent)
boatswain_agent_test(agent_garbage_test.py Garbage)
boatswain_agent_test(mesos_test.py MesosTasks)
