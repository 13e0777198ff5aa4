import Host
import ZeroMQ

extension Poller {
  /// Waits, and says so: until then the loop is not expected to turn.
  mutating func wait(until deadline: Deadline, _ liveness: LoopLiveness) throws(ZeroMQError) {
    switch deadline {
    case .now: liveness.beat()
    case .at(let instant): liveness.rest(for: max(.zero, instant - .now))
    case .never: liveness.end()
    }
    defer { liveness.beat() }
    try wait(until: deadline)
  }
}
