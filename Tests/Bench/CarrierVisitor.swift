import CarrierProtocol
import MessageFormat
import Sealing
import Sodium
import TestSupport
import ZeroMQ
import ZeroMQCarrier

/// An identity's connection to a carrier, as plain as the protocol allows. Belongs to one thread at a time.
final class CarrierVisitor: @unchecked Sendable {
  static let patience: Duration = .seconds(60)

  let mailbox: Mailbox
  let socket: Socket
  private let monitor: Monitor
  // Of the message that is being received.
  private(set) var receivedCount: UInt32 = 0
  private(set) var receivedByteCount: UInt64 = 0
  private var chunkCount: UInt32 = 0
  private var requestedCount: UInt32 = 0

  init(_ name: String, to endpoint: String, of server: CurvePublicKey, in context: Context) throws {
    let identity = try TestIdentity.make(name)
    mailbox = identity.public.mailbox
    var options = SocketOptions()
    options.linger = .zero
    let socket = try TransportIdentity(identity).client(of: server, in: context, options: options)
    let monitor = try Monitor(socket)
    try socket.connect(endpoint)
    self.socket = socket
    self.monitor = monitor
  }

  func awaitHandshakes(_ count: Int) throws {
    var left = count
    while left > 0 {
      guard let event = try monitor.next(by: .after(Self.patience)) else {
        throw ProgramFailure(description: "\(left) of \(count) connections do not come about")
      }
      if event.kind == .handshakeSucceeded { left -= 1 }
    }
  }

  func send(_ request: CarrierRequest, chunk: [UInt8]? = nil) throws {
    let frames = [request.encoded()] + (chunk.map { [$0] } ?? [])
    guard try socket.send(frames, by: .after(Self.patience)) == .sent else {
      throw ProgramFailure(description: "the relay takes nothing")
    }
  }

  func reply(by deadline: Deadline = .after(patience)) throws -> CarrierReply? {
    guard case .message(let frames, _) = try socket.receive(by: deadline) else { return nil }
    receivedByteCount += frames.dropFirst().reduce(0) { $0 + UInt64($1.byteCount) }
    let reply = try CarrierReply(decoding: frames[0].bytes)
    if case .refused(_, let reason, _, let detail) = reply {
      throw ProgramFailure(description: "refused: \(reason.rawValue): \(detail)")
    }
    return reply
  }

  /// One message after the other, `underWayMax` on their way at a time; each is stored when it returns.
  func deposit(_ letters: [Letter], for mailboxes: [Mailbox], underWayMax: Int) throws {
    var next = 0
    var underWay: Set<MessageID> = []
    while next < letters.count || !underWay.isEmpty {
      while next < letters.count, underWay.count < underWayMax {
        underWay.insert(letters[next].id)
        try send(.deposit(letters[next].offer(for: mailboxes)))
        for (index, chunk) in letters[next].chunks.enumerated() {
          try send(.chunk(ChunkName(id: letters[next].id, index: UInt32(index))), chunk: chunk)
        }
        next += 1
      }
      guard let reply = try reply() else { throw ProgramFailure(description: "no answer") }
      if case .stored(let id) = reply, underWay.remove(id) == nil {
        throw ProgramFailure(description: "stored is what was not sent")
      }
    }
  }

  /// A large one, as fast as the relay gives credit.
  func deposit(_ letter: Letter, for mailboxes: [Mailbox]) throws {
    try send(.deposit(letter.offer(for: mailboxes)))
    let count = UInt32(letter.chunks.count)
    var (next, end) = (UInt32(0), min(count, Limits.creditMax))
    while true {
      while next < end {
        try send(.chunk(ChunkName(id: letter.id, index: next)), chunk: letter.chunks[Int(next)])
        next += 1
        while let reply = try reply(by: .now) {
          if case .stored = reply { return }
          if case .proceed(let name, let credit) = reply { end = min(count, name.index + credit) }
        }
      }
      guard let reply = try reply() else { throw ProgramFailure(description: "no answer") }
      if case .stored = reply { return }
      if case .proceed(let name, let credit) = reply {
        end = min(count, max(end, name.index + credit))
      }
    }
  }

  func askForMail() throws {
    (receivedCount, chunkCount, requestedCount) = (0, 0, Limits.creditMax)
    receivedByteCount = 0
    try send(.collect(after: 0, credit: Limits.creditMax, waitMilliseconds: 60_000))
  }

  func hasReceived(_ letter: Letter) -> Bool {
    receivedCount == letter.size.chunkCount && receivedByteCount == letter.size.byteCount
  }

  /// Takes in what has come; `true`: the message is whole.
  func receiveMail() throws -> Bool {
    while let reply = try reply(by: .now) {
      switch reply {
      case .delivery(_, let size, _): chunkCount = size.chunkCount
      case .chunk(let name):
        precondition(name.index == receivedCount, "chunks come in order")
        receivedCount += 1
        if receivedCount == chunkCount { return true }
        if requestedCount < chunkCount, receivedCount + Limits.creditMax / 2 >= requestedCount {
          let half = Limits.creditMax / 2
          try send(.fetch(ChunkName(id: name.id, index: requestedCount), credit: half))
          requestedCount += half
        }
      default: continue
      }
    }
    return false
  }
}

/// Waits for several visitors' mail on this thread.
func receiveAll(_ visitors: [CarrierVisitor]) throws {
  var poller = Poller()
  for visitor in visitors { _ = poller.add(visitor.socket, for: .reading) }
  var isWhole = visitors.map { _ in false }
  while isWhole.contains(false) {
    guard try poller.wait(until: .after(CarrierVisitor.patience)) else {
      throw ProgramFailure(description: "mail that does not come")
    }
    for (index, visitor) in visitors.enumerated() where !isWhole[index] {
      isWhole[index] = try visitor.receiveMail()
    }
  }
}
