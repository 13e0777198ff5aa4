import CarrierProtocol
import Diagnostics
import Host
import Logging
import Mailboxes
import MessageFormat
import Threads
import ZeroMQ

/// The event loop of a listener: receives, lets the mailbox server decide, sends.
struct ListenerLoop: ~Copyable {
  /// Messages that are taken from a socket before the disk is asked to sync: many deposits, one sync.
  private static let receiveCountMax = 512
  /// Between two rounds of upkeep, and while there is more of it.
  private static let maintenanceIntervals = (
    rest: Duration.seconds(60), more: Duration.milliseconds(100)
  )

  private let doors: [ListenerDoor]
  private let server: MailboxServer
  private let updates: UpdateBox
  private let wakeUp: WakeUp
  private let stopping: StopFlag
  private let liveness: LoopLiveness
  private let log: Logger
  private let arrived: @Sendable () -> Void
  private let limiter = RateLimiter(burst: 20)
  private var backlog = Backlog()
  private var connections = ListenerConnections()
  private var nextMaintenance = ContinuousClock.Instant.now

  init(
    doors: [ListenerDoor], server: MailboxServer, updates: UpdateBox, wakeUp: WakeUp,
    stopping: StopFlag, liveness: LoopLiveness, log: Logger, arrived: @escaping @Sendable () -> Void
  ) {
    self.doors = doors
    self.server = server
    self.updates = updates
    self.wakeUp = wakeUp
    self.stopping = stopping
    self.liveness = liveness
    self.log = log
    self.arrived = arrived
    server.onFault = { id, error in
      log.report(
        error.isLoss ? .messageLost : .fault,
        ["message": "\(id.map(\.abbreviated) ?? "-")", "error": "\(error)"])
    }
    server.onSweep = { log.report(.messageExpired, $0.fields) }
  }

  /// Until it is told to stop; throws when a socket fails.
  mutating func run() throws(ZeroMQError) {
    var poller = Poller()
    for door in doors { door.add(to: &poller) }
    let bell = poller.add(wakeUp)
    // Before the first offer: what is under way counts against quotas.
    maintain()
    defer { keepDeposits() }
    while !stopping.isSet {
      try poller.wait(until: nextDeadline, liveness)
      let isRinging = poller.readiness(of: bell).contains(.reading)
      if isRinging { wakeUp.clear() }
      try turn(isRinging: isRinging)
    }
  }

  private var nextDeadline: Deadline {
    var deadline = Deadline.at(nextMaintenance)
    if let end = server.nextWaitEnd { deadline = .earlier(deadline, .at(end)) }
    if let time = backlog.nextAttempt { deadline = .earlier(deadline, .at(time)) }
    return deadline
  }

  private mutating func turn(isRinging: Bool) throws(ZeroMQError) {
    if isRinging, let update = updates.take() { apply(update) }
    try sendBacklog()
    for index in doors.indices {
      try doors[index].noteEvents()
      try receive(from: index)
    }
    if server.hasFinished {
      try send(server.flush())
      arrived()
      try send(server.deliverToWaiting())
    }
    if isRinging { try send(server.deliverToAllWaiting()) }
    try send(server.endWaits())
    maintain()
  }

  private mutating func maintain() {
    guard nextMaintenance <= .now else { return }
    var hasMore = false
    do throws(MailboxError) {
      hasMore = try server.maintain()
    } catch {
      log.report(.sweepFailed, ["error": "\(error)"])
    }
    nextMaintenance =
      .now + (hasMore ? Self.maintenanceIntervals.more : Self.maintenanceIntervals.rest)
  }
}

extension ListenerLoop {
  private func keepDeposits() {
    do throws(MailboxError) {
      try server.keepDeposits()
    } catch {
      log.report(.transferDiscarded, ["error": "\(error)"])
    }
  }
}

// MARK: - Receiving

extension ListenerLoop {
  private mutating func receive(from index: Int) throws(ZeroMQError) {
    for _ in 0..<Self.receiveCountMax {
      guard let received = try doors[index].socket.receive() else { return }
      // A slow disk is not a loop that hangs.
      liveness.beat()
      switch received {
      case .message(let frames, let sender):
        guard let peer = peer(of: sender, at: index) else { continue }
        doors[index].noteVoice(of: frames[0].descriptor)
        if let gone = connections.note(peer, over: frames[0]) { forget(gone) }
        try send(server.handle(frames.map(\.bytes), from: peer))
      case .tooManyFrames(_, let sender), .noLongerAllowed(let sender):
        guard let peer = peer(of: sender, at: index) else { continue }
        report("request is invalid or access ended", peer)
        forget(peer)
      }
    }
  }

  private func peer(of sender: Sender, at index: Int) -> MailboxServer.Peer? {
    sender.userID.flatMap { doors[index].mailboxes[$0] }
      .map { MailboxServer.Peer(routingID: sender.routingID, mailbox: $0, door: index) }
  }

  private mutating func apply(_ update: ListenerUpdate) {
    for (door, mailboxes) in zip(doors, update.mailboxes) { door.replace(mailboxes) }
    let known = update.mailboxes.reduce(into: Set()) { $0.formUnion($1) }
    server.replace(update.access, quotas: update.quotas, known: known.contains)
    cut("key is no longer trusted") { !update.mailboxes[$0.door].contains($0.mailbox) }
  }

  private mutating func cut(_ reason: String, where isOver: (MailboxServer.Peer) -> Bool) {
    for peer in connections.cut(where: isOver) {
      report(reason, peer)
      forget(peer)
    }
  }

  /// What a peer can cause as often as it likes.
  private func report(_ reason: String, _ peer: MailboxServer.Peer) {
    guard let leftOut = limiter.take() else { return }
    log.report(
      .peerDisconnected,
      [
        "peer": "\(peer.mailbox.abbreviated)", "reason": "\(reason)",
        "others": .number(leftOut),
      ])
  }

  private mutating func forget(_ peer: MailboxServer.Peer) {
    backlog.remove(peer)
    server.forget(peer)
  }
}

// MARK: - Sending

extension ListenerLoop {
  private mutating func send(_ outgoing: [MailboxServer.Outgoing]) throws(ZeroMQError) {
    for item in outgoing {
      liveness.beat()
      if !backlog.contains(item.peer) {
        switch try attempt(item) {
        case .sent: continue
        case .peerGone:
          forget(item.peer)
          continue
        case .wouldBlock: break
        }
      }
      guard backlog.append(item) else {
        cut("peer stopped reading") { $0 == item.peer }
        continue
      }
    }
  }

  private mutating func sendBacklog() throws(ZeroMQError) {
    guard backlog.isDue else { return }
    var hasSent = false
    for peer in backlog.peers {
      while let item = backlog.first(of: peer) {
        let result = try attempt(item)
        if result == .peerGone { forget(peer) }
        guard result == .sent else { break }
        backlog.removeFirst(of: peer)
        hasSent = true
      }
    }
    backlog.noteAttempt(hasSent: hasSent)
  }

  private func attempt(_ item: MailboxServer.Outgoing) throws(ZeroMQError) -> SendOutcome {
    let (reply, chunk) = server.parts(of: item)
    // Once for all readers of a chunk: its bytes are in libzmq's memory from then on.
    let frames = [Frame(copying: reply)] + (chunk.map { [$0.form { Frame(copying: $0) }] } ?? [])
    return try doors[item.peer.door].socket.send(frames, to: item.peer.routingID)
  }
}
