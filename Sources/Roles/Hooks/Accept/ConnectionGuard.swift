import HummingbirdCore
import NIOCore
import NIOHTTPTypes

/// Ends a connection that is too slow: each request has a deadline for its headers, one for its body, whatever trickles in
/// meanwhile, and one for its answer. Closes after an answer that says so.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPRequestPart
  typealias InboundOut = HTTPRequestPart
  typealias OutboundIn = HTTPResponsePart
  typealias OutboundOut = HTTPResponsePart

  private let connections: ConnectionCount
  /// Counted under this address; `nil` inside: a socket in the file system.
  private var entered: String??
  private var timer: Scheduled<Void>?
  private var hasRead = false
  /// Between a request's headers and its end.
  private var isReading = false
  /// Requests that have begun and are not answered.
  private var openCount = 0
  /// An answer's headers are out, and its end is not.
  private var isAnswering = false
  private var closesAfterAnswer = false
  /// The last answer is out: what still comes is not read, what is still written goes nowhere.
  private var isClosing = false

  init(_ connections: ConnectionCount) { self.connections = connections }

  func handlerAdded(context: ChannelHandlerContext) { start(HookLimits.headSeconds, context) }

  func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

  /// Only now the peer's address is known.
  func channelActive(context: ChannelHandlerContext) {
    let address = context.channel.remoteAddress?.ipAddress
    guard connections.enter(address) else { return context.close(promise: nil) }
    entered = .some(address)
    context.fireChannelActive()
  }

  func channelInactive(context: ChannelHandlerContext) {
    timer?.cancel()
    if let entered { connections.leave(entered) }
    context.fireChannelInactive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !isClosing else { return }
    switch unwrapInboundIn(data) {
    case .head(let request):
      (hasRead, isReading) = (true, true)
      openCount += 1
      start(HookLimits.bodySeconds, context)
      if request.headerFields[.expect]?.lowercased() == "100-continue", openCount == 1 {
        context.writeAndFlush(wrapOutboundOut(.head(.init(status: .continue))), promise: nil)
      }
    case .body: break
    case .end:
      isReading = false
      start(HookLimits.answerSeconds, context)
    }
    context.fireChannelRead(data)
  }

  func write(
    context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?
  ) {
    guard !isClosing else {
      promise?.fail(ChannelError.ioOnClosedChannel)
      return
    }
    switch unwrapOutboundIn(data) {
    case .head(let response):
      isAnswering = true
      closesAfterAnswer = response.headerFields[.connection] == "close"
      context.write(data, promise: promise)
    case .body: context.write(data, promise: promise)
    case .end:
      isAnswering = false
      openCount -= 1
      guard closesAfterAnswer else {
        if !isReading {
          start(openCount > 0 ? HookLimits.answerSeconds : HookLimits.headSeconds, context)
        }
        context.write(data, promise: promise)
        return
      }
      context.writeAndFlush(data, promise: promise)
      close(context)
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    // The server stops: a body that is on its way has as long as the rest of the process.
    if event is ChannelShouldQuiesceEvent, isReading {
      start(HookLimits.lingerSeconds, context)
    }
    context.fireUserInboundEventTriggered(event)
  }

  private func start(_ seconds: Int64, _ context: ChannelHandlerContext) {
    timer?.cancel()
    timer = context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(seconds)) {
      self.expire(context)
    }
  }

  private func expire(_ context: ChannelHandlerContext) {
    // A connection that waits between two requests, or for what we have to say, is just closed.
    let isSlowRequest = isReading ? openCount == 1 : !hasRead
    guard isSlowRequest, !isAnswering, !isClosing else { return context.close(promise: nil) }
    let head = HTTPResponsePart.head(
      .init(
        status: .requestTimeout, headerFields: [.connection: "close", .contentLength: "0"]))
    context.write(wrapOutboundOut(head), promise: nil)
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    close(context)
  }

  /// At once where nothing more comes; otherwise the peer reads the answer first, which a reset would take from it.
  private func close(_ context: ChannelHandlerContext) {
    isClosing = true
    guard isReading || !hasRead || openCount > 0 else { return context.close(promise: nil) }
    start(HookLimits.lingerSeconds, context)
  }
}
