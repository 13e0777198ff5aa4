import Synchronization

/// What went wrong on other threads.
final class Failures: Sendable {
  private let first = Mutex<String?>(nil)

  func note(_ body: () throws -> Void) {
    do {
      try body()
    } catch {
      first.withLock { $0 = $0 ?? "\(error)" }
    }
  }

  func rethrow() throws {
    if let text = first.withLock({ $0 }) { throw ProgramFailure(description: text) }
  }
}
