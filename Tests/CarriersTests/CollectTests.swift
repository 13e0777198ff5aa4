import CarrierProtocol
import Foundation
import Mailboxes
import MessageFormat
import TestSupport
import Testing

/// The carrier's side of collecting and acknowledging, request by request.
@Suite struct CollectTests {
  private let folder: TemporaryFolder
  private let host: TestHost
  private let sender = MailboxServer.Peer.connection(1, of: TestHost.mailbox)
  private let peer = MailboxServer.Peer.connection(1, of: TestHost.alice)

  init() throws {
    folder = try TemporaryFolder()
    host = try TestHost(folder)
  }

  private func deposit(_ letters: Letter...) {
    for letter in letters { _ = host.upload(letter, in: [TestHost.alice], from: sender) }
    let told = host.server.flush()
    #expect(told.count == letters.count)
  }

  private func collect(
    after position: UInt64 = 0, credit: UInt32 = Limits.creditMax, wait: Bool = false
  ) -> [MailboxServer.Outgoing] {
    let request = CarrierRequest.collect(
      after: position, credit: credit, waitMilliseconds: wait ? 60_000 : 0)
    return host.server.handle([request.encoded()], from: peer)
  }

  private func entry(of letter: Letter) throws -> MailboxEntry {
    try #require(try host.store.message(letter.id, in: TestHost.alice)).entry
  }

  private func bytes(of outgoing: MailboxServer.Outgoing) -> [[UInt8]] {
    let parts = host.server.parts(of: outgoing)
    return [parts.reply] + (parts.chunk?.bytes.map { [$0] } ?? [])
  }

  @Test func `empty mailbox is said to be empty`() {
    #expect(collect().map(\.reply) == [.empty])
  }

  @Test func `first message comes with its chunks`() throws {
    deposit(Letter(1), Letter(2))
    let answer = collect(credit: 3)
    let entry = try entry(of: Letter(1))
    #expect(answer[0].reply == .delivery(entry, Letter(1).size, more: false))
    #expect(bytes(of: answer[0]) == [answer[0].reply.encoded()])
    let names = (0..<3).map { CarrierReply.chunk(ChunkName(id: Letter(1).id, index: $0)) }
    #expect(answer.dropFirst().map(\.reply) == names)
    #expect(
      answer.dropFirst().map { bytes(of: $0) }
        == zip(names, Letter(1).chunks).map { [$0.encoded(), $1] })
    #expect(answer.allSatisfy { $0.peer == peer })
    #expect(
      collect(after: entry.position)[0].reply
        == .delivery(try self.entry(of: Letter(2)), Letter(2).size, more: false))
    #expect(collect(after: .max).map(\.reply) == [.empty])
  }

  @Test func `messages that fit the credit come in one answer`() throws {
    // Three chunks each; the last one has five.
    let letters = [Letter(1), Letter(2), Letter(3, payloadByteCount: 3 * Limits.chunkByteCountMax)]
    for letter in letters { deposit(letter) }
    func deliveries(_ credit: UInt32) throws -> [CarrierReply] {
      collect(credit: credit).map(\.reply).filter {
        if case .delivery = $0 { true } else { false }
      }
    }
    func delivery(_ index: Int, more: Bool) throws -> CarrierReply {
      .delivery(try entry(of: letters[index]), letters[index].size, more: more)
    }
    #expect(try deliveries(5) == [delivery(0, more: false)])
    #expect(try deliveries(10) == [delivery(0, more: true), delivery(1, more: false)])
    #expect(
      try deliveries(11)
        == [delivery(0, more: true), delivery(1, more: true), delivery(2, more: false)])
    #expect(collect(credit: 11).count == 3 + 11)
  }

  @Test func `no more chunks come than there is credit for`() throws {
    let letter = Letter(1, payloadByteCount: 40 * Limits.chunkByteCountMax)
    deposit(letter)
    #expect(collect(credit: 0).count == 1)
    #expect(collect(credit: 5).count == 6)
    #expect(collect().count == 1 + Int(Limits.creditMax))
    let rest = host.ask(.fetch(ChunkName(id: letter.id, index: 32), credit: 32), from: peer)
    #expect(
      rest == (32..<42).map { CarrierReply.chunk(ChunkName(id: letter.id, index: $0)) })
    let behind = ChunkName(id: letter.id, index: UInt32(letter.chunks.count))
    #expect(host.ask(.fetch(behind, credit: 32), from: peer).isEmpty)
    let farBehind = ChunkName(id: letter.id, index: Limits.chunkCountMax - 1)
    #expect(host.ask(.fetch(farBehind, credit: 32), from: peer).isEmpty)
  }

  @Test func `who waits is told when something comes`() throws {
    #expect(collect(wait: true).isEmpty)
    #expect(host.server.deliverToWaiting().isEmpty)
    deposit(Letter(1))
    let answer = host.server.deliverToWaiting()
    #expect(answer.first?.reply == .delivery(try entry(of: Letter(1)), Letter(1).size, more: false))
    #expect(answer.allSatisfy { $0.peer == peer })
    // Once.
    #expect(host.server.deliverToWaiting().isEmpty)
  }

  @Test func `whoever was forgotten waits no more`() {
    _ = collect(wait: true)
    host.server.forget(peer)
    deposit(Letter(1))
    #expect(host.server.deliverToWaiting().isEmpty)
  }

  @Test func `who waits in vain is told so when the time is over`() {
    #expect(host.server.nextWaitEnd == nil)
    _ = collect(wait: true)
    host.advance(milliseconds: 59_999)
    #expect(host.server.endWaits().isEmpty)
    #expect(host.server.nextWaitEnd != nil)
    host.advance(milliseconds: 100)
    let told = host.server.endWaits()
    #expect(told.map(\.reply) == [.empty])
    #expect(told.map(\.peer) == [peer])
    #expect(host.server.nextWaitEnd == nil)
    #expect(host.server.endWaits().isEmpty)
  }

  /// Asked again and again, as a hostile peer may: one wait for a connection, the last one.
  @Test func `later wait takes the place of the earlier`() {
    for _ in 0..<100 {
      _ = collect(wait: true)
      host.advance(milliseconds: 1_000)
    }
    host.advance(milliseconds: 58_900)
    #expect(host.server.endWaits().isEmpty)
    host.advance(milliseconds: 200)
    #expect(host.server.endWaits().count == 1)
  }

  @Test func `only the mailbox that changed is looked into`() throws {
    let bob = MailboxServer.Peer.connection(1, of: TestHost.bob)
    _ = collect(wait: true)
    #expect(host.ask(.collect(after: 0, credit: 32, waitMilliseconds: 9_000), from: bob).isEmpty)
    deposit(Letter(1))
    #expect(Set(host.server.deliverToWaiting().map(\.peer)) == [peer])
    _ = host.upload(Letter(2), in: [TestHost.alice, TestHost.bob], from: sender)
    _ = host.server.flush()
    #expect(Set(host.server.deliverToWaiting().map(\.peer)) == [bob])
  }

  @Test func `what is acknowledged is not delivered again`() throws {
    deposit(Letter(1), Letter(2))
    let first = try entry(of: Letter(1))
    _ = host.ask(.acknowledge(first), from: peer)
    // Not on the disk yet.
    #expect(try host.store.message(first.id, in: TestHost.alice) != nil)
    #expect(
      collect().first?.reply
        == .delivery(try entry(of: Letter(2)), Letter(2).size, more: false))
  }

  @Test func `acknowledged message is gone and so is its file`() throws {
    let letter = Letter(1, payloadByteCount: 1_000_000)
    deposit(letter, Letter(2))
    let entry = try entry(of: letter)
    for _ in 0..<2 {
      #expect(host.ask(.acknowledge(entry), from: peer).isEmpty)
      #expect(host.server.flush().map(\.reply) == [.acknowledged(entry)])
    }
    #expect(try host.store.state.spool.names() == [])
    #expect(try host.store.first(in: TestHost.alice)?.id == Letter(2).id)
  }

  @Test func `others neither fetch nor acknowledge it`() throws {
    deposit(Letter(1))
    let entry = try entry(of: Letter(1))
    let bob = MailboxServer.Peer.connection(1, of: TestHost.bob)
    #expect(host.ask(.collect(after: 0, credit: 32, waitMilliseconds: 0), from: bob) == [.empty])
    let replies = host.ask(.fetch(ChunkName(id: entry.id, index: 0), credit: 1), from: bob)
    guard case .refused(entry.id, .unknownMessage, _, _) = replies.first else {
      Issue.record("\(replies)")
      return
    }
    _ = host.ask(.acknowledge(entry), from: bob)
    _ = host.server.flush()
    #expect(try host.store.first(in: TestHost.alice)?.id == Letter(1).id)
  }
}
