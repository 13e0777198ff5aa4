import TestSupport
import Testing
import Threads
import ZeroMQ

@Suite struct LifetimeTests {
  @Test func `library is new enough and has curve`() throws {
    try Libzmq.requireVersion()
    try Libzmq.requireCurve()
    #expect(Libzmq.version >= LibraryVersion(major: 4, minor: 3, patch: 2))
  }

  @Test func `too old library is named with what is needed`() {
    let wanted = LibraryVersion(major: 99, minor: 0, patch: 0)
    #expect(
      throws: ZeroMQError.libraryTooOld(version: Libzmq.version, required: wanted)
    ) { try Libzmq.requireVersion(atLeast: wanted) }
  }

  @Test(arguments: [0, 31, 33, 40, 41])
  func `key of the wrong length makes no socket`(byteCount: Int) throws {
    let loopback = try Loopback()
    let (context, keys) = (loopback.context, loopback.clientKeys)
    let secret = [UInt8](repeating: 65, count: byteCount)
    let expected = ZeroMQError.keyByteCountWrong(actual: byteCount)
    #expect(throws: expected) { _ = try CurvePublicKey(secret) }
    #expect(throws: expected) {
      _ = try Socket(server: .router, for: loopback.authenticator, secret: secret.span)
    }
    #expect(throws: expected) {
      _ = try Socket(
        client: .dealer, in: context, serverKey: loopback.serverKeys.publicKey,
        publicKey: keys.publicKey, secret: secret.span)
    }
  }

  @Test func `sockets over the limit are refused`() throws {
    let context = try Context(socketCountMax: 2)
    let first = try Socket(inProcess: .pair, in: context)
    let second = try Socket(inProcess: .pair, in: context)
    #expect(throws: ZeroMQError.tooManySockets(countMax: 2)) {
      _ = try Socket(inProcess: .pair, in: context)
    }
    try first.bind("inproc://first")
    try second.bind("inproc://second")
  }

  @Test func `shutdown ends what waits on another thread`() throws {
    let context = try Context()
    let socket = try Socket(inProcess: .pair, in: context)
    let waiting = WaitingSocket(socket)
    let thread = try LoopThread { waiting.run() }
    context.shutdown()
    thread.join()
    #expect(throws: ZeroMQError.contextEnded) {
      _ = try Socket(inProcess: .pair, in: context)
    }
  }

  @Test func `unreachable peer does not keep the context open`() throws {
    let start = ContinuousClock.now
    do {
      let loopback = try Loopback()
      let client = try loopback.client()
      try client.connect("tcp://127.0.0.1:1")
      #expect(try client.send([[1]]) == .wouldBlock)
    }
    #expect(ContinuousClock.now - start < patience)
  }
}

private final class WaitingSocket {
  private let socket: Socket

  init(_ socket: consuming Socket) { self.socket = socket }

  func run() {
    #expect(throws: ZeroMQError.contextEnded) { try socket.receive(by: .after(patience)) }
  }
}
