import NIOCore
import NIOPosix
import NIOSSL

/// Bytes of a connection to frames, and back; heart-beats both ways. On the event loop alone.
final class LineHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// What was written and does not leave for so long is lost.
  private static let stallMax: TimeAmount = .seconds(60)

  private let queue: FrameQueue
  /// How often we say something, and want to hear something.
  private let heartBeatMilliseconds: Int64
  private var decoder: FrameDecoder
  /// Of the first frame.
  private var greeting: EventLoopPromise<STOMPFrame>?
  private var farewell: (receipt: String, promise: EventLoopPromise<Void>)?
  private var fault: STOMPError?
  private var heartBeats: RepeatedTask?
  private var readSilenceMax: TimeAmount?
  private var lastRead = NIODeadline.now()
  private var lastProgress = NIODeadline.now()
  private var unwrittenCount = 0

  init(
    _ queue: FrameQueue, _ limits: FrameDecoder.Limits, heartBeatMilliseconds: Int64,
    greeting: EventLoopPromise<STOMPFrame>
  ) {
    (self.queue, self.greeting) = (queue, greeting)
    self.heartBeatMilliseconds = heartBeatMilliseconds
    decoder = FrameDecoder(limits)
  }

  // MARK: - In

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var buffer = unwrapInboundIn(data)
    lastRead = .now()
    guard fault == nil, let bytes = buffer.readBytes(length: buffer.readableBytes) else { return }
    var frames: [STOMPFrame] = []
    do throws(FrameDecoder.Fault) {
      try decoder.decode(bytes) { frames.append($0) }
    } catch {
      deliver(frames, context)
      giveUp(error, context)
      return
    }
    deliver(frames, context)
  }

  private func deliver(_ frames: [STOMPFrame], _ context: ChannelHandlerContext) {
    var frames = frames[...]
    if let greeting, let first = frames.popFirst() {
      self.greeting = nil
      if first.command == "CONNECTED" { startHeartBeats(first["heart-beat"], context) }
      greeting.succeed(first)
    }
    if let farewell, frames.contains(where: { $0["receipt-id"] == farewell.receipt }) {
      self.farewell = nil
      farewell.promise.succeed()
    }
    guard !queue.put(Array(frames)) else { return }
    do {
      try context.channel.syncOptions?.setOption(.autoRead, value: false)
    } catch {
      end(STOMPError(error), context)
    }
  }

  /// A message that nothing can be read behind must not come again: it goes where the broker puts rejected ones. The line
  /// stays open for what is said of those before it.
  private func giveUp(_ fault: FrameDecoder.Fault, _ context: ChannelHandlerContext) {
    if let frame = decoder.unfinished, frame.command == "MESSAGE", let id = frame["ack"] {
      write(STOMPFrame.reject(id).encoded(), context)
      context.flush()
    }
    note(.malformed(reason: fault.rawValue), isEnded: false)
  }

  func channelInactive(context: ChannelHandlerContext) {
    let fault = STOMPError.line(reason: "the broker has closed it")
    if self.fault == nil { note(fault, isEnded: true) } else { queue.end(fault) }
    heartBeats?.cancel()
    heartBeats = nil
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    end(STOMPError(error), context)
  }

  private func end(_ fault: STOMPError, _ context: ChannelHandlerContext) {
    guard self.fault == nil else { return }
    note(fault, isEnded: true)
    context.close(promise: nil)
  }

  private func note(_ fault: STOMPError, isEnded: Bool) {
    self.fault = fault
    queue.end(fault, isEnded: isEnded)
    greeting?.fail(fault)
    farewell?.promise.fail(fault)
    (greeting, farewell) = (nil, nil)
  }

  // MARK: - Out

  /// What the thread has sent since the last time.
  func flush(_ context: ChannelHandlerContext) {
    for bytes in queue.takeUnwritten() { write(bytes, context) }
    context.flush()
  }

  private func write(_ bytes: [UInt8], _ context: ChannelHandlerContext) {
    if unwrittenCount == 0 { lastProgress = .now() }
    unwrittenCount += 1
    let count = bytes.count
    let written = context.write(wrapOutboundOut(ByteBuffer(bytes: bytes)))
    written.assumeIsolated().whenComplete { [self] _ in
      unwrittenCount -= 1
      lastProgress = .now()
      queue.wrote(count)
    }
  }

  /// Ends the connection once the broker has handled all that was sent.
  func sayFarewell(_ receipt: String, _ promise: EventLoopPromise<Void>) {
    if let fault { return promise.fail(fault) }
    farewell = (receipt, promise)
  }

  // MARK: - Heart-beats

  private func startHeartBeats(_ offer: String?, _ context: ChannelHandlerContext) {
    let times = (offer ?? "0,0").split(separator: ",").map { Int64($0) ?? 0 }
    let (peerSends, peerWants) = times.count == 2 ? (times[0], times[1]) : (0, 0)
    let ours = heartBeatMilliseconds
    // ActiveMQ's first one comes when the second is due.
    if peerSends > 0 { readSilenceMax = .milliseconds(3 * max(ours, min(peerSends, 3_600_000))) }
    // Twice as often as was agreed: an event loop that is late is none too late.
    let pause = peerWants > 0 ? max(ours, min(peerWants, 3_600_000)) / 2 : ours
    let loop = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    heartBeats = context.eventLoop.scheduleRepeatedTask(
      initialDelay: .milliseconds(pause), delay: .milliseconds(pause)
    ) { _ in
      let (handler, context) = loop.value
      handler.beat(context)
    }
  }

  private func beat(_ context: ChannelHandlerContext) {
    guard fault == nil else { return }
    let now = NIODeadline.now()
    // What we do not read, as our disk is slow, is no silence of the broker's.
    if queue.isPaused { lastRead = now }
    if let readSilenceMax, now - lastRead > readSilenceMax {
      return end(.line(reason: "the broker is silent"), context)
    }
    if unwrittenCount > 0, now - lastProgress > Self.stallMax {
      return end(.line(reason: "the broker reads nothing"), context)
    }
    write([Octet.lineFeed], context)
    context.flush()
  }
}

extension STOMPFrame {
  /// Never delivered again. RabbitMQ would do that, unless it is told not to.
  package static func reject(_ id: String) -> STOMPFrame {
    STOMPFrame("NACK", [("id", id), ("requeue", "false")])
  }
}

extension STOMPError {
  /// What the library says, in our words.
  init(_ error: any Error) {
    let text = "\(error)"
    switch error {
    case let error as STOMPError: self = error
    case is NIOSSLExtraError: self = .certificate(reason: "it is for another name")
    case is NIOSSLError where text.contains("CERTIFICATE_VERIFY_FAILED"):
      self = .certificate(reason: "the certificate is not from one of our authorities")
    case is NIOSSLError, is BoringSSLError: self = .certificate(reason: "no TLS connection")
    case is NIOConnectionError, is ChannelError:
      self = .unreachable(reason: Self.reason(of: text))
    default: self = .line(reason: Self.reason(of: text))
    }
  }

  private static func reason(of text: String) -> String {
    for (part, reason) in [
      ("ECONNREFUSED", "connection refused"), ("errno: 111", "connection refused"),
      ("errno: 113", "no route to host"), ("errno: 101", "network is unreachable"),
      ("dnsAError", "unknown host name"), ("connectTimeout", "no answer within 10 s"),
      ("errno: 104", "reset by the broker"), ("errno: 110", "no answer from the broker's machine"),
    ] where text.contains(part) {
      return reason
    }
    return String(text.prefix(200))
  }
}
