import Carriers
import Mailboxes
import MessageFormat
import TestSupport
import Testing

/// The carrier's side of collecting and acknowledging, request by request.
@Suite struct CollectTests {
  private let folder: TemporaryFolder
  private let desk: Desk
  private let sender = CarrierDesk.Peer.connection(1, of: Desk.server)
  private let peer = CarrierDesk.Peer.connection(1, of: Desk.alice)

  init() throws {
    folder = try TemporaryFolder()
    desk = try Desk(folder)
  }

  private func deposit(_ letters: Letter...) {
    for letter in letters { _ = desk.upload(letter, in: [Desk.alice], from: sender) }
    let told = desk.desk.flush()
    #expect(told.count == letters.count)
  }

  private func collect(
    after position: UInt64 = 0, credit: UInt32 = Limits.creditMax, wait: Bool = false
  ) -> [CarrierDesk.Outgoing] {
    let request = CarrierRequest.collect(
      after: position, credit: credit, waitMilliseconds: wait ? 60_000 : 0)
    return desk.desk.handle([request.encoded()], from: peer)
  }

  private func entry(of letter: Letter) throws -> MailboxEntry {
    try #require(try desk.store.message(letter.id, in: Desk.alice)).entry
  }

  @Test func emptyMailboxIsSaidToBeEmpty() {
    #expect(collect().map(\.reply) == [.empty])
  }

  @Test func firstMessageComesWithItsChunks() throws {
    deposit(Letter(1), Letter(2))
    let answer = collect()
    let entry = try entry(of: Letter(1))
    #expect(answer[0].reply == .delivery(entry, Letter(1).size, more: false))
    #expect(answer[0].chunk == nil)
    let names = (0..<3).map { CarrierReply.chunk(ChunkName(id: Letter(1).id, index: $0)) }
    #expect(answer.dropFirst().map(\.reply) == names)
    #expect(answer.dropFirst().map(\.chunk) == Letter(1).chunks)
    #expect(answer.allSatisfy { $0.peer == peer })
    #expect(
      collect(after: entry.position)[0].reply
        == .delivery(try self.entry(of: Letter(2)), Letter(2).size, more: false))
    #expect(collect(after: .max).map(\.reply) == [.empty])
  }

  @Test func noMoreChunksComeThanThereIsCreditFor() throws {
    let letter = Letter(1, payloadByteCount: 40 * Limits.chunkByteCountMax)
    deposit(letter)
    #expect(collect(credit: 0).count == 1)
    #expect(collect(credit: 5).count == 6)
    #expect(collect().count == 1 + Int(Limits.creditMax))
    let rest = desk.ask(.fetch(ChunkName(id: letter.id, index: 32), credit: 32), from: peer)
    #expect(
      rest == (32..<42).map { CarrierReply.chunk(ChunkName(id: letter.id, index: $0)) })
    let behind = ChunkName(id: letter.id, index: UInt32(letter.chunks.count))
    #expect(desk.ask(.fetch(behind, credit: 32), from: peer).isEmpty)
    let farBehind = ChunkName(id: letter.id, index: Limits.chunkCountMax - 1)
    #expect(desk.ask(.fetch(farBehind, credit: 32), from: peer).isEmpty)
  }

  @Test func whoWaitsIsToldWhenSomethingComes() throws {
    #expect(collect(wait: true).isEmpty)
    #expect(desk.desk.deliverToWaiting().isEmpty)
    deposit(Letter(1))
    let answer = desk.desk.deliverToWaiting()
    #expect(answer.first?.reply == .delivery(try entry(of: Letter(1)), Letter(1).size, more: false))
    #expect(answer.allSatisfy { $0.peer == peer })
    // Once.
    #expect(desk.desk.deliverToWaiting().isEmpty)
  }

  @Test func whoeverWasForgottenWaitsNoMore() {
    _ = collect(wait: true)
    desk.desk.forget(peer)
    deposit(Letter(1))
    #expect(desk.desk.deliverToWaiting().isEmpty)
  }

  @Test func acknowledgedMessageIsGoneAndSoIsItsFile() throws {
    let letter = Letter(1, payloadByteCount: 1_000_000)
    deposit(letter, Letter(2))
    let entry = try entry(of: letter)
    for _ in 0..<2 {
      #expect(desk.ask(.acknowledge(entry), from: peer) == [.acknowledged(entry)])
    }
    #expect(try desk.store.state.spool.names() == [])
    #expect(try desk.store.first(in: Desk.alice)?.id == Letter(2).id)
  }

  @Test func othersNeitherFetchNorAcknowledgeIt() throws {
    deposit(Letter(1))
    let entry = try entry(of: Letter(1))
    let bob = CarrierDesk.Peer.connection(1, of: Desk.bob)
    #expect(desk.ask(.collect(after: 0, credit: 32, waitMilliseconds: 0), from: bob) == [.empty])
    let replies = desk.ask(.fetch(ChunkName(id: entry.id, index: 0), credit: 1), from: bob)
    guard case .refused(entry.id, .unknownMessage, _) = replies.first else {
      Issue.record("\(replies)")
      return
    }
    _ = desk.ask(.acknowledge(entry), from: bob)
    #expect(try desk.store.first(in: Desk.alice)?.id == Letter(1).id)
  }

  @Test func messageWhoseFileIsGoneIsAFault() throws {
    let letter = Letter(1, payloadByteCount: 1_000_000)
    deposit(letter)
    try desk.store.state.spool.remove("\(letter.id.hex).sealed")
    let replies = collect().map(\.reply)
    guard replies.count == 1, case .refused(nil, .fault, _) = replies[0] else {
      Issue.record("\(replies)")
      return
    }
  }
}
