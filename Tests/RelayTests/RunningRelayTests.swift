import CarrierProtocol
import Foundation
import MessageFormat
import Relay
import Sealing
import TestSupport
import Testing
import ZeroMQ

/// A relay on real sockets: who gets in, who may send to whom, and what happens when that changes.
@Suite struct RunningRelayTests {
  static let wait = CarrierRequest.collect(
    after: 0, credit: Limits.creditMax, waitMilliseconds: Limits.collectWaitMillisecondsMax)
  private static let look = CarrierRequest.collect(after: 0, credit: 0, waitMilliseconds: 0)

  private let fixture: RelayFixture
  private let signer: RelayVisitor
  private let applier: RelayVisitor

  init() throws {
    fixture = try RelayFixture()
    signer = try fixture.visitor("alice", atSigners: true)
    applier = try fixture.visitor("bob", atSigners: false)
  }

  private func isRefused(_ reply: CarrierReply, _ reason: CarrierRefusal) -> Bool {
    if case .refused(_, reason, _, _) = reply { true } else { false }
  }

  /// A deposit at one door wakes who waits at the other, in both directions.
  @Test func `deposit at one door wakes who waits at the other`() throws {
    for (sender, reader, number) in [(signer, applier, UInt32(1)), (applier, signer, 2)] {
      try reader.send(Self.wait)
      let letter = Letter(number)
      #expect(try sender.deposit(letter, for: [reader.mailbox]) == .stored(letter.id))
      #expect(try reader.nextDelivery() == letter.id)
    }
  }

  @Test func `nobody sends to one on their own side`() throws {
    try fixture.trust("carol", in: "signers")
    let carol = TestIdentity.mailbox("carol")
    let letter = Letter(1, for: [carol])
    #expect(isRefused(try signer.ask(.deposit(letter.offer(for: [carol]))), .notAllowed))
    let nobody = Mailbox(repeating: 7)
    #expect(
      isRefused(
        try signer.ask(.deposit(Letter(2, for: [nobody]).offer(for: [nobody]))), .unknownMailbox))
  }

  @Test func `a door is for its own side only`() throws {
    let wrong = try fixture.visitor("alice", atSigners: false)
    #expect(try wrong.wait { if case .handshakeFailed(.refused) = $0 { true } else { false } })
  }

  @Test func `empty directory lets nobody in`() throws {
    let empty = try RelayFixture(signers: [], appliers: [])
    for atSigners in [true, false] {
      let visitor = try empty.visitor("alice", atSigners: atSigners)
      #expect(try visitor.wait { if case .handshakeFailed(.refused) = $0 { true } else { false } })
    }
    try empty.trust("alice", in: "signers")
    #expect(try empty.visitor("alice", atSigners: true).ask(Self.look) == .empty)
  }

  @Test(arguments: [true, false])
  func `who is removed loses its connection and others do not`(isRevoked: Bool) throws {
    try fixture.trust("carol", in: "appliers")
    let carol = try fixture.visitor("carol", atSigners: false)
    #expect(try carol.ask(Self.look) == .empty)
    try carol.send(Self.wait)
    #expect(try applier.ask(Self.look) == .empty)
    try applier.send(Self.wait)
    if isRevoked {
      try fixture.revoke("carol", in: "appliers")
    } else {
      try fixture.distrust("carol", in: "appliers")
    }
    #expect(try carol.wait { $0 == .disconnected })
    #expect(try carol.wait { if case .handshakeFailed(.refused) = $0 { true } else { false } })
    // The other's wait goes on over the connection that it began on.
    let letter = Letter(1)
    #expect(try signer.deposit(letter, for: [applier.mailbox]) == .stored(letter.id))
    #expect(try applier.nextDelivery() == letter.id)
    #expect(
      isRefused(
        try signer.ask(.deposit(Letter(2, for: [carol.mailbox]).offer(for: [carol.mailbox]))),
        .unknownMailbox))
  }

  /// It never said a word, so only the connection is known, and not whose it is.
  @Test func `who is removed before its first word loses its connection`() throws {
    try fixture.trust("carol", in: "appliers")
    let carol = try fixture.visitor("carol", atSigners: false)
    #expect(try carol.wait { $0 == .handshakeSucceeded })
    // The accepted connection is known to the relay before its answer to anyone who came later.
    #expect(try applier.ask(Self.look) == .empty)
    try fixture.distrust("carol", in: "appliers")
    #expect(try carol.wait { $0 == .disconnected })
  }

  @Test func `who comes back finds its mail`() throws {
    let letter = Letter(1)
    #expect(try signer.deposit(letter, for: [applier.mailbox]) == .stored(letter.id))
    // It is let in before it is removed.
    #expect(try applier.wait { $0 == .handshakeSucceeded })
    try fixture.distrust("bob", in: "appliers")
    try fixture.trust("bob", in: "appliers")
    let back = try fixture.visitor("bob", atSigners: false)
    try back.send(Self.wait)
    #expect(try back.nextDelivery() == letter.id)
  }

  /// What a used relay has on its disk names mailboxes, and nothing that was sealed.
  @Test func `disk of a used relay names no repository`() throws {
    let words = ["git@example.org:acme/shop.git", "refs/heads/main"].map { Data($0.utf8) }
    var sealer = Sealer(for: [try TestIdentity.make("bob").public])
    let chunks = [
      sealer.header, sealer.seal(Array(words[0]), isLast: false),
      sealer.seal(Array(words[1]), isLast: true),
    ]
    let size = SealedSize(chunkCount: 3, byteCount: chunks.reduce(0) { $0 + UInt64($1.count) })
    let offer = DepositOffer(id: sealer.id, mailboxes: [applier.mailbox], size: size)
    try signer.send(.deposit(offer))
    for (index, chunk) in chunks.enumerated() {
      try signer.send(.chunk(ChunkName(id: offer.id, index: UInt32(index))), chunk: chunk)
    }
    guard case .proceed = try signer.reply() else {
      Issue.record("not taken")
      return
    }
    #expect(try signer.reply() == .stored(offer.id))
    let state = fixture.folder.path + "/state"
    let files = try FileManager.default.subpathsOfDirectory(atPath: state)
      .compactMap { FileManager.default.contents(atPath: state + "/" + $0) }
    #expect(files.contains { $0.range(of: Data(applier.mailbox.bytes)) != nil })
    for word in words { #expect(!files.contains { $0.range(of: word) != nil }) }
  }

  @Test func `reload changes routes and quotas`() throws {
    try fixture.trust("carol", in: "appliers")
    let carol = TestIdentity.mailbox("carol")
    let quota = QuotaLimit(byteCount: .max, messageCount: 1, ageMilliseconds: .max)
    _ = fixture.relay.reload(
      try RelayFixture.settings(
        in: fixture.folder, routes: [.init(signer: "alice", appliers: ["bob"])],
        quotas: DepositQuotas(depositor: .none, mailbox: quota)))
    let letter = Letter(1, for: [carol])
    // The relay's thread takes the new rules when it turns next.
    let deadline = Deadline.after(patience)
    var reply = CarrierReply.empty
    repeat {
      reply = try signer.ask(.deposit(letter.offer(for: [carol])))
    } while !isRefused(reply, .notAllowed) && !deadline.isPast
    #expect(isRefused(reply, .notAllowed))
    #expect(try signer.deposit(Letter(2), for: [applier.mailbox]) == .stored(Letter(2).id))
    let over = try signer.ask(.deposit(Letter(3).offer(for: [applier.mailbox])))
    #expect(isRefused(over, .overQuota))
    #expect(try applier.deposit(Letter(4), for: [signer.mailbox]) == .stored(Letter(4).id))
  }
}
