# The log driver, against a private engine. The plugin's name is private to each run, since dockerd hard-codes where it looks for it.
foreach(class Bytes Kills KillsOfBoth LiveRestored HostCrash Bounds Plugin)
  boatswain_agent_test(driver_test.py ${class})
endforeach()
# 500 containers, with the engine's side played by the test.
boatswain_agent_test(driver_waits_test.py Waits)
