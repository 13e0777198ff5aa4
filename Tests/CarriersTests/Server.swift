import Carriers
import Logging
import Mailboxes
import MessageFormat
import Sodium
import TestSupport
import Testing
import ZeroMQ

/// An identity with a mailbox.
struct Machine: Sendable {
  let identity: Identity
  let mailbox: Mailbox
  let transport: TransportIdentity

  init(_ name: String) throws {
    let identity = try TestIdentity.make(name)
    self.identity = identity
    mailbox = try #require(Mailbox(identity.public.fingerprint.bytes))
    transport = TransportIdentity(publicKey: try Self.key(of: identity)) { borrower in
      try identity.withTransportSecret(borrower)
    }
  }

  private static func key(of identity: Identity) throws -> CurvePublicKey {
    try CurvePublicKey(identity.public.transportKey.bytes)
  }

  var key: CurvePublicKey {
    get throws { try Self.key(of: identity) }
  }
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
  private var listener: CarrierListener?

  init() throws {
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
    let listener = try CarrierListener(
      on: endpoint, as: machine.transport,
      for: [alice.key: alice.mailbox, bob.key: bob.mailbox], desk: makeDesk(),
      log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
      onDeposit: { deposits.add() }, onFailure: {})
    endpoint = listener.endpoint
    self.listener = listener
  }

  private func makeDesk() -> sending MailboxServer {
    let access = CarrierAccess(
      depositors: [machine.mailbox: [alice.mailbox, bob.mailbox]], byteCountMax: 1 << 30)
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
  func stop() { listener?.stop() }

  func mailboxesChanged() { listener?.mailboxesChanged() }

  /// A machine that is connected here.
  func connect(
    _ machine: Machine, at endpoint: String? = nil, expecting key: CurvePublicKey? = nil,
    byteCountMax: UInt64 = 1 << 30
  ) throws -> Correspondent {
    let end = try Correspondent(machine, in: folder)
    try connect(end, at: endpoint, expecting: key, byteCountMax: byteCountMax)
    return end
  }

  func connect(
    _ end: Correspondent, at endpoint: String? = nil, expecting key: CurvePublicKey? = nil,
    byteCountMax: UInt64 = 1 << 30, patience: ExchangeTimeouts = ExchangeTimeouts()
  ) throws {
    try end.connect(
      to: endpoint ?? self.endpoint, server: key ?? self.machine.key,
      correspondents: [self.machine.mailbox, alice.mailbox, bob.mailbox],
      byteCountMax: byteCountMax, patience: patience)
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
