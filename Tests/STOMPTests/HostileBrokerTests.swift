import Host
import STOMP
import TestSupport
import Testing

/// Bytes that no good broker sends.
@Suite struct HostileBrokerTests {
  private let bell = Bell()

  private func connect(
    to peer: ScriptedPeer, heartBeat: Duration = .seconds(20)
  ) throws -> STOMPConnection {
    let bell = bell
    return try STOMPConnection(
      to: STOMPAddress("stomp://127.0.0.1:\(peer.port)"),
      as: STOMPLogin(user: "a:b", password: "c\\d"), authorities: nil, bodyByteCountMax: 100,
      heartBeat: heartBeat, ring: { bell.ring() })
  }

  private func next(_ line: STOMPConnection) throws -> STOMPFrame {
    let end = ContinuousClock.now + patience
    while true {
      if let frame = try line.next() { return frame }
      try #require(end > .now)
      bell.wait(until: end)
    }
  }

  @Test(arguments: [
    ("HTTP/1.1 400 Bad Request\r\n\r\n", "malformed"), ("\u{15}\u{3}\u{3}\0\n", "malformed"),
    ("CONNECTED\nversion:1.1\n\n\0", "malformed"), ("RECEIPT\nreceipt-id:1\n\n\0", "malformed"),
    ("ERROR\nmessage:no\u{1b}[31m such user\n\n\0", "login"),
  ])
  func `a greeting that is none ends the connection`(words: String, kind: String) throws {
    let peer = try ScriptedPeer(saying: words)
    #expect { try connect(to: peer) } throws: { error in
      switch error as? STOMPError {
      case .malformed: kind == "malformed"
      case .login(let reason): kind == "login" && reason == "no [31m such user"
      default: false
      }
    }
    peer.join()
    #expect(peer.heard.hasPrefix("CONNECT\naccept-version:1.2\nhost:127.0.0.1\n"))
    #expect(peer.heard.contains("\nlogin:a:b\npasscode:c\\d\n"))
  }

  @Test func `a message that breaks the stream is rejected, and what came before it counts`() throws
  {
    let peer = try ScriptedPeer(
      saying: """
        CONNECTED\nversion:1.2\n\n\0MESSAGE\nack:1\n\ngood\0\
        MESSAGE\nack:a\\cb\ncontent-length:1\n\nbad\0MESSAGE\nack:3\n\n\0
        """)
    let line = try connect(to: peer)
    #expect(try next(line)["ack"] == "1")
    #expect(throws: STOMPError.malformed(reason: FrameDecoder.Fault.end.rawValue)) {
      try next(line)
    }
    // What is said of those before it still goes out.
    try line.send([STOMPFrame.reject("1")])
    line.close(inOrder: false)
    peer.join()
    #expect(
      peer.heard.hasSuffix(
        "NACK\nid:a\\cb\nrequeue:false\n\n\0NACK\nid:1\nrequeue:false\n\n\0"))
  }

  @Test func `heart-beats are sent, and a broker that leaves out its own is given up`() throws {
    let peer = try ScriptedPeer(saying: "CONNECTED\nversion:1.2\nheart-beat:50,50\n\n\0")
    let line = try connect(to: peer, heartBeat: .milliseconds(50))
    #expect(throws: STOMPError.line(reason: "the broker is silent")) { try next(line) }
    peer.join()
    #expect(peer.heard.contains("heart-beat:50,50\n"))
    #expect(peer.heard.hasSuffix("\0\n") || peer.heard.hasSuffix("\n\n"))
    line.close(inOrder: true)
  }

  @Test func `an ERROR that is about no frame ends the connection and is one line`() throws {
    let peer = try ScriptedPeer(
      saying: "CONNECTED\nversion:1.2\n\n\0ERROR\nmessage:a b\\nc\n\n\0")
    let line = try connect(to: peer)
    #expect(throws: STOMPError.rejected(reason: "a b c")) { try next(line) }
    line.close(inOrder: false)
    peer.join()
  }

  @Test func `where nothing listens, that is said`() throws {
    let port = try FreePort.take()
    #expect(throws: STOMPError.unreachable(reason: "connection refused")) {
      try STOMPConnection(
        to: STOMPAddress("stomp://127.0.0.1:\(port)"), as: nil, authorities: nil,
        bodyByteCountMax: 1, ring: {})
    }
  }
}
