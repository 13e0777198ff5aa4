import HummingbirdCore
import Logging
import NIOCore
import NIOSSL
import Synchronization

/// A connection: counted by its address, with TLS by the certificate of the moment, then HTTP/1.1 with deadlines.
struct HookChannel: ServerChildChannel {
  typealias Value = HTTP1Channel.Value

  private let http: HTTP1Channel
  private let certificates: Certificates?

  init(
    certificates: Certificates?, connections: ConnectionCount,
    responder: @escaping HTTPChannelHandler.Responder
  ) {
    self.certificates = certificates
    http = HTTP1Channel(
      responder: responder,
      configuration: HTTP1Channel.Configuration(
        additionalChannelHandlers: [ConnectionGuard(connections)],
        httpDecoderConfiguration: .init(
          maxHeaderFieldSize: HookLimits.headerByteCountMax,
          maxHeaderListSize: HookLimits.headerByteCountMax,
          maxHeaderFieldCount: HookLimits.headerCountMax)))
  }

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
    if let certificates {
      do {
        try channel.pipeline.syncOperations.addHandler(
          NIOSSLServerHandler(context: certificates.context))
      } catch {
        // Before it is read: a set-up that fails would end the server.
        channel.eventLoop.execute { channel.close(promise: nil) }
      }
    }
    return http.setup(channel: channel, logger: logger)
  }

  func handle(value: Value, logger: Logger) async {
    await http.handle(value: value, logger: logger)
  }
}

/// How many connections each address has. Trusted proxies may have all, and programs of this machine.
final class ConnectionCount: Sendable {
  private let proxies: Mutex<[Network]>
  private let counts = Mutex<[String: Int]>([:])

  init(trusting proxies: [Network]) { self.proxies = Mutex(proxies) }

  func trust(_ networks: [Network]) { proxies.withLock { $0 = networks } }

  /// `nil`: a socket in the file system.
  func enter(_ address: String?) -> Bool {
    guard let address else { return true }
    let isFree = IPAddress(address).map { ip in
      proxies.withLock { $0.contains { $0.contains(ip) } }
    }
    return counts.withLock { counts in
      let count = counts[address, default: 0]
      guard isFree == true || count < HookLimits.connectionCountMaxOfAddress else { return false }
      counts[address] = count + 1
      return true
    }
  }

  func leave(_ address: String?) {
    guard let address else { return }
    counts.withLock { counts in
      let count = counts[address, default: 1] - 1
      counts[address] = count > 0 ? count : nil
    }
  }
}
