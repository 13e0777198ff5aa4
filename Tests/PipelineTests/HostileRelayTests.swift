import CarrierProtocol
import Foundation
import MessageFormat
import Signer
import Sodium
import TestSupport
import Testing

/// A relay that does what no relay should. However it lies: nothing wrong is applied, it shows, and all is well again as
/// soon as it behaves.
struct HostileRelayTests {
  /// Everything but one thing is answered: whoever misses it is stale, and asks again.
  @Test(arguments: [Misbehaviour.Kind.delivery, .deliveredChunk, .collect, .deposit])
  func `what is dropped is missed`(kind: Misbehaviour.Kind) throws {
    let hostile = try HostileFleet()
    hostile.relay.behave(.dropping(kind))
    try hostile.push()
    try hostile.run {
      let asks = kind == .deposit || hostile.machine.log.count(of: "carrier-silent") > 0
      return try asks && hostile.isStale()
    }
    try hostile.expectRecovery()
  }

  @Test func `silence is stale on one side and noticed on the other`() throws {
    let hostile = try HostileFleet()
    hostile.relay.behave(.silence)
    try hostile.push()
    try hostile.run {
      try hostile.isStale() && hostile.signerLog.count(of: "carrier-silent") > 0
        && hostile.machine.log.count(of: "carrier-silent") > 0
    }
    try hostile.expectRecovery()
  }

  /// What is dropped comes a second time, or is not needed.
  @Test(arguments: [Misbehaviour.Kind.acknowledge, .acknowledged, .empty])
  func `what is dropped and missed by nobody changes nothing`(kind: Misbehaviour.Kind) throws {
    let hostile = try HostileFleet()
    hostile.relay.behave(.dropping(kind))
    try hostile.push()
    try hostile.settle()
    try hostile.expectRecovery()
  }

  @Test func `deposit that is never confirmed is repeated and applied once`() throws {
    let hostile = try HostileFleet()
    let offers = Remembered<[MessageID: Int]>([:])
    hostile.relay.behave(.dropping(.stored, counting: offers))
    try hostile.push()
    let newest = try hostile.fleet.source.id("main")
    try hostile.run {
      try hostile.machine.status().revision == newest
        && offers.change { $0.values.contains { $0 > 1 } }
    }
    #expect(try !hostile.fleet.sealed(for: hostile.machine).isEmpty)
    try hostile.expectRecovery()
  }

  /// Deposited and delivered twice, each chunk of it.
  @Test(arguments: [true, false])
  func `what comes twice is applied once`(requests: Bool) throws {
    let hostile = try HostileFleet()
    hostile.relay.behave(.duplicating(requests: requests))
    try hostile.push()
    if requests {
      try hostile.settle()
    } else {
      try hostile.run { hostile.machine.log.count(of: "carrier-invalid-answer") > 0 }
    }
    try hostile.expectRecovery()
  }

  @Test func `message that was overtaken is refused as replayed`() throws {
    let hostile = try HostileFleet()
    hostile.relay.behave(.overtaking(of: hostile.fleet.signer.public.mailbox))
    try hostile.push()
    try hostile.push()
    try hostile.run { hostile.machine.log.count(of: "behind checkout") > 0 }
    try hostile.expectRecovery()
    try hostile.run { self.isRefused("replayed", hostile) }
    try hostile.expectRecovery()
  }

  // MARK: - Bytes

  /// Header, statement, payload; the last byte of each.
  @Test(arguments: [0, 1, 2] as [UInt32])
  func `changed bit is refused as tampered`(chunk: UInt32) throws {
    let hostile = try HostileFleet()
    hostile.relay.behave(
      .changing(chunk: chunk, of: hostile.machine.mailbox) {
        Array($0.dropLast()) + [~($0.last ?? 0)]
      })
    try hostile.push()
    try hostile.run { self.isRefused("tampered", hostile) }
    try hostile.expectRecovery()
  }

  @Test func `changed bit in the middle of a large message is refused as tampered`() throws {
    let hostile = try HostileFleet()
    hostile.relay.behave(
      .changing(chunk: 4, of: hostile.machine.mailbox) { bytes in
        var bytes = bytes
        bytes[bytes.count / 2] ^= 0x10
        return bytes
      })
    let large = Data(PatchCases.randomBytes(900_000, seed: 5))
    try large.write(to: URL(fileURLWithPath: hostile.fleet.source.path + "/large"))
    try hostile.push()
    try hostile.run { self.isRefused("tampered", hostile) }
    try hostile.expectRecovery()
  }

  @Test func `truncated chunk is no answer`() throws {
    let hostile = try HostileFleet()
    hostile.relay.behave(
      .changing(chunk: 2, of: hostile.machine.mailbox) { Array($0.dropLast()) })
    try hostile.push()
    try hostile.run {
      hostile.machine.log.count(of: "invalid answer: the chunks have other") > 0
    }
    try hostile.expectRecovery()
  }

  @Test func `chunks of two messages are refused as tampered`() throws {
    let hostile = try HostileFleet()
    hostile.relay.behave(.mixing(for: hostile.machine.mailbox))
    try hostile.push()
    try hostile.push()
    try hostile.run { self.isRefused("tampered", hostile) }
    try hostile.expectRecovery()
  }

  private func isRefused(_ name: String, _ hostile: HostileFleet) -> Bool {
    hostile.machine.log.lines.contains { $0.hasPrefix("refused") && $0.contains(name) }
  }

  // MARK: - Other people's mail, and old mail

  @Test func `mail of another mailbox is for nobody else`() throws {
    let hostile = try HostileFleet(["web1", "web2"])
    hostile.relay.behave(
      .rotating([hostile.fleet.signer.public.mailbox] + hostile.fleet.machines.map(\.mailbox)))
    try hostile.push()
    // The second machine gets what is the signer's: receipts.
    let second = hostile.fleet.machines[1]
    try hostile.run {
      try second.log.lines.contains { $0.hasPrefix("refused") && $0.contains("not-a-recipient") }
        && hostile.isStale(second)
    }
    try hostile.expectRecovery()
  }

  @Test func `old message for ever is refused as replayed and fills nothing`() throws {
    let hostile = try HostileFleet()
    hostile.relay.behave(.replaying(to: hostile.machine.mailbox))
    try hostile.push()
    try hostile.run {
      let replays = hostile.machine.log.lines.count {
        $0.hasPrefix("refused") && $0.contains("replayed")
      }
      return try replays > 20 && hostile.isStale()
    }
    let signer = hostile.fleet.signer.public.mailbox
    let answers = try hostile.machine.store.usage(of: signer, as: .mailbox).messageCount
    #expect(answers <= 4)
    try hostile.expectRecovery()
  }

  // MARK: - Lies

  @Test(arguments: ["signer", "machine"])
  func `what is said to be stored and was lost is made up for`(who: String) throws {
    let hostile = try HostileFleet()
    let signer = hostile.fleet.signer.public.mailbox
    hostile.relay.behave(.losing(of: who == "signer" ? signer : hostile.machine.mailbox))
    try hostile.push()
    let newest = try hostile.fleet.source.id("main")
    try hostile.run {
      let stored = try hostile.fleet.outbox.unanswered().count == 1
      let isSeen =
        try who == "signer" ? hostile.isStale() : hostile.machine.status().revision == newest
      return stored && isSeen
    }
    try hostile.expectRecovery()
  }

  @Test func `what is said to be acknowledged and comes again is refused as replayed`() throws {
    let hostile = try HostileFleet()
    hostile.relay.behave(.keepingWhatWasAcknowledged)
    try hostile.push()
    try hostile.run { self.isRefused("replayed", hostile) }
    try hostile.expectRecovery()
    #expect(try hostile.fleet.machine().lastRefusal?.name != "forked")
  }

  /// Ever lower, all the same, and so high that nothing can follow.
  @Test(arguments: [1, 7, UInt64.max])
  func `positions that mean nothing keep nothing back`(position: UInt64) throws {
    let hostile = try HostileFleet()
    hostile.relay.behave(.renumbering { position == 1 ? 1_000_000 - min($0, 999_999) : position })
    for _ in 1...3 { try hostile.push() }
    try hostile.settle()
    try hostile.expectRecovery()
  }

  @Test func `refusal of everything is reported by its name`() throws {
    let hostile = try HostileFleet()
    hostile.relay.behave(.refusingAll)
    try hostile.push()
    try hostile.run {
      try hostile.isStale() && hostile.signerLog.count(of: "invalid answer: fault: no") > 0
    }
    #expect(try hostile.fleet.outbox.unstored().count == 1)
    try hostile.expectRecovery()
  }
}
