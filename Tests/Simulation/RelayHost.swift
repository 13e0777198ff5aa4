import CarrierProtocol
import Host
import Mailboxes
import MessageFormat
import TestSupport

/// The untrusted middle: the relay's half of the protocol over a store of its own, and what a bad relay does with that.
final class RelayHost: Middle {
  /// A message that came by, for being brought once more.
  private struct Copy {
    let mailbox: Mailbox
    let depositor: Mailbox
    let offer: DepositOffer
    let chunks: [[UInt8]]
  }

  private static let copyCountMax = 40

  let name = "relay"
  let clock: HostClock
  /// Of what waits at its clients' ends.
  let jitter: Backoff.Jitter
  var isRunning = true
  var writeLimit: UInt64?
  var swallows: ((Mailbox, Mailbox) -> Bool)?
  /// By the mailbox of who is at the other end.
  var lines: [Mailbox: RelayLine] = [:]
  private let directory: String
  private let access: CarrierAccess
  private let mailboxes: [Mailbox]
  private var quotas: DepositQuotas
  private(set) var store: MailboxStore
  private var server: MailboxServer
  private var copies: [Copy] = []
  private var withheld: [Copy] = []
  private var generation = 0
  private var nextMaintenance: UInt64 = 0

  init(
    directory: String, mailboxes: [Mailbox], access: CarrierAccess, clock: HostClock,
    jitter: @escaping Backoff.Jitter
  ) throws {
    (self.directory, self.access, self.quotas) = (directory, access, .standard)
    (self.clock, self.mailboxes, self.jitter) = (clock, mailboxes, jitter)
    store = try MailboxStore(testing: directory, sinceBoot: { clock.sinceBoot })
    server = Self.server(store, access, quotas, clock)
  }

  private static func server(
    _ store: MailboxStore, _ access: CarrierAccess, _ quotas: DepositQuotas, _ clock: HostClock
  ) -> MailboxServer {
    MailboxServer(
      store: store, access: access, quotas: quotas, now: { clock.now }, clock: { clock.instant })
  }

  func line(_ name: String, _ port: CarrierPort, trace: @escaping (String) -> Void) -> any Line {
    RelayLine(name, port, to: self, clock: clock.world, trace: trace)
  }

  func waitingCount(for mailbox: Mailbox) throws -> Int {
    try store.messages(in: mailbox, countMax: .max).count
  }

  /// An orderly end keeps what came of unfinished deposits.
  func restart(isOrderly: Bool) throws {
    for line in lines.values.sorted(by: { $0.name < $1.name }) { line.disconnect() }
    if isOrderly { try server.keepDeposits() }
    try reopen(directory + suffix)
    isRunning = true
  }

  /// Its disk is gone, with all that waited on it.
  private func loseDisk() throws {
    for line in lines.values.sorted(by: { $0.name < $1.name }) { line.disconnect() }
    generation += 1
    try reopen(directory + suffix)
  }

  private var suffix: String { generation == 0 ? "" : "-\(generation)" }

  private func reopen(_ directory: String) throws {
    try store.state.queue.close()
    let clock = clock
    store = try MailboxStore(testing: directory, sinceBoot: { clock.sinceBoot })
    server = Self.server(store, access, quotas, clock)
    _ = try server.maintain()
  }

  /// Everything is done at the moment that something comes, or is due at the same time as others'.
  var nextTurn: UInt64? { nil }

  func calm() { replace(quotas: .standard) }

  private func replace(quotas: DepositQuotas) {
    self.quotas = quotas
    server.replace(access, quotas: quotas) { _ in true }
  }

  // MARK: - What it is for

  func handle(_ frames: [[UInt8]], from peer: MailboxServer.Peer) {
    guard isRunning else { return }
    route(server.handle(frames, from: peer))
  }

  func forget(_ peer: MailboxServer.Peer) { server.forget(peer) }

  func turn() throws -> Bool {
    guard isRunning else { return false }
    var outgoing: [MailboxServer.Outgoing] = []
    if let swallows {
      for mailbox in mailboxes {
        for message in try store.messages(in: mailbox, countMax: .max)
        where swallows(mailbox, message.depositor) { try store.remove(message) }
      }
    }
    if server.hasFinished {
      outgoing += server.flush()
      if swallows != nil {
        route(outgoing)
        return true
      }
      outgoing += server.deliverToWaiting()
    }
    outgoing += server.endWaits()
    if nextMaintenance <= clock.worldMilliseconds {
      nextMaintenance = clock.worldMilliseconds + 60_000
      _ = try server.maintain()
    }
    route(outgoing)
    return !outgoing.isEmpty
  }

  private func route(_ outgoing: [MailboxServer.Outgoing]) {
    for item in outgoing {
      let parts = server.parts(of: item)
      let chunk = parts.chunk?.bytes.map { [$0] } ?? []
      lines[item.peer.mailbox]?.carry([parts.reply] + chunk, to: item.peer)
    }
  }

  // MARK: - What it should not do

  func misbehave(using random: inout SeededGenerator) throws -> String? {
    switch Int.random(in: 0..<20, using: &random) {
    case 0..<5:
      try copyWaiting()
      return nil
    case 5..<9: return try bringAgain(using: &random)
    case 9..<12: return try lose(using: &random)
    case 12..<15: return try withhold(using: &random)
    case 15..<18: return try release()
    case 18:
      let isTight = Bool.random(using: &random)
      replace(quotas: DepositQuotas(depositor: .none, mailbox: isTight ? Self.tight : .none))
      return "quotas: \(isTight ? "tight" : "none")"
    default:
      try loseDisk()
      return "its disk is lost"
    }
  }

  private static let tight = QuotaLimit(
    byteCount: 100_000, messageCount: 3, ageMilliseconds: .max)

  /// What waits is copied, to be brought again at some time.
  private func copyWaiting() throws {
    for mailbox in mailboxes {
      for message in try store.messages(in: mailbox, countMax: 4) {
        copies.append(try copy(of: message, in: mailbox))
      }
    }
    copies.removeFirst(max(0, copies.count - Self.copyCountMax))
  }

  private func copy(of message: StoredMessage, in mailbox: Mailbox) throws -> Copy {
    let open = try message.open()
    let chunks = try (0..<open.count).map { index throws(MailboxError) in try open[index] }
    let offer = DepositOffer(id: message.id, mailboxes: [mailbox], size: message.size)
    return Copy(mailbox: mailbox, depositor: message.depositor, offer: offer, chunks: chunks)
  }

  /// Once more, if it is not there anyway.
  private func bringAgain(using random: inout SeededGenerator) throws -> String? {
    guard let copy = copies.randomElement(using: &random) else { return nil }
    return try put(copy) ? "\(copy.offer.id.abbreviated) again" : nil
  }

  private func put(_ copy: Copy) throws -> Bool {
    guard try store.message(copy.offer.id, in: copy.mailbox) == nil,
      try !store.contains(copy.offer.id)
    else { return false }
    let message = try MessageWriter(copy.offer, from: copy.depositor, into: store)
    for chunk in copy.chunks { try message.append(chunk) }
    try store.commit([message], at: clock.now)
    route(server.deliverToAllWaiting())
    return true
  }

  /// Said to be stored, and gone.
  private func lose(using random: inout SeededGenerator) throws -> String? {
    guard let message = try waiting(using: &random) else { return nil }
    try store.remove(message)
    return "\(message.id.abbreviated) lost"
  }

  /// Behind what comes later.
  private func withhold(using random: inout SeededGenerator) throws -> String? {
    guard let message = try waiting(using: &random) else { return nil }
    withheld.append(try copy(of: message, in: message.mailbox))
    try store.remove(message)
    return "\(message.id.abbreviated) withheld"
  }

  private func release() throws -> String? {
    guard !withheld.isEmpty else { return nil }
    let copy = withheld.removeFirst()
    return try put(copy) ? "\(copy.offer.id.abbreviated) released" : nil
  }

  private func waiting(using random: inout SeededGenerator) throws -> StoredMessage? {
    try mailboxes.flatMap { try store.messages(in: $0, countMax: 4) }.randomElement(using: &random)
  }
}
