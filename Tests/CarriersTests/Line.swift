import CarrierProtocol
import Logging
import Mailboxes
import MessageFormat
import TestSupport
import Testing

/// Exchanges and a carrier without a socket between them, and a time that only the test moves.
final class Line {
  /// One exchange, and what it has come to.
  final class End {
    let client: MailboxClient
    let store: MailboxStore
    let peer: MailboxServer.Peer
    fileprivate(set) var requests: [CarrierRequest] = []
    fileprivate(set) var accepted: [MessageID] = []
    fileprivate(set) var stored: [MessageID] = []
    fileprivate(set) var refusals: [Depositing.Refusal] = []
    fileprivate(set) var unkeptCount = 0
    fileprivate(set) var noRoomCount = 0

    fileprivate init(_ port: CarrierPort, peer: MailboxServer.Peer) {
      client = MailboxClient(port)
      store = port.store
      self.peer = peer
    }

    /// Something to hand over.
    func put(_ letter: Letter, for mailboxes: [Mailbox] = [TestHost.mailbox]) throws {
      let message = try MessageWriter(
        letter.offer(for: mailboxes), from: letter.sender, into: store)
      for chunk in letter.chunks { try message.append(chunk) }
      try store.commit([message], at: letter.time)
      client.outgoingChanged()
    }

    var chunkRequestCount: Int {
      requests.count { if case .chunk = $0 { true } else { false } }
    }

    var collectRequestCount: Int {
      requests.count { if case .collect = $0 { true } else { false } }
    }

    var depositRequestCount: Int {
      requests.count { if case .deposit = $0 { true } else { false } }
    }
  }

  let carrier: TestHost
  private let folder: TemporaryFolder
  private var ends: [End] = []
  private(set) var now = ContinuousClock.now

  init(_ folder: TemporaryFolder, quotas: DepositQuotas = .none) throws {
    self.folder = folder
    carrier = try TestHost(folder, quotas: quotas)
  }

  /// Alice's exchange; ends of one `state` share their store, as two runs of the program do.
  func end(
    _ number: UInt8 = 1, state: String = "alice", correspondents: Set<Mailbox> = [TestHost.mailbox],
    byteCountMax: UInt64 = 1 << 30, inboxMax: InboxLimit = InboxLimit()
  ) throws -> End {
    let port = CarrierPort(
      mailbox: TestHost.alice, correspondents: correspondents,
      store: try MailboxStore(testing: folder.path + "/" + state), byteCountMax: byteCountMax,
      inboxMax: inboxMax, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
      now: { Timestamp(milliseconds: 2_000) })
    let end = End(port, peer: .connection(number, of: TestHost.alice))
    ends.append(end)
    return end
  }

  /// Its program has ended.
  func forget(_ end: End) { ends.removeAll { $0 === end } }

  func putMail(_ letter: Letter) throws {
    let message = try MessageWriter(
      letter.offer(for: [TestHost.alice]), from: letter.sender, into: carrier.store)
    for chunk in letter.chunks { try message.append(chunk) }
    try carrier.store.commit([message], at: letter.time)
  }

  func advance(_ duration: Duration) { now += duration }

  /// The carrier has waited long enough for mail that does not come.
  func endWaits() throws {
    carrier.advance(milliseconds: UInt64(Limits.collectWaitMillisecondsMax))
    try deliver(carrier.server.endWaits())
  }

  /// What the end would send, up to `countMax` requests, which nobody answers.
  func say(_ end: End, countMax: Int = .max) throws {
    var count = 0
    while count < countMax, let step = try end.client.next(at: now) {
      end.requests.append(step.request)
      count += 1
    }
  }

  /// Sends and answers, up to `countMax` requests of this end, or until it has nothing more to say.
  func run(_ end: End, countMax: Int = .max) throws {
    var count = 0
    while count < countMax, let step = try end.client.next(at: now) {
      end.requests.append(step.request)
      let frames = [step.request.encoded()] + (step.chunk.map { [$0] } ?? [])
      try deliver(carrier.server.handle(frames, from: end.peer))
      try deliver(carrier.server.flush())
      count += 1
    }
  }

  private func deliver(_ outgoing: [MailboxServer.Outgoing]) throws {
    for item in outgoing {
      guard let end = ends.first(where: { $0.peer == item.peer }) else { continue }
      let parts = carrier.server.parts(of: item)
      let reply = try CarrierReply(decoding: parts.reply)
      if let effect = try end.client.handle(reply, chunk: parts.chunk?.bytes, at: now) {
        try perform(effect, at: end)
      }
    }
  }

  private func perform(_ effect: MailboxClient.Effect, at end: End) throws {
    switch effect {
    case .accept(let messages):
      try end.store.commit(messages.map(\.message), at: Timestamp(milliseconds: 2_000))
      end.accepted += messages.map(\.entry.id)
      end.client.accepted(messages, at: now)
    case .unkept, .full:
      end.unkeptCount += 1
      end.client.postpone(at: now)
    case .stored(let waiting):
      try end.store.remove([waiting])
      end.stored.append(waiting.message.id)
    case .refused(let refusals): end.refusals += refusals
    case .noRoom: end.noRoomCount += 1
    case .tooLarge, .moved, .empty: break
    }
  }
}
