import RabbitMQ
import Testing

@Suite struct RabbitMQAddressTests {
  @Test func `an address is user host port and virtual host`() throws {
    let full = try RabbitMQAddress("amqps://di%20stro@mq.example.org:5700/a%2Fb")
    #expect(full.user == "di stro")
    #expect(full.nodes == [.init(host: "mq.example.org", port: 5_700)])
    #expect(full.virtualHost == "a/b")
    #expect(full.isSecured)
    let short = try RabbitMQAddress("amqps://distro@mq.example.org")
    #expect(short.nodes[0].port == 5_671)
    #expect(short.virtualHost == "/")
    #expect(try RabbitMQAddress("amqp://distro@[::1]/").nodes == [.init(host: "::1", port: 5_672)])
    let cluster = try RabbitMQAddress("amqps://distro@n1,n2:5700,[2001:db8::3]/v")
    #expect(cluster.nodes.map(\.host) == ["n1", "n2", "2001:db8::3"])
    #expect(cluster.nodes.map(\.port) == [5_671, 5_700, 5_671])
  }

  @Test(arguments: [
    ("http://a@b/", RabbitMQAddress.Fault.scheme), ("amqp://a@mq.example.org/", .plain),
    ("amqp://a@127.0.0.1.example.org/", .plain), ("amqps://mq.example.org/", .user),
    ("amqps://@mq.example.org/", .user), ("amqps://a:secret@mq.example.org/", .password),
    ("amqps://a@/", .host), ("amqps://a@b,/", .host), ("amqp://a@127.0.0.1,b/", .plain),
    ("amqps://a@b c/", .host), ("amqps://a@b:0/", .port),
    ("amqps://a@b:65536/", .port), ("amqps://a@b:x/", .port), ("amqps://a@b/c/d", .virtualHost),
    ("amqps://a@b/c?verify=no", .virtualHost), ("amqps://a@b/%zz", .virtualHost),
  ])
  func `an address that is none is refused with the reason`(
    text: String, fault: RabbitMQAddress.Fault
  ) {
    #expect(throws: fault) { try RabbitMQAddress(text) }
  }
}
