import BrokerCarrier
import CarrierProtocol
import Foundation
import MessageFormat
import NATS
import NATSCarrier
import TestSupport
import Testing

/// Three servers, of which one after the other dies under a stream of messages.
@Suite(.serialized, .enabled(if: NATSServer.absence == nil, "nats-server is not installed"))
struct NATSClusterTests {
  /// `DISTRO_NATS_MESSAGES=1000 DISTRO_NATS_READERS=20`: the full count.
  private static func count(_ name: String, _ otherwise: Int) -> Int {
    ProcessInfo.processInfo.environment["DISTRO_NATS_\(name)"].flatMap(Int.init) ?? otherwise
  }

  private let folder: TemporaryFolder
  private let servers: [NATSServer]
  private let streams: NATSStreamsOfTest
  private let sender: CarrierMachine
  private let readers: [CarrierMachine]

  init() throws {
    let folder = try TemporaryFolder()
    self.folder = folder
    servers = try NATSServer.cluster()
    streams = try NATSStreamsOfTest(servers)
    sender = try CarrierMachine("alice", in: folder)
    readers = try (0..<Self.count("READERS", 4)).map { try CarrierMachine("r\($0)", in: folder) }
  }

  private func connect(_ machine: CarrierMachine, _ others: [CarrierMachine]) throws {
    try machine.connect(
      by: BrokerCarrier(try streams.broker(), timeouts: CarrierFixture.timeouts),
      correspondents: Set(others.map(\.mailbox)))
  }

  @Test func `one server after the other dies and nothing is lost or comes twice`() throws {
    for reader in readers { try connect(reader, [sender]) }
    try connect(sender, readers)
    let mailboxes = readers.map(\.mailbox)
    // Among the small ones some that are more than a window.
    let letters = (1...UInt32(Self.count("MESSAGES", 60))).map { number in
      Letter(
        number, payloadByteCount: number % 100 == 7 ? 2_000_000 : 3_000 + Int(number),
        for: mailboxes)
    }
    func put(_ part: ArraySlice<Letter>) throws {
      for letter in part { try sender.put(letter, for: readers) }
    }
    func arrived() -> Int { readers.map(\.current.accepted.count).reduce(0, +) }
    /// As long as something comes.
    func wait(forPart part: Int) throws {
      while arrived() < part * quarter * readers.count {
        let (before, end) = (arrived(), ContinuousClock.now + patience)
        try sender.wait {
          let isLate = end <= .now && arrived() == before
          let states = isLate ? self.states() : []
          try #require(!isLate, "\(states)")
          return arrived() > before
        }
      }
    }
    let quarter = letters.count / 4
    try put(letters[..<quarter])
    try sender.wait { arrived() >= quarter }
    servers[0].kill()
    try put(letters[quarter..<2 * quarter])
    try wait(forPart: 2)
    try servers[0].start()
    try requireWhole()
    try put(letters[(2 * quarter)..<(3 * quarter)])
    servers[1].kill()
    try put(letters[(3 * quarter)...])
    try wait(forPart: 4)
    for reader in readers { try reader.requireMail(letters) }
    try sender.requireDelivered(letters)
    for reader in readers {
      let accepted = reader.current.accepted
      #expect(Set(accepted).count == letters.count, "none is lost")
      #expect(accepted.count == letters.count, "each is accepted once")
    }
  }

  /// What became of each reader's mail, and what the servers say.
  private func states() -> [String] {
    let words = ["leader", "quorum", "stalled", "corrupt", "reset", "not current"]
    return readers.map { reader in
      let news = reader.current
      return "\(news.accepted.count) accepted; \(news.failures); \(reader.log.lines.suffix(3))"
    }
      + servers.map { server in
        let lines = server.log.split(separator: "\n").filter { line in
          words.contains { line.contains($0) }
        }
        return lines.suffix(20).joined(separator: "\n")
      }
  }

  /// All copies of all streams are there again.
  private func requireWhole() throws {
    try sender.wait {
      do {
        return try streams.using { line in
          try readers.allSatisfy {
            try line.stream(NATSNames.stream(of: $0.mailbox))?.isWhole == true
          }
        }
      } catch is NATSError {
        // A stream whose leader died has none for a moment.
        return false
      }
    }
  }
}
