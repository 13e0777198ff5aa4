import CarrierProtocol
import Host
import Mailboxes
import MessageFormat

/// What an end has under way. Belongs to one thread.
package final class InProcessTraffic {
  private static let countMax = 16
  private static let pauses = (first: Duration.milliseconds(50), longest: Duration.seconds(1))

  private struct Upload {
    let waiting: WaitingMessage
    let chunks: StoredChunks
    var next: UInt32
  }

  private struct Download {
    let delivery: InProcessBroker.Delivery
    let message: MessageWriter
  }

  private let port: CarrierPort
  private let broker: InProcessBroker
  private var isConnected = false
  private var upload: Upload?
  private var download: Download?
  /// What the broker does not take waits so long.
  private var holds: [Mailbox: ContinuousClock.Instant] = [:]
  /// After a fault of our side nothing is collected for a while.
  private var resumption: ContinuousClock.Instant?
  private var reconnection: ContinuousClock.Instant?
  private var backoff: Backoff

  init(_ port: CarrierPort, _ broker: InProcessBroker) {
    (self.port, self.broker) = (port, broker)
    backoff = Backoff(
      first: Self.pauses.first, longest: Self.pauses.longest, jitter: broker.jitter)
  }

  /// When the next delayed message is due.
  package var nextAttempt: ContinuousClock.Instant? {
    (Array(holds.values) + [resumption, reconnection, port.turn.next].compactMap { $0 }).min()
  }

  /// Moves one chunk each way; `false`: nothing moved, and nothing will before time passes or somebody puts something in.
  package func step() -> Bool {
    let now = broker.now()
    guard connects(at: now) else { return false }
    holds = holds.filter { $0.value > now }
    do {
      let hasSent = try send(at: now)
      return try receive(at: now) || hasSent
    } catch {
      // Our own disk.
      upload = nil
      disconnect(.faulty(endpoint: "in-process", error), at: now)
      return false
    }
  }

  /// The program ends: what has come of a message is there for its next run.
  package func end() {
    do throws(MailboxError) {
      try download?.message.keep()
    } catch {
      // It comes again.
    }
    (upload, download) = (nil, nil)
  }

  private func connects(at now: ContinuousClock.Instant) -> Bool {
    if let time = reconnection, time > now { return false }
    reconnection = nil
    guard !broker.breaks() else {
      disconnect(.notReached(endpoint: "in-process", reason: .nobodyListens), at: now)
      return false
    }
    if !isConnected {
      isConnected = true
      backoff.reset()
      port.stateChanged(.connected)
    }
    return true
  }

  /// The broker keeps what it has of an upload, and we what we have of a message.
  private func disconnect(_ error: CarrierError, at now: ContinuousClock.Instant) {
    (isConnected, upload) = (false, nil)
    reconnection = now + backoff.next()
    port.stateChanged(.failed(error))
  }

  // MARK: - Out

  private func send(at now: ContinuousClock.Instant) throws -> Bool {
    if upload == nil { try beginUpload(at: now) }
    guard var current = upload else { return false }
    let message = current.waiting.message
    let key = InProcessBroker.PartialKey(depositor: port.mailbox, id: message.id)
    let chunk = try current.chunks[current.next]
    current.next += 1
    let chunks = broker.state.withLock { state in
      state.partials[key, default: []].append(chunk)
      return state.partials[key, default: []]
    }
    port.moved(current.waiting.mailboxes, current.next, current.chunks.count)
    upload = current
    guard current.next == current.chunks.count else { return true }
    upload = nil
    broker.put(
      InProcessBroker.Parcel(
        id: message.id, depositor: port.mailbox, size: message.size, slot: current.waiting.slot,
        chunks: chunks), into: current.waiting.mailboxes)
    try port.delivered([current.waiting])
    return true
  }

  private func beginUpload(at now: ContinuousClock.Instant) throws {
    let open = try port.turn.mailboxes(
      of: port.correspondents.subtracting(holds.keys), in: port.store, at: now)
    for waiting in try port.store.outgoing(for: open, countMax: Self.countMax) {
      let taken = waiting.mailboxes.filter { takes(waiting.message, for: $0, at: now) }
      guard !taken.isEmpty else { continue }
      let key = InProcessBroker.PartialKey(depositor: port.mailbox, id: waiting.message.id)
      let known = broker.state.withLock { UInt32($0.partials[key]?.count ?? 0) }
      upload = Upload(
        waiting: WaitingMessage(message: waiting.message, mailboxes: taken, slot: waiting.slot),
        chunks: try waiting.message.open(), next: known)
      return
    }
  }

  private func takes(
    _ message: StoredMessage, for mailbox: Mailbox, at now: ContinuousClock.Instant
  ) -> Bool {
    guard holds[mailbox] == nil else { return false }
    guard let (reason, detail) = broker.refusal(of: mailbox, message.size.byteCount) else {
      return true
    }
    holds[mailbox] = now + Self.pauses.longest
    port.refused(
      RefusedMessage(message: message.id, mailbox: mailbox, reason: reason, detail: detail))
    return false
  }

  // MARK: - In

  private func receive(at now: ContinuousClock.Instant) throws -> Bool {
    if let time = resumption, time > now { return false }
    resumption = nil
    if download == nil { try beginDownload(at: now) }
    guard let current = download else { return false }
    let chunks = current.delivery.parcel.chunks
    try current.message.append(chunks[Int(current.message.nextChunk)])
    guard current.message.isComplete else { return true }
    download = nil
    do {
      try port.accept([current.message])
    } catch {
      // Nothing is acknowledged before it is durable here.
      resumption = now + Self.pauses.longest
      return false
    }
    broker.acknowledge(current.delivery, in: port.mailbox)
    return true
  }

  private func beginDownload(at now: ContinuousClock.Instant) throws {
    guard let delivery = broker.next(for: port.mailbox) else { return }
    let size = delivery.parcel.size
    guard size.byteCount <= port.byteCountMax else {
      return broker.acknowledge(delivery, in: port.mailbox)
    }
    let offer = DepositOffer(id: delivery.parcel.id, mailboxes: [port.mailbox], size: size)
    let message = try port.store.resume(offer, from: port.mailbox)
    guard try port.hasRoom(for: message) else {
      resumption = now + Self.pauses.longest
      return
    }
    download = Download(delivery: delivery, message: message)
  }
}
