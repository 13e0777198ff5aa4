import STOMP
import Testing

@Suite struct STOMPAddressTests {
  @Test func `host, port and virtual host are read, and have their standards`() throws {
    let full = try STOMPAddress("stomp+ssl://mq.example.org:7000/distro")
    #expect(full.host == "mq.example.org" && full.port == 7_000 && full.isSecured)
    #expect(full.virtualHost == "distro")
    let short = try STOMPAddress("stomp+ssl://[2001:db8::1]")
    #expect(short.host == "2001:db8::1" && short.port == 61_612)
    #expect(short.virtualHost == "2001:db8::1")
    let plain = try STOMPAddress("stomp://127.0.0.1/")
    #expect(plain.port == 61_613 && !plain.isSecured && plain.virtualHost == "/")
  }

  @Test(arguments: [
    ("amqp://mq", STOMPAddress.Fault.scheme), ("STOMP://localhost", .scheme),
    ("stomp://mq.example.org", .plain), ("stomp://127.0.0.1.example.org", .plain),
    ("stomp+ssl://user@mq", .user), ("stomp+ssl://user:secret@mq", .user),
    ("stomp+ssl://", .host), ("stomp+ssl://m q", .host), ("stomp+ssl://[::1", .host),
    ("stomp+ssl://mq:0", .port), ("stomp+ssl://mq:70000", .port), ("stomp+ssl://mq:x", .port),
    ("stomp+ssl://mq/a b", .virtualHost), ("stomp+ssl://mq/a?b", .virtualHost),
    ("stomp+ssl://mq/%2f", .virtualHost), ("stomp+ssl://mq/a\nb", .virtualHost),
  ])
  func `another address is refused`(text: String, fault: STOMPAddress.Fault) {
    #expect(throws: fault) { try STOMPAddress(text) }
  }
}
