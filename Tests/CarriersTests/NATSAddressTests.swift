import NATS
import Testing

@Suite struct NATSAddressTests {
  @Test func `an address is host and port`() throws {
    let full = try NATSAddress("tls://n1.example.org:5222")
    #expect(full.host == "n1.example.org")
    #expect(full.port == 5_222)
    #expect(full.isSecured)
    #expect(try NATSAddress("tls://n1.example.org/").description == "tls://n1.example.org:4222")
    #expect(try NATSAddress("nats://[::1]").description == "nats://[::1]:4222")
    #expect(try NATSAddress("nats://127.0.0.1").isHere)
  }

  @Test(arguments: [
    ("http://n1", NATSAddress.Fault.scheme), ("n1:4222", .scheme),
    ("nats://n1.example.org", .plain), ("nats://127.0.0.1.example.org", .plain),
    ("tls://user:secret@n1", .login), ("tls://token@n1", .login), ("tls://", .host),
    ("tls://a b", .host), ("tls://n1/x", .host), ("tls://n1?tls=no", .host), ("tls://n1:0", .port),
    ("tls://n1:65536", .port), ("tls://n1:x", .port), ("tls://[::1", .host),
    ("tls://n1,tls://n2", .host),
  ])
  func `an address that is none is refused with the reason`(
    text: String, fault: NATSAddress.Fault
  ) {
    #expect(throws: fault) { try NATSAddress(text) }
  }
}
