import Threads

/// Decides which clients may connect to the servers of its context: those whose CURVE key is on the
/// allow-list. Everyone else is refused, and so is everyone once it has stopped.
///
/// Answers libzmq on a thread of its own. One for each context. Source: RFC 27 (ZAP).
package final class Authenticator: Sendable {
  /// A client that was refused: `key` is `nil` when what libzmq asked was not understood.
  package struct RefusedClient: Hashable, Sendable {
    package let key: CurvePublicKey?
    package let address: String
  }

  /// Every server socket's; only one, since there is only one list.
  static let domain = "distro"

  let context: Context
  private let list = AllowList()
  private let stopping: WakeUp
  private let thread: LoopThread

  /// Ready when it returns. `allowed`: the user id for each key, 1 to 255 bytes, as `Sender.userID`
  /// shows it. `onRefusal` is called on the authenticator's thread, for its log; it must not wait.
  package init(
    in context: Context, allowing allowed: [CurvePublicKey: String],
    onRefusal: @escaping @Sendable (RefusedClient) -> Void = { _ in }
  ) throws(ZeroMQError) {
    self.context = context
    list.replace(with: allowed)
    do throws(ThreadError) {
      stopping = try WakeUp()
    } catch {
      throw .thread(error)
    }
    let loop = try AuthenticatorLoop(
      in: context, list: list, stopping: stopping, onRefusal: onRefusal)
    do throws(ThreadError) {
      thread = try LoopThread { loop.run() }
    } catch {
      throw .thread(error)
    }
  }

  deinit { stop() }

  /// Holds for connections that are made from now on; what was allowed and is no longer gets
  /// `Received.noLongerAllowed` on its open connections.
  package func replaceAllowList(with allowed: [CurvePublicKey: String]) {
    list.replace(with: allowed)
  }

  /// From now on no client can connect, and connections that are open are as before. Waits for its
  /// thread.
  package func stop() {
    stopping.signal()
    thread.join()
  }

  func allows(userID: String?) -> Bool {
    guard let userID else { return false }
    return list.contains(userID: userID)
  }
}

/// What runs on the authenticator's thread. Does not hold the authenticator, which could never go
/// otherwise.
private final class AuthenticatorLoop {
  private let socket: Socket
  private let list: AllowList
  private let stopping: WakeUp
  private let onRefusal: @Sendable (Authenticator.RefusedClient) -> Void

  /// A request has 9 frames, routing id and delimiter included; anything longer is refused whole.
  private static let frameCountMax = 16

  init(
    in context: Context, list: AllowList, stopping: WakeUp,
    onRefusal: @escaping @Sendable (Authenticator.RefusedClient) -> Void
  ) throws(ZeroMQError) {
    var options = SocketOptions()
    options.frameCountMax = Self.frameCountMax
    socket = try Socket(inProcess: .router, in: context, options: options)
    try socket.bindAuthenticator()
    self.list = list
    self.stopping = stopping
    self.onRefusal = onRefusal
  }

  func run() {
    do throws(ZeroMQError) {
      var poller = Poller()
      let requests = poller.add(socket, for: .reading)
      let stop = poller.add(stopping)
      while true {
        try poller.wait(until: .never)
        if !poller.readiness(of: stop).isEmpty { return try socket.unbindAuthenticator() }
        if !poller.readiness(of: requests).isEmpty { try answerAll() }
      }
    } catch .contextEnded {
      return
    } catch {
      // No client could connect any more, and no log would say why.
      preconditionFailure("authenticator: \(error)")
    }
  }

  private func answerAll() throws(ZeroMQError) {
    while let received = try socket.receive() {
      switch received {
      case .message(let frames, let sender):
        try answer(frames.map(\.bytes), to: sender)
      case .tooManyFrames(_, let sender), .noLongerAllowed(let sender):
        try answer([], to: sender)
      }
    }
  }

  private func answer(_ envelope: [[UInt8]], to sender: Sender) throws(ZeroMQError) {
    let frames = envelope.dropFirst()
    let request = ZAPRequest(frames: Array(frames))
    let reply = request.map(list.reply) ?? .refused
    if reply == .refused {
      onRefusal(Authenticator.RefusedClient(key: request?.key, address: request?.address ?? ""))
    }
    let requestID = Array((frames.dropFirst().first ?? []).prefix(ZAPRequest.textByteCountMax))
    // A connection that has gone meanwhile needs no answer.
    _ = try socket.send([[]] + reply.frames(requestID: requestID), to: sender.routingID)
  }
}
