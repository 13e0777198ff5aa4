import CNATS

/// Where what libnats says on its threads waits for a connection's owner, and what another thread rings to wake it.
///
/// Several signals before a wait count as one. No signal is lost: one that comes before a wait ends that wait at once.
@safe package final class NATSEvents: @unchecked Sendable {
  // Its mutex is in C: every call below may come from any thread.
  let handle: OpaquePointer

  /// Throws where there is no libnats.
  package init() throws(NATSError) {
    var error = cnats_error()
    guard unsafe cnats_load(&error) else { throw NATSError(error) }
    guard let made = unsafe cnats_events_new() else { throw .outOfMemory }
    unsafe handle = unsafe made
  }

  deinit { unsafe cnats_events_free(handle) }

  package func ring() { unsafe cnats_ring(handle) }

  /// Returns when it rings, or then.
  package func wait(until end: ContinuousClock.Instant) {
    unsafe cnats_wait(handle, Self.milliseconds(until: end))
  }

  /// Rounded up: who waits for an instant is not to turn in a circle just before it.
  static func milliseconds(until end: ContinuousClock.Instant) -> Int64 {
    let milliseconds = ((end - .now) / .milliseconds(1)).rounded(.up)
    return Int64(min(max(0, milliseconds), 60_000))
  }
}
