import Host
import ZeroMQ

extension Poller {
  /// Waits, and says so: until then nobody expects the loop to turn.
  mutating func wait(until deadline: Deadline, _ pulse: LoopLiveness) throws(ZeroMQError) {
    switch deadline {
    case .now: pulse.beat()
    case .at(let instant): pulse.rest(for: max(.zero, instant - .now))
    case .never: pulse.end()
    }
    defer { pulse.beat() }
    try wait(until: deadline)
  }
}
