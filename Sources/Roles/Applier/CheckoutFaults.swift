import Foundation
import Host
import MessageFormat

/// What the machine did not let us do with one checkout, a full disk, a lock of git's, a directory that is not ours; or with
/// one message, whose name is in the place of the path.
package struct CheckoutFault: Error, CustomStringConvertible {
  package let path: String
  package let reason: any Error

  package var description: String { "\(path): \(detail)" }

  var detail: String { (reason as? CocoaError)?.fault ?? "\(reason)" }
}

/// The checkouts that a step has just failed on: their messages wait a while, and those of the others go on.
struct CheckoutFaults {
  private static let delays: [Duration] = [1, 2, 5, 10, 30].map { .seconds($0) }

  private struct Wait {
    var failureCount: Int
    var end: ContinuousClock.Instant
    var fault: CheckoutFault
  }

  private let now: () -> ContinuousClock.Instant
  private var waits: [String: Wait] = [:]
  /// Messages that were opened, and found to be for a checkout that waits.
  private var held: [MessageID: String] = [:]
  /// A step sees every wait as it was at its beginning: one that ended in between would let a message pass one that was
  /// held before it.
  private var stepBegin: ContinuousClock.Instant

  init(now: @escaping () -> ContinuousClock.Instant) {
    self.now = now
    stepBegin = now()
  }

  var last: CheckoutFault? { waits.values.first?.fault }

  /// When the next of them is to be tried again.
  var nextEnd: ContinuousClock.Instant? { waits.values.map(\.end).min() }

  /// Nothing is left to be tried: what waits no longer has nothing to wait for.
  mutating func forgetEnded() {
    for (path, wait) in waits where wait.end <= stepBegin { forget(path) }
  }

  mutating func beginStep() { stepBegin = now() }

  mutating func note(_ fault: CheckoutFault) {
    let failureCount = (waits[fault.path]?.failureCount ?? 0) + 1
    let delay = Self.delays[min(failureCount, Self.delays.count) - 1]
    waits[fault.path] = Wait(failureCount: failureCount, end: now() + delay, fault: fault)
  }

  mutating func forget(_ path: String) {
    waits[path] = nil
    held = held.filter { $0.value != path }
  }

  func isWaiting(_ path: String) -> Bool {
    waits[path].map { $0.end > stepBegin } ?? false
  }

  mutating func hold(_ message: MessageID, for path: String) { held[message] = path }

  func isHeld(_ message: MessageID) -> Bool { held[message].map { isWaiting($0) } ?? false }

  var heldCount: Int { held.count }
}
