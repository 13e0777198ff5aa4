import Foundation
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import Synchronization
import TestSupport

/// An IronMQ as its documentation describes it, on a port of the loopback: there is no other to test against. What it
/// keeps survives `stop` and `begin`. Its clock runs, unless a test alone is to move it. Its work is on threads of its own, as tests
/// block theirs. Its maker stops it.
package final class ConformanceServer: Sendable {
  package static let token = "one-secret"
  package static let project = "57a7b7b35e8e331d45000001"

  package struct Entry: Sendable {
    package let request: ServerRequest
    package let status: Int
    /// When it was answered.
    package let time: Duration

    package var summary: String { "\(request.method) \(request.path.suffix(30)) \(status)" }
  }

  struct State {
    var store: QueueStore
    var faults = LineFaults()
    var offset = Duration.zero
    var entries: [Entry] = []
    var waiters: [Int: AsyncStream<Void>.Continuation] = [:]
    var lastWaiter = 0
    /// Connections whose clients have hung up.
    var gone: Set<ObjectIdentifier> = []
    var task: Task<Void, any Error>?
  }

  package let port: UInt16
  /// `nil`: the clock stands.
  private let start: ContinuousClock.Instant?
  let state: Mutex<State>
  let executor = ServerExecutor()

  package init(requestByteCountMax: Int = 65_536, clockRuns: Bool = true) throws {
    start = clockRuns ? .now : nil
    port = try FreePort.take()
    var store = QueueStore(project: Self.project, token: Self.token)
    store.requestByteCountMax = requestByteCountMax
    state = Mutex(State(store: store))
    try begin()
  }

  package var url: String { "http://127.0.0.1:\(port)" }

  // MARK: - What a test does with it

  package var now: Duration {
    (start.map { .now - $0 } ?? .zero) + state.withLock { $0.offset }
  }

  /// The clock goes forward.
  package func advance(by duration: Duration) {
    state.withLock { $0.offset += duration }
    changed()
  }

  package func behave(_ change: (inout LineFaults) -> Void) {
    state.withLock { change(&$0.faults) }
  }

  package func change<Value: Sendable>(_ body: (inout QueueStore) -> Value) -> Value {
    let value = state.withLock { body(&$0.store) }
    changed()
    return value
  }

  /// What was answered, in its order.
  package var entries: [Entry] { state.withLock { $0.entries } }

  /// Messages of a queue, reserved ones included; `nil`: the queue does not exist.
  package func count(in queue: String) -> Int? {
    let now = now
    return change { store in
      store.settle(queue, at: now)
      return store.queues[queue]?.messages.count
    }
  }

  /// Reservations that wait for messages.
  package var waitingCount: Int { state.withLock { $0.waiters.count } }

  package func makeQueue(_ name: String) { change { $0.queues[name] = QueueStore.Queue() } }

  package func deleteQueue(_ name: String) { change { $0.queues[name] = nil } }

  package func put(_ bodies: [String], into queue: String) {
    let now = now
    change { _ = $0.put(bodies.map { ($0, 0) }, into: queue, at: now) }
  }

  /// Takes messages out of a queue, as somebody else who reads it.
  package func steal(_ count: Int, from queue: String) -> [String] {
    let now = now
    return change {
      $0.reserve(count, from: queue, timeout: nil, deleting: true, at: now).map(\.body)
    }
  }

  /// Reserves messages of a queue, as a reader that is killed then.
  package func reserve(_ count: Int, from queue: String) -> Int {
    let now = now
    return change {
      $0.reserve(count, from: queue, timeout: nil, deleting: false, at: now).count
    }
  }

  // MARK: - Running

  /// Hangs up on all.
  package func stop() {
    let task = state.withLock { $0.task.take() }
    guard let task else { return }
    task.cancel()
    let end = DispatchSemaphore(value: 0)
    Task(executorPreference: executor) {
      _ = await task.result
      end.signal()
    }
    end.wait()
  }

  package func begin() throws {
    let ready = DispatchSemaphore(value: 0)
    let channel = HTTP1Channel(
      responder: { [weak self] request, writer, channel in
        guard let self else { throw ConnectionCut() }
        try await self.respond(request, writer, channel)
      },
      configuration: .init(
        additionalChannelHandlers: [
          HangUpHandler { [weak self] channel, isGone in self?.note(channel, isGone: isGone) }
        ]))
    let server = channel.server(
      configuration: ServerConfiguration(address: .hostname("127.0.0.1", port: Int(port))),
      onServerRunning: { _ in ready.signal() },
      eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    let task = Task(executorPreference: executor) { try await server.run() }
    state.withLock { $0.task = task }
    guard ready.wait(timeout: .now() + .seconds(60)) == .success else { throw NotListening() }
  }

  private struct NotListening: Error {}

  private func note(_ channel: ObjectIdentifier, isGone: Bool) {
    state.withLock { state in
      if isGone { state.gone.insert(channel) } else { state.gone.remove(channel) }
    }
    if isGone { changed() }
  }

  func changed() {
    let waiters = state.withLock { Array($0.waiters.values) }
    for waiter in waiters { waiter.yield() }
  }
}

/// Threads of Dispatch, which has as many as it takes.
final class ServerExecutor: TaskExecutor {
  private let queue = DispatchQueue(label: "distro.tests.server", attributes: .concurrent)

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}
