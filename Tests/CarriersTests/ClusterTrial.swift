import CarrierProtocol
import Foundation
import MessageFormat
import TestSupport
import Testing

/// A stream of messages through a cluster of three brokers, of which one dies, comes back, and then another one dies:
/// nothing is lost, and nothing is accepted twice.
struct ClusterTrial {
  /// `make test-brokers` has 1,000 messages to 20 readers.
  private static let asked =
    ProcessInfo.processInfo.environment["DISTRO_BROKER_COUNT"].flatMap { Int($0) }
  private static let count = asked ?? 60
  /// Clusters that take minutes are left to `make test-brokers`.
  static let isAsked = asked != nil
  private static var readerCount: Int { min(20, max(4, count / 50)) }

  let sender: CarrierMachine
  let readers: [CarrierMachine]
  private let letters: [Letter]

  init(in folder: TemporaryFolder) throws {
    sender = try CarrierMachine("alice", in: folder)
    let readers = try (0..<Self.readerCount).map { try CarrierMachine("r\($0)", in: folder) }
    self.readers = readers
    let mailboxes = readers.map(\.mailbox)
    // Among the small ones some that are more than a window.
    letters = (1...UInt32(Self.count)).map { number in
      Letter(
        number, payloadByteCount: number % 100 == 7 ? 2_000_000 : 3_000 + Int(number),
        for: mailboxes)
    }
  }

  /// What became of each reader's mail.
  var states: [String] {
    let sent = sender.current
    return readers.map { reader in
      let news = reader.current
      return "\(news.accepted.count) accepted; \(news.failures); \(reader.log.lines.suffix(3))"
    } + [
      "sender: \(sent.delivered.count) delivered; \(sent.failures.suffix(3)); \(sent.refused.count) refused: "
        + "\(sent.refused.suffix(3)); \(sender.log.lines.suffix(3))"
    ]
  }

  private var arrivedCount: Int { readers.map(\.current.accepted.count).reduce(0, +) }

  /// `kill` and `start`: of one of the three. `isWhole`: each broker has again what the others have. `states`: for a failure.
  func run(
    by carrier: () throws -> any Carrier, kill: (Int) throws -> Void, start: (Int) throws -> Void,
    isWhole: () throws -> Bool, states: () throws -> [String]
  ) throws {
    for reader in readers { try reader.connect(by: carrier(), correspondents: [sender.mailbox]) }
    try sender.connect(by: carrier(), correspondents: Set(readers.map(\.mailbox)))
    let quarter = letters.count / 4
    try put(letters[..<quarter])
    try sender.wait { arrivedCount >= quarter }
    try kill(0)
    try put(letters[quarter..<2 * quarter])
    try wait(for: 2 * quarter, states)
    try start(0)
    try sender.wait(isWhole)
    try put(letters[(2 * quarter)..<(3 * quarter)])
    try kill(1)
    try put(letters[(3 * quarter)...])
    try wait(for: letters.count, states)
    for reader in readers { try reader.requireMail(letters) }
    try sender.requireDelivered(letters)
    for reader in readers {
      let accepted = reader.current.accepted
      #expect(Set(accepted).count == letters.count, "none is lost")
      #expect(accepted.count == letters.count, "each is accepted once")
    }
  }

  private func put(_ part: ArraySlice<Letter>) throws {
    for letter in part { try sender.put(letter, for: readers) }
  }

  /// As long as something comes.
  private func wait(for count: Int, _ states: () throws -> [String]) throws {
    while arrivedCount < count * readers.count {
      let (before, end) = (arrivedCount, ContinuousClock.now + patience)
      try sender.wait {
        let isLate = end <= .now && arrivedCount == before
        let found = isLate ? try states() : []
        try #require(!isLate, "\(found)")
        return arrivedCount > before
      }
    }
  }
}
