import CarrierProtocol
import Foundation
import MessageFormat
import TestSupport
import Testing

/// A relay that says more than anyone asked for. What a peer keeps of it has a limit.
struct HostileFloodTests {
  private static let numbers = Remembered<UInt32>(1_000)

  private static func letter(for mailbox: Mailbox) -> Letter {
    Letter(
      numbers.change {
        $0 += 1
        return $0
      }, for: [mailbox])
  }

  /// A well-formed message that nobody has sealed.
  private static func garbage(more: Bool, to peer: MailboxServer.Peer) -> [Passage] {
    let letter = letter(for: peer.mailbox)
    let entry = MailboxEntry(position: UInt64(letter.number), id: letter.id)
    let chunks = letter.chunks.enumerated().map { index, chunk in
      Passage(.chunk(ChunkName(id: letter.id, index: UInt32(index))), chunk: chunk, to: peer)
    }
    return [Passage(.delivery(entry, letter.size, more: more), to: peer)] + chunks
  }

  /// Frames that are no reply; mail that nobody asked for, as much as the line takes; an answer that never ends.
  @Test(arguments: ["frames", "deliveries", "more"])
  func `endless answers end the connection`(what: String) throws {
    let hostile = try HostileFleet()
    hostile.relay.behave(
      Misbehaviour(unasked: { peer in
        (0..<50).flatMap { _ in
          switch what {
          case "frames": [Passage(peer: peer, frames: [PatchCases.randomBytes(200, seed: 3)])]
          default: Self.garbage(more: what == "more", to: peer)
          }
        }
      }))
    try hostile.push()
    try hostile.run {
      hostile.machine.log.count(of: "carrier-invalid-answer") > 0
        && hostile.signerLog.count(of: "carrier-invalid-answer") > 0
    }
    #expect(hostile.largestBatch.change { $0 } <= Int(Limits.creditMax) / 2)
    try hostile.expectRecovery()
  }

  /// Answers to questions of nobody's, and ones that come too soon: what is true is heard between them.
  @Test(arguments: ["stored", "continue", "acknowledged", "chunk", "empty"])
  func `endless answers about nothing are passed over`(what: String) throws {
    let hostile = try HostileFleet()
    let id = MessageID(repeating: 7)
    hostile.relay.behave(
      Misbehaviour(unasked: { peer in
        let reply: Passage =
          switch what {
          case "empty": Passage(.empty, to: peer)
          case "stored": Passage(.stored(id), to: peer)
          case "continue": Passage(.proceed(ChunkName(id: id, index: 3), credit: 32), to: peer)
          case "acknowledged":
            Passage(.acknowledged(MailboxEntry(position: 3, id: id)), to: peer)
          default:
            Passage(
              .chunk(ChunkName(id: id, index: 3)), chunk: [UInt8](repeating: 1, count: 9_000),
              to: peer)
          }
        return Array(repeating: reply, count: 20)
      }))
    try hostile.push()
    try hostile.settle()
    try hostile.expectRecovery()
  }

  /// Each as a relay delivers, and as many as are asked for.
  @Test func `endless mail stops at the inbox limit`() throws {
    var limit = InboxLimit()
    limit.messageCount = 100
    let hostile = try HostileFleet(inboxMax: limit)
    let mailbox = hostile.machine.mailbox
    hostile.relay.behave(
      Misbehaviour(request: { passage in
        guard passage.peer.mailbox == mailbox else { return [.pass(passage)] }
        switch passage.request {
        case .collect:
          return (0..<10).flatMap { Self.garbage(more: $0 < 9, to: passage.peer) }
            .map { .answer($0) }
        // Nor are the answers taken.
        case .deposit, .chunk: return []
        default: return [.pass(passage)]
        }
      }))
    try hostile.push()
    try hostile.run(isWorking: false) { hostile.machine.log.count(of: "inbox-full") > 0 }
    let count = try hostile.machine.store.usage(of: mailbox, as: .mailbox).messageCount
    #expect((90...100).contains(count))
    try hostile.run {
      try hostile.isStale()
        && hostile.machine.log.lines.count { $0.hasPrefix("refused") } >= 100
    }
    let signer = hostile.fleet.signer.public.mailbox
    #expect(try hostile.machine.store.usage(of: signer, as: .mailbox).messageCount <= 4)
    try hostile.expectRecovery()
  }
}
