#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "absl/time/time.h"
#include "common/time/clock.h"
#include "coordinator/client/terminal.h"
#include "heroq/v1/quantization_service.pb.h"

namespace heroq {

// Shows how a job goes on standard error. Thread-compatible.
class ProgressRenderer {
 public:
  virtual ~ProgressRenderer() = default;
  // The job changed; `event` is nullptr for snapshots.
  virtual void Update(const v1::QuantizationJob& job, const v1::JobEvent* event) = 0;
  // Time passed, or the terminal changed its size.
  virtual void Refresh() = 0;
  // A sentence that stays.
  virtual void Note(const std::string& text) = 0;
  // Takes a picture away; the terminal is as before.
  virtual void Finish() = 0;
};

struct ProgressOptions {
  Terminal terminal;
  std::function<TerminalSize()> terminal_size;
  bool quiet = false;  // nothing at all
};

// Bars that are redrawn in place on a terminal, plain lines elsewhere: phases, and events that counts do not
// show, at once; a line with the counts every 30 s. `out` and `clock` outlive it.
std::unique_ptr<ProgressRenderer> NewProgressRenderer(std::ostream& out, Clock& clock,
                                                      ProgressOptions options);

}  // namespace heroq
