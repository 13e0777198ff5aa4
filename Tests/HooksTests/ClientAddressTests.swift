import Hooks
import Testing

@Suite struct ClientAddressTests {
  private static func text(
    _ peer: String?, _ forwarded: String?, trusting proxies: String...
  ) throws -> String {
    ClientAddress(
      peer: peer, forwarded: forwarded, trusting: try proxies.map { try #require(Network($0)) }
    ).text
  }

  @Test func `the peer counts where no proxy is trusted`() throws {
    #expect(try Self.text("203.0.113.1", "198.51.100.1") == "203.0.113.1")
    #expect(try Self.text("203.0.113.1", "198.51.100.1", trusting: "10.0.0.0/8") == "203.0.113.1")
    #expect(try Self.text(nil, "198.51.100.1") == "local")
    #expect(try Self.text("::ffff:203.0.113.1", nil) == "203.0.113.1")
  }

  @Test func `of a trusted proxy's list the last address counts that is no proxy's`() throws {
    #expect(try Self.text("127.0.0.1", "1.2.3.4", trusting: "127.0.0.1") == "1.2.3.4")
    #expect(try Self.text("127.0.0.1", "6.6.6.6, 1.2.3.4", trusting: "127.0.0.1") == "1.2.3.4")
    #expect(
      try Self.text("10.0.0.1", "6.6.6.6, 1.2.3.4, 10.9.9.9", trusting: "10.0.0.0/8") == "1.2.3.4")
    #expect(try Self.text("127.0.0.1", "1.2.3.4:5678", trusting: "127.0.0.1") == "1.2.3.4")
    #expect(
      try Self.text("127.0.0.1", "[2001:db8:1:2::9]:80", trusting: "127.0.0.1")
        == "2001:db8:1:2::/64")
    #expect(try Self.text(nil, "1.2.3.4", trusting: "127.0.0.1") == "1.2.3.4")
  }

  @Test(arguments: [nil, "", ",", "nonsense", "nonsense, 999.1.1.1", "127.0.0.1", "1.2.3.4, x"])
  func `a list that names no address is that of the proxy`(forwarded: String?) throws {
    #expect(try Self.text("127.0.0.1", forwarded, trusting: "127.0.0.1") == "127.0.0.1")
  }

  @Test(arguments: [
    "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::1", "2001:DB8:1:2:ffff:ffff:ffff:ffff",
  ])
  func `addresses of one network of IPv6 count together`(peer: String) throws {
    #expect(try Self.text(peer, nil) == "2001:db8:1:2::/64")
  }

  @Test(arguments: [
    "", "x", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.4/33", "1.2.3.4/-1", "1.2.3.4/", "/8",
    "::/129",
    ":::", "1::2::3", "12345::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1.2.3.4/8/8", "+1.2.3.4",
  ])
  func `what is no network is refused`(text: String) { #expect(Network(text) == nil) }

  @Test(arguments: ["0.0.0.0/0", "::/0", "::1", "fe80::/10", "10.0.0.0/8", "::ffff:1.2.3.4"])
  func `networks are read`(text: String) { #expect(Network(text) != nil) }
}
