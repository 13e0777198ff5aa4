import CarrierProtocol
import Logging
import Mailboxes
import MessageFormat
import Sodium
import TestSupport
import Testing
import ZeroMQ
import ZeroMQCarrier

/// An identity with a mailbox.
struct Machine: Sendable {
  let identity: Identity
  let mailbox: Mailbox

  init(_ name: String) throws {
    identity = try TestIdentity.make(name)
    mailbox = try #require(Mailbox(identity.public.fingerprint.bytes))
  }

  var transport: TransportIdentity { TransportIdentity(identity) }

  var key: CurvePublicKey { CurvePublicKey(of: identity.public) }
}

/// A listener on a port of its own with its store, and two machines that it lets in.
final class Server {
  let folder: TemporaryFolder
  let store: MailboxStore
  let machine: Machine
  let alice: Machine
  let bob: Machine
  let deposits = Counter()
  let context: Context
  private(set) var endpoint: String
  private var thread: ListenerThread?

  private let peers: [PublicIdentity]?

  /// `peers`: who sends to whom is free among these; otherwise alice and bob, to the server's mailbox.
  init(for peers: [PublicIdentity]? = nil) throws {
    self.peers = peers
    folder = try TemporaryFolder()
    store = try MailboxStore(testing: folder.path + "/state")
    (machine, alice, bob) = (try Machine("server"), try Machine("alice"), try Machine("bob"))
    context = try Context()
    endpoint = try FreePort.endpoint()
    try start()
  }

  deinit { stop() }

  /// On the port that it had before.
  func start() throws {
    let deposits = deposits
    let listener = try ZeroMQListener(
      at: [
        CarrierDoor(
          endpoint: endpoint, peers: peers ?? [alice.identity.public, bob.identity.public])
      ],
      as: machine.identity, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    endpoint = listener.endpoints[0]
    thread = try ListenerThread(
      listener, makeServer(), arrived: { deposits.add() }, onFailure: { _ in })
  }

  private func makeServer() -> sending MailboxServer {
    var depositors: [Mailbox: Set<Mailbox>] = [machine.mailbox: [alice.mailbox, bob.mailbox]]
    if let all = peers?.map(\.mailbox) {
      depositors = Dictionary(uniqueKeysWithValues: all.map { ($0, Set(all)) })
    }
    let access = CarrierAccess(depositors: depositors, byteCountMax: 1 << 30)
    return MailboxServer(
      store: store, access: access, now: { Timestamp(milliseconds: 2_000) })
  }

  /// It is found under another address from now on.
  func move(to endpoint: String) throws {
    stop()
    self.endpoint = endpoint
    try start()
  }

  /// It is kept until the next one stands, as a daemon does that may have to go back.
  func stop() { thread?.stop() }

  func mailboxesChanged() { thread?.listener.mailboxesChanged() }

  /// A machine that is connected here.
  func connect(
    _ machine: Machine, at endpoint: String? = nil, expecting expected: Machine? = nil,
    byteCountMax: UInt64 = 1 << 30
  ) throws -> Correspondent {
    let end = try Correspondent(machine, in: folder)
    try connect(end, at: endpoint, expecting: expected, byteCountMax: byteCountMax)
    return end
  }

  func connect(
    _ end: Correspondent, at endpoint: String? = nil, expecting expected: Machine? = nil,
    byteCountMax: UInt64 = 1 << 30, timeouts: ExchangeTimeouts = ExchangeTimeouts()
  ) throws {
    try end.connect(
      to: endpoint ?? self.endpoint, server: (expected ?? self.machine).identity.public,
      correspondents: [self.machine.mailbox, alice.mailbox, bob.mailbox],
      byteCountMax: byteCountMax, timeouts: timeouts)
  }

  /// A message that waits here for `reader`.
  func putMail(_ letter: Letter, for reader: Machine) throws {
    _ = try Self.put(letter, for: reader.mailbox, into: store)
    mailboxesChanged()
  }

  private static func put(
    _ letter: Letter, for mailbox: Mailbox, into store: MailboxStore
  ) throws -> StoredMessage {
    let message = try MessageWriter(
      letter.offer(for: [mailbox]), from: letter.sender, into: store)
    for chunk in letter.chunks { try message.append(chunk) }
    try store.commit([message], at: letter.time)
    return try #require(try store.message(letter.id, in: mailbox))
  }

  /// Nothing of it is left, once the acknowledgement has come: its row goes before its file.
  func requireEmpty(_ machine: Machine) throws {
    let isEmpty = try becomesTrue {
      try store.first(in: machine.mailbox) == nil && store.state.spool.names() == []
    }
    #expect(isEmpty)
  }

  func requireStored(_ letter: Letter) throws {
    let stored = try #require(try store.message(letter.id, in: machine.mailbox))
    #expect(try stored.chunks() == letter.chunks)
  }
}
