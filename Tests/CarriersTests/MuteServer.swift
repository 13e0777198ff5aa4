import Glibc
import TestSupport
import ZeroMQ

/// Has the server's key and port, lets alice in, and never says a word.
final class MuteServer {
  private var socket: Socket?
  private var authenticator: Authenticator?

  init(_ server: Server) throws {
    let authenticator = try Authenticator(
      in: Context(), allowing: [server.alice.key: server.alice.mailbox.hex])
    self.authenticator = authenticator
    try server.machine.identity.withTransportSecret { secret in
      socket = try Socket(server: .router, for: authenticator, secret: secret)
    }
    let deadline = Deadline.after(patience)
    while true {
      do throws(ZeroMQError) {
        try socket?.bind(server.endpoint)
        return
      } catch {
        guard case .addressInUse = error, !deadline.isPast else { throw error }
        sched_yield()
      }
    }
  }

  deinit { stop() }

  /// When it returns, the port is free: the end of the context waits for that, as in CarrierListener.stop().
  func stop() {
    socket = nil
    authenticator?.stop()
    authenticator = nil
  }
}
