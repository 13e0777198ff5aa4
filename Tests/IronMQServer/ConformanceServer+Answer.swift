import HummingbirdCore
import NIOCore
import NIOHTTPTypes
import Synchronization

/// What goes wrong on the way.
package struct LineFaults: Sendable {
  /// So many requests of a kind are done, and their answers never come.
  package var lostAnswers: [Kind: Int] = [:]
  /// So many connections are cut before anything is done.
  package var cuts: [Kind: Int] = [:]
  /// So many are refused with this status, and perhaps `Retry-After`.
  package var refusals: [Kind: (count: Int, status: Int, retryAfter: String?)] = [:]
  /// Answers of a kind are late by so much.
  package var delays: [Kind: Duration] = [:]

  package enum Kind: Hashable, Sendable, CaseIterable {
    case post, reserve, delete, touch, release, queue

    package init(_ request: ServerRequest) {
      let last = request.path.split(separator: "/").last ?? ""
      switch (request.method, last) {
      case ("POST", "messages"): self = .post
      case ("POST", "reservations"): self = .reserve
      case (_, "touch"): self = .touch
      case (_, "release"): self = .release
      case ("DELETE", _): self = .delete
      default: self = .queue
      }
    }
  }
}

struct ConnectionCut: Error {}

extension ConformanceServer {
  func respond(
    _ request: Request, _ writer: consuming ResponseWriter, _ channel: any Channel
  ) async throws {
    var body: [UInt8] = []
    for try await part in request.body { body += part.readableBytesView }
    var headers: [String: String] = [:]
    for field in request.headers { headers[field.name.canonicalName] = field.value }
    let read = ServerRequest(
      request.method.rawValue, request.head.path ?? "", headers: headers, body: body)
    guard let reply = try await reply(to: read, on: ObjectIdentifier(channel)) else {
      try? await channel.close()
      throw ConnectionCut()
    }
    var response = Response(
      status: .init(code: reply.status), headers: [.contentType: "application/json"],
      body: ResponseBody(byteBuffer: ByteBuffer(string: reply.body)))
    if let value = reply.headers["Retry-After"] { response.headers[.retryAfter] = value }
    try await writer.write(response: response.head, body: response.body)
  }

  /// `nil`: the connection is cut instead.
  private func reply(
    to request: ServerRequest, on connection: ObjectIdentifier
  ) async throws -> ServerReply? {
    let kind = LineFaults.Kind(request)
    let (isCut, refusal, isLost, delay) = state.withLock {
      state -> (Bool, ServerReply?, Bool, Duration?) in
      let isCut = state.faults.cuts.take(kind)
      let refusal = isCut ? nil : state.faults.takeRefusal(kind)
      let isLost = isCut || refusal != nil ? false : state.faults.lostAnswers.take(kind)
      return (isCut, refusal, isLost, state.faults.delays[kind])
    }
    if let delay { try await Task.sleep(for: delay) }
    if isCut { return nil }
    var reply = refusal
    if reply == nil { reply = try await answer(request, on: connection) }
    changed()
    guard let reply, !isLost else { return nil }
    let entry = Entry(request: request, status: reply.status, time: now)
    state.withLock { $0.entries.append(entry) }
    return reply
  }

  /// `nil`: the client has hung up, and gets no messages.
  private func answer(
    _ request: ServerRequest, on connection: ObjectIdentifier
  ) async throws -> ServerReply? {
    var end: Duration?
    let isPoll = LineFaults.Kind(request) == .reserve
    let (number, changes) = isPoll ? wait() : (0, AsyncStream { $0.finish() })
    defer { state.withLock { _ = $0.waiters.removeValue(forKey: number) } }
    var iterator = changes.makeAsyncIterator()
    while true {
      let now = now
      let (isGone, outcome) = state.withLock { state in
        state.gone.contains(connection)
          ? (true, nil) : (false, state.store.answer(request, at: now))
      }
      guard !isGone, let outcome else { return nil }
      guard case .wait(let queue, let seconds) = outcome else {
        if case .reply(let reply) = outcome { return reply }
        return nil
      }
      end = end ?? now + .seconds(seconds)
      guard let end, now < end else { return ServerReply(200, #"{"messages":[]}"#) }
      let next = state.withLock { $0.store.nextChange(of: queue, after: now) }
      // Something changes by itself then; a clock that is moved rings.
      let timer = Task(executorPreference: executor) { [weak self] in
        try await Task.sleep(for: min(end, next ?? end) - now)
        self?.changed()
      }
      defer { timer.cancel() }
      guard await iterator.next() != nil else { return nil }
    }
  }

  private func wait() -> (Int, AsyncStream<Void>) {
    let (stream, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    let number = state.withLock { state in
      state.lastWaiter += 1
      state.waiters[state.lastWaiter] = continuation
      return state.lastWaiter
    }
    return (number, stream)
  }
}

extension [LineFaults.Kind: Int] {
  fileprivate mutating func take(_ kind: LineFaults.Kind) -> Bool {
    guard let count = self[kind], count > 0 else { return false }
    self[kind] = count - 1
    return true
  }
}

extension LineFaults {
  fileprivate mutating func takeRefusal(_ kind: Kind) -> ServerReply? {
    guard let refusal = refusals[kind], refusal.count > 0 else { return nil }
    refusals[kind]?.count -= 1
    var reply = ServerReply.said(refusal.status, "not now")
    if let value = refusal.retryAfter { reply.headers["Retry-After"] = value }
    return reply
  }
}

/// Tells when a client has hung up, also while it waits for an answer.
final class HangUpHandler: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPRequestPart
  typealias InboundOut = HTTPRequestPart

  private let tell: (ObjectIdentifier, Bool) -> Void

  init(_ tell: @escaping (ObjectIdentifier, Bool) -> Void) { self.tell = tell }

  /// What an earlier connection had as its identity may be this one's.
  func handlerAdded(context: ChannelHandlerContext) {
    tell(ObjectIdentifier(context.channel), false)
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case ChannelEvent.inputClosed = event { tell(ObjectIdentifier(context.channel), true) }
    context.fireUserInboundEventTriggered(event)
  }

  func channelInactive(context: ChannelHandlerContext) {
    tell(ObjectIdentifier(context.channel), true)
    context.fireChannelInactive()
  }
}
