#include "intake/engine_logs/container_state.h"

namespace boatswain::intake {

StreamCounters::StreamCounters(Metrics& metrics)
    : repeated(metrics.counter("boatswain_repeated_lines_total", "Lines that the engine served again, dropped")),
      clock_steps(metrics.counter("boatswain_clock_steps_total",
                                  "Times that the lines of a container went back in time; all of them are kept")),
      engine_messages(
          metrics.counter("boatswain_engine_stream_errors_total", "Messages of the engine itself inside a log stream")),
      dropped_bytes(metrics.counter("boatswain_attach_dropped_bytes_total",
                                    "Bytes dropped for want of room, named by gap records")),
      errors(metrics.counter("boatswain_read_errors_total", "Times a container's log could not be read",
                             {{"reader", "engine"}})) {}

}  // namespace boatswain::intake
