import NIOCore
import NIOPosix
import NIOSSL

/// A connection to a broker that speaks STOMP 1.2, for a thread that may block. After an error it can only be closed.
package final class STOMPConnection: Sendable {
  /// Of CONNECT; and of DISCONNECT, which may wait for the broker's disk.
  private static let connectMax: TimeAmount = .seconds(10)
  private static let farewellMax: TimeAmount = .seconds(10)
  /// TCP_USER_TIMEOUT of tcp(7): what a peer does not confirm for so long is lost.
  private static let userTimeout = (option: NIOBSDSocket.Option(rawValue: 18), milliseconds: 30_000)
  private static let farewell = "disconnect"
  /// Headers that a client needs. Others, which a stranger's message may have, are passed over.
  private static let headers: Set<String> = [
    "ack", "browser", "content-length", "heart-beat", "message", "receipt-id", "server",
    "subscription", "version",
  ]

  /// As the broker calls itself: `ActiveMQ/5.17.2`.
  package let server: String
  private let channel: any Channel
  private let handler: NIOLoopBound<LineHandler>
  private let queue: FrameQueue

  /// Connects and logs in. `authorities`: a file in PEM form; `nil`: the system's. `bodyByteCountMax`: of a frame; what is
  /// longer has no body. `heartBeat`: how often each side says something. `ring` is called from another thread when `next`
  /// has something new.
  package init(
    to address: STOMPAddress, as login: STOMPLogin?, authorities: String?, bodyByteCountMax: Int,
    heartBeat: Duration = .seconds(20), ring: @escaping @Sendable () -> Void
  ) throws(STOMPError) {
    let tls = address.isSecured ? try Self.tls(authorities) : nil
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let queue = FrameQueue(ring)
    let greeting = loop.makePromise(of: STOMPFrame.self)
    let milliseconds = Int64(heartBeat / .milliseconds(1))
    let limits = FrameDecoder.Limits(headers: Self.headers, bodyByteCountMax: bodyByteCountMax)
    do {
      let (channel, handler) = try Self.connect(to: address, tls, on: loop) {
        LineHandler(queue, limits, heartBeatMilliseconds: milliseconds, greeting: greeting)
      }
      (self.channel, self.handler, self.queue) = (channel, handler, queue)
    } catch {
      greeting.fail(error)
      throw STOMPError(error)
    }
    do {
      var headers: [STOMPFrame.Header] = [
        ("accept-version", "1.2"), ("host", address.virtualHost),
        ("heart-beat", "\(milliseconds),\(milliseconds)"),
      ]
      if let login { headers += [("login", login.user), ("passcode", login.password)] }
      let hello = STOMPFrame("CONNECT", headers)
      server = try Self.greet(channel, handler, queue, greeting, hello)
    } catch {
      channel.close(promise: nil)
      throw STOMPError(error)
    }
  }

  private static func tls(_ authorities: String?) throws(STOMPError) -> NIOSSLContext {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.minimumTLSVersion = .tlsv12
    do {
      if let authorities {
        let certificates = try NIOSSLCertificate.fromPEMFile(authorities)
        guard !certificates.isEmpty else { throw STOMPError.authorities(path: authorities) }
        configuration.trustRoots = .certificates(certificates)
      }
      return try NIOSSLContext(configuration: configuration)
    } catch {
      throw .authorities(path: authorities ?? "the system's certificates")
    }
  }

  private static func connect(
    to address: STOMPAddress, _ tls: NIOSSLContext?, on loop: any EventLoop,
    _ makeHandler: @escaping @Sendable () -> LineHandler
  ) throws -> (any Channel, NIOLoopBound<LineHandler>) {
    let isName =
      !address.host.contains(":") && address.host.contains { !"0123456789.".contains($0) }
    let bootstrap = ClientBootstrap(group: loop).connectTimeout(connectMax)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .channelOption(.socketOption(.so_keepalive), value: 1)
      .channelOption(
        .tcpOption(userTimeout.option), value: SocketOptionValue(userTimeout.milliseconds)
      )
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          if let tls {
            // An address is compared with those in the certificate.
            try channel.pipeline.syncOperations.addHandler(
              NIOSSLClientHandler(context: tls, serverHostname: isName ? address.host : nil))
          }
          try channel.pipeline.syncOperations.addHandler(makeHandler())
        }
      }
    let channel = try bootstrap.connect(host: address.host, port: Int(address.port)).wait()
    let handler = try channel.eventLoop.submit {
      NIOLoopBound(
        try channel.pipeline.syncOperations.handler(type: LineHandler.self),
        eventLoop: channel.eventLoop)
    }.wait()
    return (channel, handler)
  }

  /// Returns the broker's name.
  private static func greet(
    _ channel: any Channel, _ handler: NIOLoopBound<LineHandler>, _ queue: FrameQueue,
    _ greeting: EventLoopPromise<STOMPFrame>, _ hello: STOMPFrame
  ) throws -> String {
    let late = channel.eventLoop.scheduleTask(in: connectMax) {
      greeting.fail(STOMPError.unreachable(reason: "no answer to CONNECT within 10 s"))
    }
    defer { late.cancel() }
    try send([hello.encoded()], to: channel, handler, queue)
    let frame = try greeting.futureResult.wait()
    guard frame.command == "CONNECTED" else {
      throw frame.command == "ERROR"
        ? STOMPError.login(reason: frame.complaint)
        : .malformed(reason: "\(frame.command) in answer to CONNECT")
    }
    guard frame["version"] == "1.2" else { throw STOMPError.malformed(reason: "an older version") }
    return frame["server"] ?? ""
  }

  // MARK: - Frames

  /// Returns before they are on the line; the order is kept.
  package func send(_ frames: [STOMPFrame]) throws(STOMPError) {
    try Self.send(frames.map { $0.encoded() }, to: channel, handler, queue)
  }

  private static func send(
    _ bytes: [[UInt8]], to channel: any Channel, _ handler: NIOLoopBound<LineHandler>,
    _ queue: FrameQueue
  ) throws(STOMPError) {
    guard try queue.send(bytes) else { return }
    channel.eventLoop.execute {
      do {
        handler.value.flush(
          try channel.pipeline.syncOperations.context(handler: handler.value))
      } catch {
        // The line has ended: `next` says why.
        queue.end(.line(reason: "the broker has closed it"))
      }
    }
  }

  /// `nil`: nothing has come. Throws how the line has ended once all that came before is taken, and what an ERROR says that
  /// is about no frame of ours.
  package func next() throws(STOMPError) -> STOMPFrame? {
    let (frame, mayResume) = try queue.take()
    if mayResume {
      channel.setOption(.autoRead, value: true).whenFailure { [queue] in queue.end(STOMPError($0)) }
    }
    guard let frame, frame.command == "ERROR", frame["receipt-id"] == nil else { return frame }
    throw .rejected(reason: frame.complaint)
  }

  /// `inOrder`: waits for the broker's word that it has handled all that was sent, ten seconds at most.
  package func close(inOrder: Bool) {
    queue.beginClosing()
    if inOrder { disconnect() }
    channel.close(promise: nil)
  }

  private func disconnect() {
    let promise = channel.eventLoop.makePromise(of: Void.self)
    let late = channel.eventLoop.scheduleTask(in: Self.farewellMax) {
      promise.fail(STOMPError.line(reason: "no answer to DISCONNECT"))
    }
    channel.eventLoop.execute { [handler] in handler.value.sayFarewell(Self.farewell, promise) }
    do {
      try channel.setOption(.autoRead, value: true).wait()
      try send([STOMPFrame("DISCONNECT", [("receipt", Self.farewell)])])
      try promise.futureResult.wait()
    } catch {
      // It has ended in another way: nothing more is asked of it.
      promise.fail(error)
    }
    late.cancel()
  }
}

/// A user, and what was read out of the file of the password.
package struct STOMPLogin: Sendable {
  let user: String
  let password: String

  package init(user: String, password: String) {
    (self.user, self.password) = (user, password)
  }
}

extension STOMPFrame {
  /// What an ERROR says, on one line of characters that can be printed.
  package var complaint: String {
    let message = self["message"] ?? ""
    // RabbitMQ says the rest in the body.
    let isShort = message.isEmpty || !message.contains(" ") || message == "Bad CONNECT"
    let text = isShort ? "\(message) \(String(decoding: body ?? [], as: UTF8.self))" : message
    return String(
      text.unicodeScalars.prefix(300).map {
        $0.value < 0x20 || 0x7f..<0xa0 ~= $0.value ? " " : Character($0)
      }
    ).trimmed
  }
}

extension String {
  fileprivate var trimmed: String {
    String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
  }
}
