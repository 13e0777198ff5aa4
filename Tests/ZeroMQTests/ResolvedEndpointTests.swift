import Testing
import ZeroMQ

@Suite struct ResolvedEndpointTests {
  @Test(arguments: ["tcp://127.0.0.1:5557", "tcp://[::1]:5557", "tcp://[fe80::1%lo]:1"])
  func `address leads to itself`(text: String) throws {
    let all = try ResolvedEndpoint.all(of: text)
    #expect(all.map(\.address) == [text] && all.map(\.description) == [text])
  }

  @Test func `name leads to its addresses`() throws {
    let all = try ResolvedEndpoint.all(of: "tcp://localhost:5557")
    let loopback = try #require(all.first { $0.address == "tcp://127.0.0.1:5557" })
    #expect(loopback.description == "tcp://localhost:5557 (127.0.0.1)")
    #expect(Set(all).count == all.count)
  }

  /// The name is nobody's: RFC 6761.
  @Test func `name that nobody knows is named`() throws {
    let error = #expect(throws: ZeroMQError.self) {
      try ResolvedEndpoint.all(of: "tcp://relay.invalid:5557")
    }
    guard case .nameUnresolved("relay.invalid", let reason) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(!reason.isEmpty)
  }

  @Test func `what is no endpoint is refused`() {
    #expect(throws: ZeroMQError.self) { try ResolvedEndpoint.all(of: "tcp://relay") }
    #expect(throws: ZeroMQError.self) { try ResolvedEndpoint.all(of: "ipc:///tmp/a") }
  }
}
