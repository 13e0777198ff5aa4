import Logging
import MessageFormat
import ZeroMQ

/// The event loop of a listener: receives, lets the desk decide, sends.
struct ListenerLoop: ~Copyable {
  /// Messages that are taken before the disk is asked to sync: many deposits, one sync.
  private static let receiveCountMax = 512
  /// Replies that wait for a peer that does not read; with more, the peer is forgotten.
  private static let backlogCountMax = 256
  private static let backlogInterval: Duration = .milliseconds(5)

  private let socket: Socket
  private let desk: CarrierDesk
  private let mailboxes: [String: Mailbox]
  private let wakeUp: WakeUp
  private let stopping: StopFlag
  private let log: Logger
  private let onDeposit: @Sendable () -> Void
  private var backlog: [CarrierDesk.Peer: [CarrierDesk.Outgoing]] = [:]

  init(
    socket: consuming Socket, desk: CarrierDesk, mailboxes: [String: Mailbox], wakeUp: WakeUp,
    stopping: StopFlag, log: Logger, onDeposit: @escaping @Sendable () -> Void
  ) {
    self.socket = socket
    self.desk = desk
    self.mailboxes = mailboxes
    self.wakeUp = wakeUp
    self.stopping = stopping
    self.log = log
    self.onDeposit = onDeposit
  }

  /// Until it is told to stop; `false`: the socket failed.
  mutating func run() -> Bool {
    var poller = Poller()
    _ = poller.add(socket, for: .reading)
    let bell = poller.add(wakeUp)
    while !stopping.isSet {
      do throws(ZeroMQError) {
        try poller.wait(until: backlog.isEmpty ? .never : .after(Self.backlogInterval))
        try sendBacklog()
        try receive()
        if desk.hasFinishedDeposits {
          try send(desk.flush())
          onDeposit()
          try send(desk.deliverToWaiting())
        }
        if poller.readiness(of: bell).contains(.reading) {
          wakeUp.clear()
          try send(desk.deliverToWaiting())
        }
      } catch {
        log.error("the listener's socket failed", metadata: ["error": "\(error)"])
        return false
      }
    }
    return true
  }

  private mutating func receive() throws(ZeroMQError) {
    for _ in 0..<Self.receiveCountMax {
      guard let received = try socket.receive() else { return }
      switch received {
      case .message(let frames, let sender):
        guard let peer = peer(of: sender) else { continue }
        try send(desk.handle(frames.map(\.bytes), from: peer))
      case .tooManyFrames(_, let sender), .noLongerAllowed(let sender):
        guard let peer = peer(of: sender) else { continue }
        log.warning("a peer was cut off", metadata: ["peer": "\(peer.mailbox.abbreviated)"])
        forget(peer)
      }
    }
  }

  private func peer(of sender: Sender) -> CarrierDesk.Peer? {
    sender.userID.flatMap { mailboxes[$0] }
      .map { CarrierDesk.Peer(routingID: sender.routingID, mailbox: $0) }
  }

  private mutating func send(_ outgoing: [CarrierDesk.Outgoing]) throws(ZeroMQError) {
    for item in outgoing {
      if backlog[item.peer] == nil {
        switch try attempt(item) {
        case .sent: continue
        case .peerGone:
          forget(item.peer)
          continue
        case .wouldBlock: break
        }
      }
      backlog[item.peer, default: []].append(item)
      if let waiting = backlog[item.peer], waiting.count > Self.backlogCountMax {
        log.warning("a peer does not read", metadata: ["peer": "\(item.peer.mailbox.abbreviated)"])
        forget(item.peer)
      }
    }
  }

  private mutating func sendBacklog() throws(ZeroMQError) {
    for (peer, waiting) in backlog {
      var rest = waiting[...]
      while let item = rest.first {
        let outcome = try attempt(item)
        if outcome == .peerGone {
          forget(peer)
          rest = []
        }
        guard outcome == .sent else { break }
        rest = rest.dropFirst()
      }
      backlog[peer] = rest.isEmpty ? nil : Array(rest)
    }
  }

  private func attempt(_ item: CarrierDesk.Outgoing) throws(ZeroMQError) -> SendOutcome {
    let frames = [item.reply.encoded()] + (item.chunk.map { [$0] } ?? [])
    return try socket.send(frames, to: item.peer.routingID)
  }

  private mutating func forget(_ peer: CarrierDesk.Peer) {
    backlog[peer] = nil
    desk.forget(peer)
  }
}
