import NIOCore
import Synchronization

/// Frames between a connection's event loop and the thread that works with it.
final class FrameQueue: Sendable {
  /// So much that was not taken yet, and no more is read: a broker that sends more than it was asked for fills no memory.
  private static let byteCountMax = 8 << 20
  private static let resumedByteCount = 2 << 20
  /// What is not written yet of what was sent: more than all that a sender has on its way without a confirm.
  private static let unwrittenByteCountMax = 64 << 20

  private struct State {
    var frames: [STOMPFrame] = []
    var takenCount = 0
    var byteCount = 0
    var isPaused = false
    /// Frames that come are dropped.
    var isClosing = false
    var fault: STOMPError?
    /// Nothing can be said any more.
    var isEnded = false
    var unwritten: [[UInt8]] = []
    var unwrittenByteCount = 0
    var isFlushDue = false
  }

  private let state = Mutex(State())
  private let ring: @Sendable () -> Void

  init(_ ring: @escaping @Sendable () -> Void) { self.ring = ring }

  // MARK: - The event loop

  /// Whether more may be read.
  func put(_ frames: [STOMPFrame]) -> Bool {
    let (isNews, isPaused) = state.withLock { state in
      guard !state.isClosing else { return (false, false) }
      state.frames += frames
      state.byteCount += frames.reduce(0) { $0 + ($1.body?.count ?? 0) + 256 }
      if state.byteCount > Self.byteCountMax { state.isPaused = true }
      return (!frames.isEmpty, state.isPaused)
    }
    if isNews { ring() }
    return !isPaused
  }

  /// The first fault is the one that counts. `isEnded`: nothing can be said any more either.
  func end(_ fault: STOMPError, isEnded: Bool = true) {
    state.withLock { state in
      state.fault = state.fault ?? fault
      state.isEnded = state.isEnded || isEnded
    }
    ring()
  }

  var isPaused: Bool { state.withLock { $0.isPaused } }

  func takeUnwritten() -> [[UInt8]] {
    state.withLock { state in
      defer { (state.unwritten, state.isFlushDue) = ([], false) }
      return state.unwritten
    }
  }

  func wrote(_ byteCount: Int) { state.withLock { $0.unwrittenByteCount -= byteCount } }

  // MARK: - The thread

  /// What came before the end of a line counts. `mayResume`: reading had paused, and there is room again.
  func take() throws(STOMPError) -> (frame: STOMPFrame?, mayResume: Bool) {
    let result = state.withLock { state -> Result<(STOMPFrame?, Bool), STOMPError> in
      guard state.takenCount < state.frames.count else {
        if let fault = state.fault { return .failure(fault) }
        return .success((nil, false))
      }
      let frame = state.frames[state.takenCount]
      state.takenCount += 1
      state.byteCount -= (frame.body?.count ?? 0) + 256
      if state.takenCount == state.frames.count || state.takenCount >= 1_024 {
        state.frames.removeFirst(state.takenCount)
        state.takenCount = 0
      }
      let mayResume = state.isPaused && state.byteCount < Self.resumedByteCount
      if mayResume { state.isPaused = false }
      return .success((frame, mayResume))
    }
    return try result.get()
  }

  /// Whether the event loop is to be told.
  func send(_ bytes: [[UInt8]]) throws(STOMPError) -> Bool {
    let result = state.withLock { state -> Result<Bool, STOMPError> in
      if state.isEnded, let fault = state.fault { return .failure(fault) }
      state.unwritten += bytes
      state.unwrittenByteCount += bytes.reduce(0) { $0 + $1.count }
      guard state.unwrittenByteCount <= Self.unwrittenByteCountMax else {
        return .failure(.line(reason: "the broker reads nothing"))
      }
      defer { state.isFlushDue = true }
      return .success(!state.isFlushDue)
    }
    return try result.get()
  }

  /// Nothing that comes is of use any more.
  func beginClosing() {
    state.withLock { state in
      (state.isClosing, state.isPaused) = (true, false)
      (state.frames, state.takenCount, state.byteCount) = ([], 0, 0)
    }
  }
}
