import Synchronization

/// One line on a terminal for what takes longer than a second; nothing elsewhere. Any thread may report.
final class ProgressBar: Sendable {
  private static let width = 30
  private static let delay: Duration = .seconds(1)
  private static let interval: Duration = .milliseconds(100)

  private struct State {
    var lastDrawn: ContinuousClock.Instant
    var isVisible = false
  }

  private let start = ContinuousClock.now
  private let state: Mutex<State>

  init() {
    state = Mutex(State(lastDrawn: start))
  }

  func update(_ label: String, done: UInt64, of total: UInt64) {
    let now = ContinuousClock.now
    guard total > 0, now - start >= Self.delay, Terminal.errorIsTerminal else { return }
    state.withLock { state in
      guard now - state.lastDrawn >= Self.interval else { return }
      state.lastDrawn = now
      state.isVisible = true
      let part = min(done, total)
      let filled = Int(UInt64(Self.width) * part / total)
      let bar = String(repeating: "#", count: filled)
      let rest = String(repeating: ".", count: Self.width - filled)
      Terminal.overwriteErrorLine("\(label) [\(bar)\(rest)] \(part * 100 / total) %")
    }
  }

  func finish() {
    state.withLock { state in
      guard state.isVisible else { return }
      state.isVisible = false
      Terminal.overwriteErrorLine("")
    }
  }
}
