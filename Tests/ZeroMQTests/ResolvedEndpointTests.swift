import Testing
import ZeroMQ

@Suite struct ResolvedEndpointTests {
  @Test(arguments: ["tcp://127.0.0.1:5557", "tcp://[::1]:5557", "tcp://[fe80::1%lo]:1"])
  func addressLeadsToItself(text: String) throws {
    let all = try ResolvedEndpoint.all(of: text)
    #expect(all.map(\.address) == [text] && all.map(\.description) == [text])
  }

  @Test func nameLeadsToItsAddresses() throws {
    let all = try ResolvedEndpoint.all(of: "tcp://localhost:5557")
    let loopback = try #require(all.first { $0.address == "tcp://127.0.0.1:5557" })
    #expect(loopback.description == "tcp://localhost:5557 (127.0.0.1)")
    #expect(Set(all).count == all.count)
  }

  /// The name is nobody's: RFC 6761.
  @Test func nameThatNobodyKnowsIsNamed() throws {
    let error = #expect(throws: ZeroMQError.self) {
      try ResolvedEndpoint.all(of: "tcp://relay.invalid:5557")
    }
    guard case .nameUnresolved("relay.invalid", let reason) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(!reason.isEmpty)
  }

  @Test func whatIsNoEndpointIsRefused() {
    #expect(throws: ZeroMQError.self) { try ResolvedEndpoint.all(of: "tcp://relay") }
    #expect(throws: ZeroMQError.self) { try ResolvedEndpoint.all(of: "ipc:///tmp/a") }
  }
}
