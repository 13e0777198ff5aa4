import CarrierProtocol
import Mailboxes
import MessageFormat
import Sodium
import Synchronization
import TestSupport
import Threads
import ZeroMQ
import ZeroMQCarrier

/// What passes through a relay: a request or a reply, and with a chunk its bytes.
struct Passage: Sendable {
  /// Who asked, or is answered.
  var peer: MailboxServer.Peer
  var frames: [[UInt8]]

  init(peer: MailboxServer.Peer, frames: [[UInt8]]) { (self.peer, self.frames) = (peer, frames) }

  init(_ reply: CarrierReply, chunk: [UInt8]? = nil, to peer: MailboxServer.Peer) {
    self.init(peer: peer, frames: [reply.encoded()] + (chunk.map { [$0] } ?? []))
  }

  var request: CarrierRequest? {
    do { return try CarrierRequest(decoding: frames[0]) } catch { return nil }
  }

  var reply: CarrierReply? {
    do { return try CarrierReply(decoding: frames[0]) } catch { return nil }
  }
}

/// What a relay does with what passes; each part is honest unless it is set. Called on the relay's thread.
struct Misbehaviour: Sendable {
  enum Step {
    /// On to the mailbox server, which is honest.
    case pass(Passage)
    /// Back to the peer, and the mailbox server never hears of it.
    case answer(Passage)
  }

  var request: @Sendable (Passage) -> [Step] = { [.pass($0)] }
  var reply: @Sendable (Passage) -> [Passage] = { [$0] }
  /// What a peer gets without having asked, again and again, as fast as it takes it.
  var unasked: (@Sendable (MailboxServer.Peer) -> [Passage])?
}

/// A relay with everything that a relay has, which does with what passes whatever a test tells it to.
final class HostileRelay: Sendable {
  let identity: Identity
  let endpoint: String
  let store: MailboxStore
  private let control = Control()
  private let authenticator: Authenticator
  private let wakeUp: WakeUp
  private let thread: LoopThread

  /// Shared with the relay's thread.
  fileprivate final class Control: Sendable {
    let behaviour = Mutex(Misbehaviour())
    let isStopping = Atomic(false)
  }

  init(
    signer: Identity, appliers: [Identity], state: String, now: @escaping @Sendable () -> Timestamp
  ) throws {
    let identity = Identity(generating: try IdentityName("relay"))
    self.identity = identity
    store = try MailboxStore(testing: state)
    var allowed: [CurvePublicKey: String] = [:]
    for peer in [signer] + appliers {
      allowed[try CurvePublicKey(peer.public.transportKey.bytes)] = peer.public.mailbox.hex
    }
    authenticator = try Authenticator(in: Context(), allowing: allowed)
    let readers = appliers.map(\.public.mailbox)
    let writer = signer.public.mailbox
    var depositors = Dictionary(uniqueKeysWithValues: readers.map { ($0, Set([writer])) })
    depositors[writer] = Set(readers)
    wakeUp = try WakeUp()
    let loop = try RelayLoop(
      server: MailboxServer(
        store: store, access: CarrierAccess(depositors: depositors, byteCountMax: 1 << 30),
        now: now), mailboxes: [writer] + readers, as: identity, for: authenticator,
      control: control, wakeUp: wakeUp)
    endpoint = loop.endpoint
    thread = try LoopThread { loop.run() }
  }

  deinit { stop() }

  func behave(_ behaviour: Misbehaviour = Misbehaviour()) {
    control.behaviour.withLock { $0 = behaviour }
    wakeUp.signal()
  }

  func stop() {
    control.isStopping.store(true, ordering: .relaxed)
    wakeUp.signal()
    thread.join()
    authenticator.stop()
  }
}

private final class RelayLoop {
  let endpoint: String
  private let server: MailboxServer
  private let socket: Socket
  private let mailboxes: [String: Mailbox]
  private let control: HostileRelay.Control
  private let wakeUp: WakeUp
  /// Each identity's newest connection.
  private var peers: [Mailbox: MailboxServer.Peer] = [:]
  /// What could not be sent yet.
  private var pending: [Passage] = []

  init(
    server: MailboxServer, mailboxes: [Mailbox], as identity: Identity,
    for authenticator: Authenticator,
    control: HostileRelay.Control, wakeUp: WakeUp
  ) throws {
    self.server = server
    self.mailboxes = Dictionary(uniqueKeysWithValues: mailboxes.map { ($0.hex, $0) })
    self.control = control
    self.wakeUp = wakeUp
    var options = SocketOptions()
    options.frameCountMax = 2
    options.sendQueueCountMax = 256
    options.linger = .zero
    let socket = try TransportIdentity(identity).server(for: authenticator, options: options)
    endpoint = try socket.bind("tcp://127.0.0.1:*")
    self.socket = socket
  }

  func run() {
    var poller = Poller()
    _ = poller.add(socket, for: .reading)
    _ = poller.add(wakeUp)
    do {
      while !control.isStopping.load(ordering: .relaxed) {
        let behaviour = control.behaviour.withLock { $0 }
        let isBusy = behaviour.unasked != nil || !pending.isEmpty
        var deadline = Deadline.after(isBusy ? .milliseconds(1) : .milliseconds(50))
        if let end = server.nextWaitEnd { deadline = .earlier(deadline, .at(end)) }
        try poller.wait(until: deadline)
        _ = wakeUp.clear()
        try turn(behaviour)
      }
    } catch {
      preconditionFailure("the relay: \(error)")
    }
  }

  private func turn(_ behaviour: Misbehaviour) throws {
    let waiting = pending
    pending = []
    for passage in waiting { try send(passage) }
    for _ in 0..<256 {
      guard let received = try socket.receive() else { break }
      guard case .message(let frames, let sender) = received,
        let mailbox = sender.userID.flatMap({ mailboxes[$0] })
      else { continue }
      let peer = MailboxServer.Peer(routingID: sender.routingID, mailbox: mailbox)
      peers[mailbox] = peer
      try handle(Passage(peer: peer, frames: frames.map(\.bytes)), behaviour)
    }
    if server.hasFinished {
      try send(server.flush(), behaviour)
      try send(server.deliverToWaiting(), behaviour)
    }
    try send(server.endWaits(), behaviour)
    guard let unasked = behaviour.unasked, pending.isEmpty else { return }
    // What does not fit is not said.
    for peer in peers.values { for passage in unasked(peer) { _ = try attempt(passage) } }
  }

  private func handle(_ passage: Passage, _ behaviour: Misbehaviour) throws {
    for step in behaviour.request(passage) {
      switch step {
      case .pass(let passage):
        try send(server.handle(passage.frames, from: passage.peer), behaviour)
      case .answer(let passage): try send(passage)
      }
    }
  }

  private func send(_ outgoing: [MailboxServer.Outgoing], _ behaviour: Misbehaviour) throws {
    for item in outgoing {
      let parts = server.parts(of: item)
      let frames = [parts.reply] + (parts.chunk?.bytes.map { [$0] } ?? [])
      for passage in behaviour.reply(Passage(peer: item.peer, frames: frames)) {
        try send(passage)
      }
    }
  }

  private func send(_ passage: Passage) throws {
    if try attempt(passage) == .wouldBlock { pending.append(passage) }
  }

  private func attempt(_ passage: Passage) throws -> SendOutcome {
    try socket.send(passage.frames, to: passage.peer.routingID)
  }
}
