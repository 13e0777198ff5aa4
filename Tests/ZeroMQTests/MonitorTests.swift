import Host
import TestSupport
import Testing
import ZeroMQ

@Suite struct MonitorTests {
  @Test func `tells the whole life of a connection`() throws {
    let loopback = try Loopback()
    do {
      let client = try loopback.client()
      try client.connect(loopback.endpoint)
      try loopback.requireExchange(with: client)
    }
    for kind in [MonitorEvent.Kind.listening, .accepted, .handshakeSucceeded, .disconnected] {
      #expect(try requireEvent(of: loopback.monitor) { $0 == kind } == kind)
    }
    #expect(try loopback.monitor.next() == nil)
  }

  @Test func `says that its socket has gone`() throws {
    let loopback = try Loopback()
    let monitor = try monitorOfSocketThatGoes(loopback)
    #expect(try requireEvent(of: monitor) { $0 == .stopped } == .stopped)
    #expect(try monitor.next() == nil)
  }

  private func monitorOfSocketThatGoes(_ loopback: borrowing Loopback) throws -> Monitor {
    try Monitor(loopback.client())
  }

  /// Events without a reader would stop the I/O thread, and with it every socket of the context.
  @Test func `socket lives on without its monitor`() throws {
    let loopback = try Loopback()
    let client = try loopback.client()
    do {
      let monitor = try Monitor(client)
      try client.connect(loopback.endpoint)
      _ = try requireEvent(of: monitor) { $0 == .connected }
    }
    try loopback.requireExchange(with: client)
    let again = try Monitor(client)
    try client.connect(loopback.server.bind("tcp://127.0.0.1:*"))
    #expect(try requireEvent(of: again) { $0 == .handshakeSucceeded } == .handshakeSucceeded)
  }

  /// libzmq's own limit is 2,000, and then it stands still.
  @Test func `events that nobody reads stop nothing`() throws {
    // Each takes some at our side until libzmq has closed it.
    try DescriptorLimit.raise()
    let loopback = try Loopback()
    for _ in 0..<800 { _ = try RawConnection(to: loopback.endpoint) }
    let client = try loopback.client()
    try client.connect(loopback.endpoint)
    try loopback.requireExchange(with: client)
  }
}
