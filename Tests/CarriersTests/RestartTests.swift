import CarrierProtocol
import Glibc
import Mailboxes
import MessageFormat
import TestSupport
import Testing
import ZeroMQ

/// Either end's program is ended in the middle of a large message, on real sockets.
@Suite struct RestartTests {
  private static let letter = Letter(1, payloadByteCount: 20 << 20)
  /// What was under way when the line froze, and what libzmq and the kernel held of it.
  private static let repeatedByteCountMax = 2 * Int(Limits.creditMax) * Limits.chunkByteCountMax
  private static let byteCountMax = Int(letter.size.byteCount) + repeatedByteCountMax

  private let letter = RestartTests.letter
  private let server: Server

  init() throws { server = try Server() }

  /// Nothing more comes through it after 12 MiB, until there is another connection.
  private func line(_ direction: CuttingProxy.Direction) throws -> CuttingProxy {
    try CuttingProxy(to: server.endpoint, cutting: direction, after: 12 << 20, by: .freeze)
  }

  private func waitForTheBreak(of proxy: CuttingProxy) {
    let deadline = Deadline.after(patience)
    while proxy.cutCount == 0, !deadline.isPast { sched_yield() }
    #expect(proxy.cutCount == 1)
  }

  @Test func `collecting goes on at the readers next run`() throws {
    try server.putMail(letter, for: server.alice)
    let proxy = try line(.toClient)
    let first = try server.connect(server.alice, at: proxy.endpoint)
    waitForTheBreak(of: proxy)
    first.stop()
    #expect(first.current.accepted == [])
    let second = try server.connect(server.alice, at: proxy.endpoint)
    try second.wait { $0.accepted == [letter.id] }
    try second.requireMail(letter)
    #expect(proxy.forwardedByteCount < Self.byteCountMax)
    #expect(try second.store.state.spool.names() == ["\(letter.id.hex).sealed"])
    try server.requireEmpty(server.alice)
  }

  @Test func `deposit goes on at the carriers next run`() throws {
    let proxy = try line(.toServer)
    var impatient = ExchangeTimeouts()
    (impatient.mail, impatient.delay) = (.milliseconds(500), .seconds(2))
    let alice = try Correspondent(server.alice, in: server.folder)
    try alice.put(letter, for: [server.machine.mailbox])
    try server.connect(alice, at: proxy.endpoint, timeouts: impatient)
    waitForTheBreak(of: proxy)
    server.stop()
    try server.start()
    try alice.wait { $0.stored == [letter.id] }
    try server.requireStored(letter)
    #expect(proxy.forwardedByteCount < Self.byteCountMax)
    #expect(try server.store.state.spool.names() == ["\(letter.id.hex).sealed"])
  }
}
