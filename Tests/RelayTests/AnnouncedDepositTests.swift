import CarrierProtocol
import MessageFormat
import TestSupport
import Testing

/// An identity that is let in and announces all there is room for, on real sockets.
@Suite struct AnnouncedDepositTests {
  private func announcement(_ number: UInt32, for mailboxes: [Mailbox]) -> DepositOffer {
    let chunkCount: UInt32 = 1 << 17
    return DepositOffer(
      id: MessageID(number: number), mailboxes: mailboxes,
      size: SealedSize(
        chunkCount: chunkCount,
        byteCount: UInt64(chunkCount) * UInt64(Limits.chunkByteCountMax) - 1))
  }

  private func expectAdmitted(
    _ reply: CarrierReply, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    guard case .proceed = reply else {
      Issue.record("\(reply)", sourceLocation: sourceLocation)
      return
    }
  }

  @Test func `announcements for one mailbox keep nobody out of it`() throws {
    let fixture = try RelayFixture(appliers: ["bob", "carol"], quotas: .standard)
    let bob = try fixture.visitor("bob", atSigners: false)
    let carol = try fixture.visitor("carol", atSigners: false)
    let alice = TestIdentity.mailbox("alice")
    for number in 1...UInt32(3) {
      expectAdmitted(try bob.ask(.deposit(announcement(number, for: [alice]))))
    }
    let letter = Letter(9, payloadByteCount: 1 << 20)
    #expect(try carol.deposit(letter, for: [alice]) == .stored(letter.id))
  }

  @Test func `announcement for a thousand mailboxes keeps nobody out of them`() throws {
    let names = (0..<1_000).map { "web\($0)" }
    let fixture = try RelayFixture(
      signers: ["alice", "carol"], appliers: names, quotas: .standard)
    let alice = try fixture.visitor("alice", atSigners: true)
    let carol = try fixture.visitor("carol", atSigners: true)
    let mailboxes = names.map(TestIdentity.mailbox)
    expectAdmitted(try alice.ask(.deposit(announcement(1, for: mailboxes))))
    let letter = Letter(9, for: mailboxes)
    #expect(try carol.deposit(letter, for: mailboxes) == .stored(letter.id))
  }

  /// Both fit when they are offered.
  @Test func `deposit that really is too much is refused`() throws {
    let limit = QuotaLimit(byteCount: 1 << 20, messageCount: .max, ageMilliseconds: .max)
    let fixture = try RelayFixture(
      appliers: ["bob", "carol"], quotas: DepositQuotas(depositor: .none, mailbox: limit))
    let alice = TestIdentity.mailbox("alice")
    let letters = [7, 8].map { Letter($0, payloadByteCount: 700_000) }
    let senders = try ["bob", "carol"].map { try fixture.visitor($0, atSigners: false) }
    for (sender, letter) in zip(senders, letters) {
      expectAdmitted(try sender.ask(.deposit(letter.offer(for: [alice]))))
    }
    #expect(try senders[0].deposit(letters[0], for: [alice]) == .stored(letters[0].id))
    for (index, chunk) in letters[1].chunks.enumerated() {
      try senders[1].send(.chunk(ChunkName(id: letters[1].id, index: UInt32(index))), chunk: chunk)
    }
    guard case .refused(letters[1].id, .overQuota, _, let detail)? = try senders[1].reply() else {
      Issue.record("not refused")
      return
    }
    #expect(detail.contains("mailbox \(alice.abbreviated)") && detail.contains("\(1 << 20)"))
  }
}
