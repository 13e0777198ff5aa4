import CarrierProtocol
import Mailboxes
import MessageFormat
import TestSupport
import Testing

/// A reader whose program ended in the middle of a large message, request by request.
@Suite struct RestartedReaderTests {
  private let letter = Letter(1, payloadByteCount: 20 << 20)
  private let folder: TemporaryFolder
  private let line: Line

  init() throws {
    folder = try TemporaryFolder()
    line = try Line(folder)
  }

  /// A reader that ends with 100 chunks of the letter, which is the first that it was told of.
  private func endInTheMiddle() throws {
    let end = try line.end()
    end.client.connected(at: line.now)
    try line.say(end)
    try announce(letter.size, to: end)
    for index in 0..<100 {
      let name = ChunkName(id: letter.id, index: UInt32(index))
      _ = try end.client.handle(.chunk(name), chunk: letter.chunks[index], at: line.now)
    }
    try end.client.keep()
    line.forget(end)
  }

  private func announce(_ size: SealedSize, to end: Line.End) throws {
    let entry = MailboxEntry(position: 1, id: letter.id)
    _ = try end.client.handle(.delivery(entry, size, more: false), chunk: nil, at: line.now)
  }

  /// The reader's next run, which is connected and has asked.
  private func restarted(byteCountMax: UInt64 = 1 << 30) throws -> Line.End {
    let end = try line.end(byteCountMax: byteCountMax)
    #expect(try end.store.state.spool.names().count == 1)
    end.client.connected(at: line.now)
    return end
  }

  private func fetches(of end: Line.End) -> [UInt32] {
    end.requests.compactMap { if case .fetch(let name, _) = $0 { name.index } else { nil } }
  }

  @Test func `no chunk that is here is asked for again`() throws {
    try line.putMail(letter)
    try endInTheMiddle()
    let end = try restarted()
    try line.run(end)
    #expect(end.accepted == [letter.id])
    #expect(fetches(of: end).first == 100)
    #expect(end.requests.first == .collect(after: 0, credit: 0, waitMilliseconds: 20_000))
    #expect(end.collectRequestCount == 2)
    #expect(
      try end.store.message(letter.id, in: TestHost.alice)?.chunks() == letter.chunks)
    #expect(try end.store.state.spool.names() == ["\(letter.id.hex).sealed"])
  }

  @Test(arguments: [true, false])
  func `carrier that has it no longer is taken at its word`(hasOther: Bool) throws {
    try endInTheMiddle()
    if hasOther { try line.putMail(Letter(2)) }
    let end = try restarted()
    try line.run(end)
    if !hasOther { _ = try end.client.handle(.empty, chunk: nil, at: line.now) }
    #expect(end.accepted == (hasOther ? [Letter(2).id] : []))
    #expect(try end.store.state.spool.names() == [])
  }

  @Test func `message that is taken back afterwards is left`() throws {
    try line.putMail(letter)
    try line.putMail(Letter(2))
    try endInTheMiddle()
    let end = try restarted()
    try line.run(end, countMax: 1)
    let gone = try #require(try line.carrier.store.message(letter.id, in: TestHost.alice))
    try line.carrier.store.remove(gone)
    try line.run(end)
    line.advance(.seconds(1))
    try line.run(end)
    #expect(end.accepted == [Letter(2).id])
    #expect(try end.store.state.spool.names() == [])
  }

  @Test func `other size under the same name begins anew`() throws {
    try endInTheMiddle()
    let end = try restarted()
    try line.say(end)
    try announce(Letter(1, payloadByteCount: 21 << 20).size, to: end)
    try line.say(end)
    #expect(fetches(of: end) == [0])
    #expect(try end.store.state.spool.names() == [])
  }

  @Test func `limit on a message holds for one that was begun`() throws {
    try line.putMail(letter)
    try endInTheMiddle()
    let end = try restarted(byteCountMax: 1 << 20)
    try line.run(end)
    _ = try end.client.handle(.empty, chunk: nil, at: line.now)
    #expect(end.accepted == [] && fetches(of: end) == [])
    #expect(try line.carrier.store.first(in: TestHost.alice) == nil)
    #expect(try end.store.state.spool.names() == [])
  }

  /// Two runs on one state: the second has no part of it, and takes none from the first.
  @Test func `run beside the first begins anew`() throws {
    try line.putMail(letter)
    let first = try line.end(1)
    first.client.connected(at: line.now)
    try line.say(first)
    try announce(letter.size, to: first)
    for index in 0..<100 {
      let name = ChunkName(id: letter.id, index: UInt32(index))
      _ = try first.client.handle(.chunk(name), chunk: letter.chunks[index], at: line.now)
    }
    try first.client.keep()
    let second = try line.end(2)
    second.client.connected(at: line.now)
    try line.run(second)
    #expect(second.accepted == [letter.id] && fetches(of: second).first == 0)
    #expect(try first.store.state.spool.names().count == 2)
  }
}
