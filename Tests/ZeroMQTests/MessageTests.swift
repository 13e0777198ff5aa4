import TestSupport
import Testing
import ZeroMQ

@Suite struct MessageTests {
  @Test func `receiving ends at its deadline`() throws {
    let loopback = try Loopback()
    let start = ContinuousClock.now
    #expect(try loopback.server.receive() == nil)
    #expect(try loopback.server.receive(by: .after(.milliseconds(50))) == nil)
    #expect(ContinuousClock.now - start >= .milliseconds(50))
  }

  @Test func `sending without connection ends at its deadline`() throws {
    let loopback = try Loopback()
    let client = try loopback.client()
    let start = ContinuousClock.now
    #expect(try client.send([[1]]) == .wouldBlock)
    #expect(try client.send([[1]], by: .after(.milliseconds(50))) == .wouldBlock)
    #expect(ContinuousClock.now - start >= .milliseconds(50))
  }

  @Test func `frames of all sizes arrive as they were`() throws {
    let loopback = try Loopback()
    let client = try loopback.client()
    try client.connect(loopback.endpoint)
    for byteCount in [0, 1, 32, 33, 34, 255, 256, 8_191, 8_192, 131_072] {
      let frames = [(0..<byteCount).map { UInt8(truncatingIfNeeded: $0) }, [], [9]]
      try #require(try client.send(frames, by: .after(patience)) == .sent)
      #expect(try requireMessage(at: loopback.server).frames == frames)
    }
  }

  @Test func `frame that is written in place arrives`() throws {
    let loopback = try Loopback()
    let client = try loopback.client()
    try client.connect(loopback.endpoint)
    let frame = Frame(byteCount: 40) { output in
      for value in 0..<UInt8(40) { output.append(value) }
    }
    // One frame, sent twice: the bytes are shared.
    try #require(try client.send([frame, frame], by: .after(patience)) == .sent)
    let expected = Array(0..<UInt8(40))
    #expect(try requireMessage(at: loopback.server).frames == [expected, expected])
    #expect(frame.bytes == expected)
    #expect(frame.withBytes { $0[39] } == 39)
  }

  @Test func `ten thousand small messages arrive in order`() throws {
    let loopback = try Loopback()
    let client = try loopback.client()
    try client.connect(loopback.endpoint)
    let count = 10_000
    var (sent, received) = (0, 0)
    while received < count {
      while sent < count,
        try client.send([[UInt8(sent & 255), UInt8(sent >> 8)]], by: deadline(sent)) == .sent
      { sent += 1 }
      while let next = try loopback.server.receive() {
        guard case .message(let frames, _) = next else { throw Unexpected(what: "\(next)") }
        try #require(frames[0].bytes == [UInt8(received & 255), UInt8(received >> 8)])
        received += 1
      }
    }
    #expect(sent == count)

    // The first waits for the connection.
    func deadline(_ sent: Int) -> Deadline { sent == 0 ? .after(patience) : .now }
  }

  @Test func `full queue says would block and loses nothing`() throws {
    var options = quickOptions()
    options.sendQueueCountMax = 2
    options.receiveQueueCountMax = 2
    options.kernelSendBufferByteCount = 8_192
    options.kernelReceiveBufferByteCount = 8_192
    let loopback = try Loopback(options)
    let client = try loopback.client(options: options)
    try client.connect(loopback.endpoint)
    try loopback.requireExchange(with: client)

    let chunk = [UInt8](repeating: 1, count: 100_000)
    var sentCount = 0
    while try client.send([chunk, [UInt8(sentCount)]], by: .after(.milliseconds(100))) == .sent {
      sentCount += 1
      try #require(sentCount < 100, "a queue without a bound")
    }
    #expect(sentCount >= 2)
    for index in 0..<sentCount {
      #expect(try requireMessage(at: loopback.server).frames == [chunk, [UInt8(index)]])
    }
    #expect(try client.send([[2]], by: .after(patience)) == .sent)
    #expect(try requireMessage(at: loopback.server).frames == [[2]])
  }

  @Test func `answer to peer that has gone is not sent`() throws {
    let loopback = try Loopback()
    var routingID: [UInt8] = [1, 2, 3]
    #expect(try loopback.server.send([[1]], to: routingID) == .peerGone)
    do {
      let client = try loopback.client()
      try client.connect(loopback.endpoint)
      try #require(try client.send([[1]], by: .after(patience)) == .sent)
      routingID = try requireMessage(at: loopback.server).sender.routingID
    }
    // What is sent before the server has noticed is lost with the connection; it notices by
    // receiving.
    let end = ContinuousClock.now + patience
    var outcome = SendOutcome.sent
    while outcome != .peerGone && .now < end {
      #expect(try loopback.server.receive() == nil)
      outcome = try loopback.server.send([[1], [2]], to: routingID)
    }
    #expect(outcome == .peerGone)
  }

  @Test func `client never takes the servers word for a user`() throws {
    let loopback = try Loopback()
    let client = try loopback.client()
    try client.connect(loopback.endpoint)
    try #require(try client.send([[1]], by: .after(patience)) == .sent)
    let (_, sender) = try requireMessage(at: loopback.server)
    try #require(try loopback.server.send([[1]], to: sender.routingID) == .sent)
    let answer = try requireMessage(at: client)
    #expect(answer.sender == Sender(routingID: [], userID: nil))
  }
}
