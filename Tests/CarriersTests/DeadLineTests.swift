import Carriers
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

  private static var impatient: ExchangePatience {
    var patience = ExchangePatience()
    (patience.mail, patience.delay) = (.milliseconds(500), .seconds(2))
    return patience
  }

  private func connected(at endpoint: String) throws -> Correspondent {
    let alice = try Correspondent(server.alice, in: server.folder)
    try server.connect(alice, at: endpoint, patience: Self.impatient)
    return alice
  }

  @Test func portIsFreeWhenAListenerHasStopped() throws {
    for _ in 0..<50 {
      server.stop()
      try server.start()
    }
  }

  @Test func depositGoesOnWhereTheLineFroze() throws {
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

  @Test func collectingGoesOnWhereTheLineFroze() throws {
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

  @Test func collectingGoesOnAfterARestartOfTheServer() throws {
    let letter = Letter(1, payloadByteCount: Self.large)
    try server.putMail(letter, for: server.alice)
    // It only counts.
    let proxy = try CuttingProxy(to: server.endpoint, cutting: .toClient, after: .max)
    let alice = try connected(at: proxy.endpoint)
    let deadline = Deadline.after(patience)
    while proxy.forwardedByteCount < Self.large / 4, !deadline.isPast { sched_yield() }
    server.stop()
    try server.start()
    let news = try alice.wait { $0.accepted == [letter.id] }
    #expect(news.connectionCount >= 2)
    try alice.requireMail(letter)
    #expect(proxy.forwardedByteCount < Self.large + Self.repeatedByteCountMax)
  }

  @Test func serverThatShakesHandsAndNeverAnswersIsTriedAgain() throws {
    server.stop()
    let mute = try MuteServer(server)
    let alice = try connected(at: server.endpoint)
    try alice.put(Letter(1), for: [server.machine.mailbox])
    try alice.wait { $0.connectionCount >= 2 && !$0.failures.isEmpty }
    mute.stop()
    try server.start()
    let elapsed = try ContinuousClock().measure {
      try alice.wait { $0.stored == [Letter(1).id] }
    }
    #expect(elapsed < .seconds(10))
  }

  /// The port is somebody else's for a while, who takes connections and says nothing.
  @Test func serverWhosePortAnotherProgramHadIsFoundAgain() throws {
    var raw: RawListener? = try RawListener()
    let port = try #require(raw).port
    let alice = try connected(at: "tcp://127.0.0.1:\(port)")
    try alice.put(Letter(1), for: [server.machine.mailbox])
    try alice.wait { !$0.failures.isEmpty }
    raw = nil
    try server.move(to: "tcp://127.0.0.1:\(port)")
    let elapsed = try ContinuousClock().measure {
      try alice.wait { $0.stored == [Letter(1).id] }
    }
    #expect(elapsed < .seconds(10))
  }

  /// 128 MiB each way at once, in a process of its own, whose memory nothing else uses.
  @Test func memoryStaysFlatHoweverLargeMessagesAre() async {
    await #expect(processExitsWith: .success) { try LargeMessages.run(chunkCount: 1_024) }
  }
}
