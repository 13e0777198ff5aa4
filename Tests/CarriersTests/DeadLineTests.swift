import CarrierProtocol
import Foundation
import MessageFormat
import TestSupport
import Testing
import ZeroMQ

/// Lines that are dead without a word, and servers that are there without an answer: each is noticed and healed.
@Suite struct DeadLineTests {
  private static let large = 20 << 20
  /// What was under way when the line broke, and what libzmq and the kernel held of it.
  private static let repeatedByteCountMax = 2 * Int(Limits.creditMax) * Limits.chunkByteCountMax

  private let server: Server

  init() throws { server = try Server() }

  private static var impatient: ExchangeTimeouts {
    var timeouts = ExchangeTimeouts()
    (timeouts.mail, timeouts.delay) = (.milliseconds(500), .seconds(2))
    timeouts.pauses.longest = .seconds(1)
    return timeouts
  }

  private func connected(at endpoint: String) throws -> Correspondent {
    let alice = try Correspondent(server.alice, in: server.folder)
    try server.connect(alice, at: endpoint, timeouts: Self.impatient)
    return alice
  }

  @Test func `port is free when a listener has stopped`() throws {
    for _ in 0..<50 {
      server.stop()
      try server.start()
    }
  }

  @Test func `deposit goes on where the line froze`() throws {
    let letter = Letter(1, payloadByteCount: Self.large)
    let proxy = try CuttingProxy(
      to: server.endpoint, cutting: .toServer, after: Self.large / 2, by: .freeze)
    let alice = try connected(at: proxy.endpoint)
    try alice.put(letter, for: [server.machine.mailbox])
    let news = try alice.wait { $0.stored == [letter.id] }
    #expect(proxy.cutCount == 1 && news.connectionCount >= 2)
    #expect(news.failures.contains { if case .noAnswer = $0 { true } else { false } })
    try server.requireStored(letter)
    #expect(proxy.forwardedByteCount < Self.large + Self.repeatedByteCountMax)
  }

  @Test func `collecting goes on where the line froze`() throws {
    let letter = Letter(1, payloadByteCount: Self.large)
    try server.putMail(letter, for: server.alice)
    let proxy = try CuttingProxy(
      to: server.endpoint, cutting: .toClient, after: Self.large / 2, by: .freeze)
    let alice = try connected(at: proxy.endpoint)
    try alice.wait { $0.accepted == [letter.id] }
    #expect(proxy.cutCount == 1)
    try alice.requireMail(letter)
    #expect(proxy.forwardedByteCount < Self.large + Self.repeatedByteCountMax)
  }

  @Test func `collecting goes on after a restart of the server`() throws {
    let letter = Letter(1, payloadByteCount: Self.large)
    try server.putMail(letter, for: server.alice)
    // The rest cannot come before the restart.
    let proxy = try CuttingProxy(
      to: server.endpoint, cutting: .toClient, after: Self.large / 4, by: .halt)
    let alice = try server.connect(server.alice, at: proxy.endpoint)
    try alice.wait { _ in proxy.cutCount == 1 }
    server.stop()
    try server.start()
    proxy.resume()
    let news = try alice.wait { $0.accepted == [letter.id] }
    #expect(news.connectionCount >= 2)
    try alice.requireMail(letter)
    #expect(proxy.forwardedByteCount < Self.large + Self.repeatedByteCountMax)
  }

  @Test func `server that shakes hands and never answers is tried again`() throws {
    server.stop()
    let mute = try MuteServer(server)
    let alice = try connected(at: server.endpoint)
    try alice.put(Letter(1), for: [server.machine.mailbox])
    try alice.wait { $0.connectionCount >= 2 && !$0.failures.isEmpty }
    mute.stop()
    try server.start()
    try alice.wait { $0.stored == [Letter(1).id] }
  }

  /// The port is somebody else's for a while, who takes connections and says nothing.
  @Test func `server whose port another program had is found again`() throws {
    var raw: RawListener? = try RawListener()
    let port = try #require(raw).port
    let alice = try connected(at: "tcp://127.0.0.1:\(port)")
    try alice.put(Letter(1), for: [server.machine.mailbox])
    try alice.wait { !$0.failures.isEmpty }
    raw = nil
    try server.move(to: "tcp://127.0.0.1:\(port)")
    try alice.wait { $0.stored == [Letter(1).id] }
  }

  /// 128 MiB each way at once, in a process of its own, whose memory nothing else uses.
  @Test func `memory stays flat however large messages are`() async {
    await #expect(processExitsWith: .success) { try LargeMessages.run(chunkCount: 1_024) }
  }
}
