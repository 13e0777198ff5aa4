import Foundation
import MessageFormat
import Sealing
import Sodium
import Synchronization
import ZeroMQ

/// What CurveZMQ carries on this machine when nothing else happens: chunks from one thread to another over loopback.
struct BareCurve {
  let byteCount: Int

  func bytesPerSecond() throws -> Double {
    let server = Identity(generating: try IdentityName("server"))
    let client = Identity(generating: try IdentityName("client"))
    let clientKey = try CurvePublicKey(client.public.transportKey.bytes)
    let authenticator = try Authenticator(in: Context(), allowing: [clientKey: "client"])
    defer { authenticator.stop() }
    let receiver = try server.withTransportSecret { secret in
      Keep(try Socket(server: .router, for: authenticator, secret: secret, options: options))
    }
    let endpoint = try receiver.socket.bind("tcp://127.0.0.1:*")
    let serverKey = try CurvePublicKey(server.public.transportKey.bytes)
    let sender = try client.withTransportSecret { secret in
      Keep(
        try Socket(
          client: .dealer, in: Context(), serverKey: serverKey, publicKey: clientKey,
          secret: secret, options: options))
    }
    let chunkCount = byteCount / Limits.chunkByteCountMax
    let failure = Mutex<String?>(nil)
    nonisolated(unsafe) let lent = sender
    let thread = try SocketThread {
      do {
        try lent.send(chunkCount, to: endpoint)
      } catch {
        failure.withLock { $0 = "\(error)" }
      }
    }
    defer { thread.join() }
    _ = try receiver.socket.receive(by: .after(.seconds(10)))
    let start = ContinuousClock.now
    for _ in 0..<chunkCount {
      guard case .message = try receiver.socket.receive(by: .after(.seconds(10))) else {
        throw ProgramFailure(description: "CurveZMQ: \(failure.withLock { $0 } ?? "no chunk")")
      }
    }
    return Double(chunkCount * Limits.chunkByteCountMax) / seconds(ContinuousClock.now - start)
  }

  private var options: SocketOptions {
    var options = SocketOptions()
    options.linger = .seconds(10)
    return options
  }
}

/// A socket in a place from which it is handed to the one thread that uses it.
private final class Keep {
  let socket: Socket

  init(_ socket: consuming Socket) { self.socket = socket }

  func send(_ chunkCount: Int, to endpoint: String) throws {
    let chunk = [UInt8](repeating: 7, count: Limits.chunkByteCountMax)
    let header = [UInt8](repeating: 1, count: 40)
    try socket.connect(endpoint)
    for number in 0...chunkCount {
      let frames = number == 0 ? [header] : [header, chunk]
      guard try socket.send(frames, by: .after(.seconds(10))) == .sent else {
        throw ProgramFailure(description: "CurveZMQ: nobody takes what is sent")
      }
    }
  }
}
