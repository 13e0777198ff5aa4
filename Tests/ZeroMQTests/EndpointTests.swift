import Testing
import ZeroMQ

@Suite struct EndpointTests {
  @Test func `bound endpoint names the port that was taken`() throws {
    let loopback = try Loopback()
    #expect(!loopback.endpoint.hasSuffix("*") && !loopback.endpoint.hasSuffix(":0"))
    let client = try loopback.client()
    try client.connect(loopback.endpoint)
    try loopback.requireExchange(with: client)
  }

  @Test func `port in use is named`() throws {
    let loopback = try Loopback()
    let second = try Socket(
      server: .router, for: loopback.authenticator, secret: loopback.serverKeys.secret.span)
    #expect(throws: ZeroMQError.addressInUse(endpoint: loopback.endpoint)) {
      try second.bind(loopback.endpoint)
    }
  }

  @Test func `foreign address is named`() throws {
    let loopback = try Loopback()
    // TEST-NET-1 (RFC 5737): nobody's address.
    #expect(throws: ZeroMQError.addressNotOurs(endpoint: "tcp://192.0.2.1:5557")) {
      try loopback.server.bind("tcp://192.0.2.1:5557")
    }
  }

  @Test(arguments: [
    ("inproc://a", EndpointFault.notTCP), ("ipc:///tmp/a", .notTCP), ("udp://127.0.0.1:1", .notTCP),
    ("127.0.0.1:1", .notTCP), ("tcp://127.0.0.1", .badPort), ("tcp://127.0.0.1:", .badPort),
    ("tcp://127.0.0.1:65536", .badPort), ("tcp://127.0.0.1:99999", .badPort),
    ("tcp://127.0.0.1:+1", .badPort), ("tcp://127.0.0.1:1;tcp://127.0.0.1:2", .badHost),
    ("tcp://:1", .badHost), ("tcp://a b:1", .badHost), ("tcp://a\0:1", .badHost),
    ("tcp://::1:1", .badHost), ("tcp://[127.0.0.1]:1", .badHost), ("tcp://[::1:1", .badHost),
  ])
  func `refuses what is no TCP endpoint`(text: String, reason: EndpointFault) throws {
    let loopback = try Loopback()
    let client = try loopback.client()
    let expected = ZeroMQError.endpointInvalid(text, reason: reason)
    #expect(throws: expected) { try loopback.server.bind(text) }
    #expect(throws: expected) { try client.connect(text) }
  }

  @Test(arguments: ["tcp://*:5557", "tcp://127.0.0.1:*", "tcp://127.0.0.1:0"])
  func `refuses to connect to no one in particular`(text: String) throws {
    let client = try Loopback().client()
    #expect(throws: ZeroMQError.self) { try client.connect(text) }
  }

  @Test(arguments: ["tcp://127.0.0.1:*", "ipc:///tmp/a", "inproc://", "monitor"])
  func `socket without curve stays in the process`(text: String) throws {
    let socket = try Socket(inProcess: .dealer, in: Context())
    let expected = ZeroMQError.endpointInvalid(text, reason: .notInProcess)
    #expect(throws: expected) { try socket.bind(text) }
    #expect(throws: expected) { try socket.connect(text) }
  }

  @Test func `only what was connected is disconnected`() throws {
    let client = try Loopback().client()
    #expect(throws: ZeroMQError.notConnected(endpoint: "tcp://127.0.0.1:5557")) {
      try client.disconnect("tcp://127.0.0.1:5557")
    }
  }
}
