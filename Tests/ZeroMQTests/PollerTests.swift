import TestSupport
import Testing
import Threads
import ZeroMQ

@Suite struct PollerTests {
  @Test func `wakes when another thread signals`() throws {
    let wakeUp = try WakeUp()
    var poller = Poller()
    let entry = poller.add(wakeUp)
    #expect(try poller.wait(until: .now) == false)
    #expect(poller.readiness(of: entry).isEmpty)
    let thread = try LoopThread { wakeUp.signal() }
    defer { thread.join() }
    #expect(try poller.wait(until: .after(patience)))
    #expect(poller.readiness(of: entry) == .reading)
  }

  @Test func `many signals are one until cleared`() throws {
    let wakeUp = try WakeUp()
    // More than the kernel holds.
    for _ in 0..<2_000_000 { wakeUp.signal() }
    var poller = Poller()
    let entry = poller.add(wakeUp)
    #expect(try poller.wait(until: .now))
    #expect(wakeUp.clear())
    #expect(!wakeUp.clear())
    #expect(try poller.wait(until: .now) == false)
    #expect(poller.readiness(of: entry).isEmpty)
  }

  @Test func `tells which socket is ready`() throws {
    let loopback = try Loopback()
    let client = try loopback.client()
    try client.connect(loopback.endpoint)
    var poller = Poller()
    let wakeUp = try WakeUp()
    let entries = (
      server: poller.add(loopback.server, for: .reading), wakeUp: poller.add(wakeUp),
      monitor: poller.add(loopback.monitor)
    )
    try #require(try client.send([[1]], by: .after(patience)) == .sent)
    let deadline = Deadline.after(patience)
    while poller.readiness(of: entries.server).isEmpty {
      try #require(try poller.wait(until: deadline))
      while try loopback.monitor.next() != nil {}
    }
    #expect(poller.readiness(of: entries.wakeUp).isEmpty)
    #expect(try requireMessage(at: loopback.server).frames == [[1]])
  }

  @Test func `socket is writable once it is connected`() throws {
    let loopback = try Loopback()
    let client = try loopback.client()
    var poller = Poller()
    let entry = poller.add(client, for: .reading)
    poller.setInterest([.reading, .writing], of: entry)
    #expect(try poller.wait(until: .after(.milliseconds(20))) == false)
    try client.connect(loopback.endpoint)
    #expect(try poller.wait(until: .after(patience)))
    #expect(poller.readiness(of: entry) == .writing)
  }

  @Test func `socket that has gone is never ready`() throws {
    let context = try Context()
    let one = try Socket(inProcess: .pair, in: context)
    try one.bind("inproc://pair")
    var poller = Poller()
    let entry = try addAndDrop(in: context, to: &poller)
    #expect(try poller.wait(until: .after(.milliseconds(20))) == false)
    #expect(poller.readiness(of: entry).isEmpty)
  }

  private func addAndDrop(in context: Context, to poller: inout Poller) throws -> Poller.Entry {
    let other = try Socket(inProcess: .pair, in: context)
    try other.connect("inproc://pair")
    let entry = poller.add(other, for: .writing)
    try #require(try poller.wait(until: .after(patience)))
    return entry
  }
}
