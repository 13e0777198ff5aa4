import CarrierProtocol
import MessageFormat
import TestSupport

/// One machine's way to the others, with the faults of a real line.
protocol Line: AnyObject {
  var name: String { get }
  /// No cable, no route.
  var isUp: Bool { get set }
  /// Of the machine's own disk.
  var writeLimit: UInt64? { get set }
  /// When there is something to do here though nothing comes.
  var nextTurn: UInt64? { get }

  /// A new process at the end of the line.
  func replace(_ port: CarrierPort, isOrderly: Bool) throws
  /// What is on its way is lost.
  func disconnect()
  func outgoingChanged()
  /// Whether anything moved.
  func turn() throws -> Bool
  /// Another fault from now on, or none; returns which.
  func disturb(using random: inout SeededGenerator) -> String
  /// No fault.
  func calm()
}

/// What stands between the machines, and is trusted by none.
protocol Middle: AnyObject {
  var name: String { get }
  var clock: HostClock { get }
  var isRunning: Bool { get set }
  /// Of its own disk.
  var writeLimit: UInt64? { get set }
  /// What is taken, and forgotten, by mailbox and depositor.
  var swallows: ((Mailbox, Mailbox) -> Bool)? { get set }
  /// When there is something to do here though nothing comes.
  var nextTurn: UInt64? { get }

  /// What it still has for a machine.
  func waitingCount(for mailbox: Mailbox) throws -> Int
  func line(
    _ name: String, _ port: CarrierPort, trace: @escaping (String) -> Void
  ) -> any Line
  /// A new process on the same state.
  func restart(isOrderly: Bool) throws
  /// Whether anything was done.
  func turn() throws -> Bool
  /// What no good one does; returns what, `nil` where there was no occasion.
  func misbehave(using random: inout SeededGenerator) throws -> String?
  /// Nothing of that any more.
  func calm()
}
