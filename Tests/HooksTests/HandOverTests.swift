import Diagnostics
import Foundation
import Hooks
import Mailboxes
import MessageFormat
import Synchronization
import TestSupport
import Testing

/// What is stored, what the signer is told of it, and when it is forgotten.
@Suite struct HandOverTests {
  private struct Down: OperatorError {
    let code = ErrorCode.daemonMissing
    let description = "no daemon"
  }

  private let folder: TemporaryFolder
  private let store: HookStore
  private let log = TestLog()

  init() throws {
    folder = try TemporaryFolder()
    store = HookStore(state: try StateDatabase.hooks(directory: folder.path + "/state"))
  }

  private static let now = Timestamp(milliseconds: 1_790_000_000_000)

  private func take(
    _ refs: [String]?, of remote: String = "git@github.com:acme/shop.git", id: String? = nil,
    at time: Timestamp = now
  ) throws -> DeliveryOutcome {
    try #require(try store.store([Self.delivery(refs, of: remote, id: id, at: time)]).first)
  }

  private static func delivery(
    _ refs: [String]?, of remote: String, id: String? = nil, at time: Timestamp
  ) throws -> HookDelivery {
    HookDelivery(
      hook: "/hooks/\(remote)", host: .github, id: id, remote: try RemoteName(remote),
      event: "push", refs: refs, receivedAt: time)
  }

  private func handOver(
    now: Timestamp = now, _ tell: @escaping HandOver.Tell
  ) -> HandOver {
    HandOver(
      store, log: log.logger, now: { now }, jitter: { 1 }, wake: {}, spawn: { $0() }, tell: tell)
  }

  @Test func `a delivery that comes again is not repeated`() throws {
    #expect(try take(["refs/heads/main"], id: "a") == .stored)
    #expect(try take(["refs/heads/other"], id: "a") == .repeated)
    #expect(try take(["refs/heads/other"], id: "b") == .stored)
    #expect(try take(["refs/heads/main"]) == .stored)
    #expect(try take(["refs/heads/main"]) == .stored)
    #expect(try store.waiting().map(\.refs.count) == [2])
  }

  @Test func `one commit stores many, and knows what comes twice in it`() throws {
    let remote = try RemoteName("r")
    let deliveries = (0..<100).map { number in
      HookDelivery(
        hook: "/h", host: .gitea, id: "\(number / 2)", remote: remote, event: "push",
        refs: ["refs/heads/\(number)"], receivedAt: Self.now)
    }
    let outcomes = try store.store(deliveries)
    #expect(outcomes.count { $0 == .stored } == 50)
    #expect(try store.waiting().first?.refs.count == 50)
  }

  @Test func `the signer is told of each repository once`() throws {
    for ref in ["refs/heads/main", "refs/heads/next", "refs/heads/main"] { _ = try take([ref]) }
    _ = try take(["refs/tags/v1"], of: "git@github.com:acme/blog.git")
    let all = Mutex<[MovedRepository]>([])
    let handOver = handOver { moved in all.withLock { $0.append(moved) } }
    while try handOver.step() == .now {}
    let told = all.withLock { $0 }
    #expect(
      told.map(\.remote.text) == ["git@github.com:acme/shop.git", "git@github.com:acme/blog.git"])
    #expect(told.first.map { Set($0.refs) } == ["refs/heads/main", "refs/heads/next"])
    #expect(try store.waiting().isEmpty)
  }

  @Test func `what comes while the signer is told is told as well`() throws {
    _ = try take(["refs/heads/main"])
    let told = Mutex<[[String]]>([])
    let (store, now) = (store, Self.now)
    let handOver = handOver { moved in
      let count = told.withLock { told in
        told.append(moved.refs)
        return told.count
      }
      guard count == 1 else { return }
      _ = try store.store([Self.delivery(["refs/heads/main"], of: moved.remote.text, at: now)])
    }
    while try handOver.step() == .now {}
    #expect(told.withLock { $0 } == [["refs/heads/main"], ["refs/heads/main"]])
  }

  @Test func `nothing is lost while the signer is down, and the log says so once`() throws {
    _ = try take(["refs/heads/main"])
    let isDown = Mutex(true)
    let count = Mutex(0)
    let handOver = handOver { _ in
      count.withLock { $0 += 1 }
      if isDown.withLock({ $0 }) { throw Down() }
    }
    var time = ContinuousClock.now
    for _ in 0..<10 {
      #expect(try handOver.step(at: time) == .now)
      guard case .after(let pause) = try handOver.step(at: time) else {
        Issue.record("it does not wait")
        return
      }
      #expect(pause > .zero && pause <= .seconds(31))
      time += .seconds(40)
    }
    #expect(count.withLock { $0 } == 10)
    #expect(log.count(of: "hook-kept") == 1)
    #expect(try store.waiting().count == 1)
    isDown.withLock { $0 = false }
    #expect(try handOver.step(at: time) == .now)
    #expect(try handOver.step(at: time) != .now)
    #expect(try store.waiting().isEmpty)
    #expect(log.count(of: "hook-handed-over") == 1)
  }

  @Test func `a repository that the signer fetches for long keeps no other waiting`() throws {
    _ = try take(["refs/heads/main"], of: "git@github.com:acme/large.git")
    _ = try take(["refs/heads/main"])
    let held = Mutex<[@Sendable () -> Void]>([])
    let handOver = HandOver(
      store, log: log.logger, now: { Self.now }, wake: {},
      spawn: { body in held.withLock { $0.append(body) } }, tell: { _ in })
    #expect(try handOver.step() != .now)
    let bodies = held.withLock { $0 }
    try #require(bodies.count == 2)
    bodies[1]()
    while try handOver.step() == .now {}
    #expect(try store.waiting().map(\.remote.text) == ["git@github.com:acme/large.git"])
    // It is not told of twice meanwhile.
    #expect(held.withLock { $0.count } == 2)
    bodies[0]()
    while try handOver.step() == .now {}
    #expect(try store.waiting().isEmpty)
  }

  @Test func `a repository that the signer does not take keeps no other waiting`() throws {
    _ = try take(["refs/heads/main"], of: "git@github.com:acme/unknown.git")
    _ = try take(["refs/heads/main"])
    let handOver = handOver { if $0.remote.text.contains("unknown") { throw Down() } }
    while try handOver.step() == .now {}
    #expect(try store.waiting().map(\.remote.text) == ["git@github.com:acme/unknown.git"])
  }

  @Test func `many refs are one hint about the repository`() throws {
    _ = try take((0..<1_001).map { "refs/heads/\($0)" })
    #expect(try store.waiting().map(\.refs) == [[]])
    _ = try take(["refs/heads/main"])
    #expect(try store.waiting().map(\.refs) == [[]])
  }

  @Test func `deliveries are known for four days`() throws {
    let day: UInt64 = 86_400_000
    func later(_ days: UInt64) -> Timestamp { Self.now.adding(milliseconds: days * day + 1) }
    #expect(try take(["refs/heads/main"], id: "a") == .stored)
    #expect(try store.sweep(at: later(3), skewMilliseconds: 300_000) == 0)
    #expect(try take(["refs/heads/main"], id: "a", at: later(3)) == .repeated)
    #expect(try store.sweep(at: later(4), skewMilliseconds: 300_000) == 1)
    #expect(try take(["refs/heads/main"], id: "a", at: later(4)) == .stored)
  }

  @Test func `a clock that is set back forgets nothing and keeps nothing for ever`() throws {
    let year: UInt64 = 365 * 86_400_000
    let ahead = Self.now.adding(milliseconds: year)
    #expect(try take(["refs/heads/main"], id: "a", at: ahead) == .stored)
    #expect(try store.sweep(at: Self.now, skewMilliseconds: 300_000) == 0)
    #expect(try take(["refs/heads/main"], id: "a") == .repeated)
    let later = Self.now.adding(milliseconds: 4 * 86_400_000 + 1)
    #expect(try store.sweep(at: later, skewMilliseconds: 300_000) == 1)
    #expect(try take(["refs/heads/main"], id: "a", at: later) == .stored)
  }
}
