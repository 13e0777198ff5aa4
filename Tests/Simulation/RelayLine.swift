import CarrierProtocol
import Mailboxes
import MessageFormat
import TestSupport

/// A way to the relay, as a client's half of its protocol goes: a connection at a time, in order while it lasts.
final class RelayLine: Line {
  /// A whole frame set, and when it arrives.
  private struct Passage {
    let at: UInt64
    let frames: [[UInt8]]
  }

  private static let turnCountMax = 256
  private static let retryMilliseconds: [UInt64] = [250, 1_000, 4_000, 15_000, 30_000]

  let name: String
  var isUp = true
  private var delayMilliseconds: UInt64 = 0
  /// Of frames on their way that are given twice to whoever they are for; a bad relay's, since a connection does not.
  private var repeatsFrames = false
  var writeLimit: UInt64?
  private let mailbox: Mailbox
  private let relay: RelayHost
  private let clock: WorldClock
  private let trace: (String) -> Void
  private var client: MailboxClient
  private var port: CarrierPort
  private var connection: UInt64?
  private var connectionCount: UInt64 = 0
  private var upwards: [Passage] = []
  private var downwards: [Passage] = []
  private var failureCount = 0
  private var silentTurnCount = 0
  private var retryAt: UInt64 = 0

  init(
    _ name: String, _ port: CarrierPort, to relay: RelayHost, clock: WorldClock,
    trace: @escaping (String) -> Void
  ) {
    (self.name, self.relay, self.port, self.clock) = (name, relay, port, clock)
    self.trace = trace
    mailbox = port.mailbox
    client = Self.client(port, relay)
    relay.lines[mailbox] = self
  }

  private static func client(_ port: CarrierPort, _ relay: RelayHost) -> MailboxClient {
    var timeouts = ExchangeTimeouts()
    timeouts.jitter = relay.jitter
    return MailboxClient(port, timeouts)
  }

  func replace(_ port: CarrierPort, isOrderly: Bool) throws {
    disconnect()
    if isOrderly { try client.keep() }
    client = Self.client(port, relay)
    self.port = port
    (failureCount, retryAt) = (0, 0)
  }

  private var peer: MailboxServer.Peer? {
    connection.map { number in
      MailboxServer.Peer(
        routingID: withUnsafeBytes(of: number.bigEndian) { Array($0) }, mailbox: mailbox)
    }
  }

  func disconnect() {
    guard let peer else { return }
    relay.forget(peer)
    (connection, upwards, downwards) = (nil, [], [])
    client.interrupted()
    retryAt = clock.milliseconds + Self.retryMilliseconds[min(failureCount, 4)]
    failureCount += 1
  }

  func outgoingChanged() { client.outgoingChanged() }

  var nextTurn: UInt64? {
    guard isUp, relay.isRunning else { return nil }
    guard connection != nil else { return retryAt }
    let attempt = client.nextAttempt.map { clock.milliseconds(of: $0) }
    return [upwards.first?.at, downwards.first?.at, attempt].compactMap { $0 }.min()
  }

  /// From the relay; what is for a connection that has ended goes nowhere.
  func carry(_ frames: [[UInt8]], to peer: MailboxServer.Peer) {
    guard peer == self.peer else { return }
    downwards.append(Passage(at: clock.milliseconds + delayMilliseconds, frames: frames))
  }

  func disturb(using random: inout SeededGenerator) -> String {
    switch Int.random(in: 0..<7, using: &random) {
    case 0..<3:
      disconnect()
      return "is cut"
    case 3..<6:
      delayMilliseconds = [0, 0, 200, 5_000, 40_000].randomElement(using: &random) ?? 0
      return "takes \(delayMilliseconds) ms"
    default:
      repeatsFrames.toggle()
      return "repeats: \(repeatsFrames)"
    }
  }

  func calm() { (isUp, delayMilliseconds, repeatsFrames) = (true, 0, false) }

  func turn() throws -> Bool {
    guard isUp, relay.isRunning else {
      disconnect()
      return false
    }
    if connection == nil {
      guard retryAt <= clock.milliseconds else { return false }
      connectionCount += 1
      connection = connectionCount
      client.connected(at: clock.instant)
    }
    do {
      return try exchange()
    } catch let fault as ExchangeFault {
      trace("\(name): the line breaks: \(fault)")
      disconnect()
      return true
    } catch {
      trace("\(name): the line breaks: \(error)")
      guard writeLimit != nil else {
        throw Violation("a role failed by itself", "\(name): \(error)")
      }
      disconnect()
      return true
    }
  }

  private func exchange() throws -> Bool {
    var count = 0
    while count < Self.turnCountMax,
      let step = try WriteLimit.during(
        byteCount: writeLimit,
        { () throws(ExchangeFault) in try client.next(at: clock.instant) })
    {
      let frames = [step.request.encoded()] + (step.chunk.map { [$0] } ?? [])
      upwards.append(Passage(at: clock.milliseconds + delayMilliseconds, frames: frames))
      count += 1
    }
    while let peer, let first = upwards.first, first.at <= clock.milliseconds {
      upwards.removeFirst()
      count += 1
      WriteLimit.during(byteCount: relay.writeLimit) { relay.handle(first.frames, from: peer) }
      if repeatsFrames { relay.handle(first.frames, from: peer) }
    }
    while connection != nil, let first = downwards.first, first.at <= clock.milliseconds {
      downwards.removeFirst()
      count += 1
      try WriteLimit.during(byteCount: writeLimit) { try receive(first.frames) }
    }
    if count > 0 { failureCount = 0 }
    let isSilent = count == 0 && client.overdue.map { $0 <= clock.instant } ?? false
    silentTurnCount = isSilent ? silentTurnCount + 1 : 0
    // At the first, time has passed, and the relay may not have had its turn yet.
    if silentTurnCount > 1 {
      trace("\(name): the relay is silent")
      disconnect()
    }
    return count > 0
  }

  private func receive(_ frames: [[UInt8]]) throws {
    let reply = try CarrierReply(decoding: frames[0])
    let chunk = frames.count > 1 ? frames[1] : nil
    guard let effect = try client.handle(reply, chunk: chunk, at: clock.instant) else { return }
    switch effect {
    case .accept(let messages):
      do {
        try port.accept(messages.map(\.message))
        client.accepted(messages, at: clock.instant)
      } catch {
        trace("\(name): cannot keep what came: \(error)")
        client.postpone(at: clock.instant)
      }
    case .unkept(let what), .full(let what):
      trace("\(name): \(what)")
      client.postpone(at: clock.instant)
    case .stored(let outgoing): try port.delivered([outgoing])
    case .refused(let refusals):
      for refusal in refusals { trace("\(name): the relay refuses: \(refusal.reason.rawValue)") }
    case .tooLarge, .noRoom, .moved, .empty: break
    }
  }
}
