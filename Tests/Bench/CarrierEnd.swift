import CarrierProtocol
import Foundation
import Host
import Logging
import Mailboxes
import MessageFormat
import Synchronization
import TestSupport

/// A machine's end of a carrier: its store, and when what lies there is with the other one.
final class CarrierEnd: Sendable {
  private struct Counts {
    var delivered = 0
    var accepted = 0
  }

  private static let silent = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
  private static let patience: Duration = .seconds(600)

  let mailbox = freshMailbox()
  let store: MailboxStore
  private let counts = Mutex(Counts())
  private let bell = Bell()

  init(in directory: String) throws { store = try MailboxStore(testing: directory) }

  /// None has been before, nor its queue.
  static func freshMailbox() -> Mailbox { TestIdentity.mailbox("bench-\(UUID().uuidString)") }

  /// To be handed over.
  func put(_ letters: [Letter], for reader: Mailbox) throws {
    for batch in stride(from: 0, to: letters.count, by: 500) {
      let messages = try letters[batch..<min(batch + 500, letters.count)].map { letter in
        let message = try MessageWriter(letter.offer(for: [reader]), from: mailbox, into: store)
        for chunk in letter.chunks { try message.append(chunk) }
        return message
      }
      try store.commit(messages, at: Timestamp(milliseconds: 1_000))
    }
  }

  /// From the carrier's start until so many messages of our store are on the other side's disk.
  func send(_ count: Int, to reader: Mailbox, by carrier: any Carrier) throws -> Double {
    try run(carrier, with: reader) { $0.delivered == count }
  }

  /// From the carrier's start until so many have come and are on our disk.
  func receive(_ count: Int, from sender: Mailbox, by carrier: any Carrier) throws -> Double {
    try run(carrier, with: sender) { $0.accepted == count }
  }

  private func run(
    _ carrier: any Carrier, with correspondent: Mailbox, until isDone: (Counts) -> Bool
  ) throws -> Double {
    var port = CarrierPort(
      mailbox: mailbox, correspondents: [correspondent], store: store, byteCountMax: 1 << 30,
      log: Self.silent, now: { Timestamp(milliseconds: 2_000) })
    let (accept, delivered) = (port.accept, port.delivered)
    unowned let end = self
    port.accept = { messages in
      try accept(messages)
      end.note { $0.accepted += messages.count }
    }
    port.delivered = { messages in
      try delivered(messages)
      end.note { $0.delivered += messages.count }
    }
    port.refused = { Bench.say("refused: \($0.reason.rawValue): \($0.detail)") }
    port.stateChanged = { if case .failed(let error) = $0 { Bench.say("\(error)") } }
    let set = CarrierSet()
    let start = ContinuousClock.now
    try set.start(carrier, port) { Bench.say("\($0)") }
    while !isDone(counts.withLock({ $0 })) {
      guard .now - start < Self.patience else {
        throw ProgramFailure(description: "\(carrier.place): \(counts.withLock { $0 })")
      }
      bell.wait(for: .seconds(1))
    }
    let elapsed = seconds(.now - start)
    set.stop()
    return elapsed
  }

  private func note(_ change: (inout Counts) -> Void) {
    counts.withLock { change(&$0) }
    bell.ring()
  }
}
