import MessageFormat
import Sodium
import Threads
import ZeroMQ

/// What CurveZMQ carries on this machine when nothing else happens: frames from one thread to another over loopback.
struct BareCurve {
  let frameByteCount: Int

  func bytesPerSecond(byteCount: Int) throws -> Double {
    let count = byteCount / frameByteCount
    return try framesPerSecond(count: count) * Double(frameByteCount)
  }

  /// Each with a small frame before it, as chunks have.
  func framesPerSecond(count: Int) throws -> Double {
    let line = try BareLine(clientCount: 1)
    defer { line.stop() }
    let (sender, endpoint, size) = (line.clients[0], line.endpoint, frameByteCount)
    let failures = Failures()
    let thread = try LoopThread {
      failures.note { try sender.send(count, of: size, to: endpoint) }
    }
    defer { thread.join() }
    _ = try line.receive()
    let start = ContinuousClock.now
    for _ in 0..<count {
      guard try line.receive() else {
        try failures.rethrow()
        throw ProgramFailure(description: "CurveZMQ: a frame does not come")
      }
    }
    return Double(count) / seconds(ContinuousClock.now - start)
  }
}

/// The same from one ROUTER to many DEALERs.
struct BareFanOut {
  let clientCount: Int
  let byteCount: Int

  private static let threadCount = 4

  /// Seconds from the first send to the last frame that came.
  func measure() throws -> Double {
    let line = try BareLine(clientCount: clientCount)
    defer { line.stop() }
    for client in line.clients { try client.sayHello(to: line.endpoint) }
    let routes = try (0..<clientCount).map { _ in try line.nextSender() }
    let chunkCount = (byteCount + Limits.chunkByteCountMax - 1) / Limits.chunkByteCountMax
    let failures = Failures()
    let start = ContinuousClock.now
    let threads = try (0..<Self.threadCount).map { number in
      let share = line.clients.enumerated().filter { $0.offset % Self.threadCount == number }
        .map(\.element)
      return try LoopThread { failures.note { try Self.receive(chunkCount, at: share) } }
    }
    try line.send(chunkCount, of: Limits.chunkByteCountMax, to: routes)
    for thread in threads { thread.join() }
    let elapsed = seconds(ContinuousClock.now - start)
    try failures.rethrow()
    return elapsed
  }

  private static func receive(_ count: Int, at clients: [BareClient]) throws {
    var poller = Poller()
    for client in clients { _ = poller.add(client.socket, for: .reading) }
    var left = clients.map { _ in count }
    while left.contains(where: { $0 > 0 }) {
      guard try poller.wait(until: .after(.seconds(60))) else {
        throw ProgramFailure(description: "CurveZMQ: a frame does not come")
      }
      for (index, client) in clients.enumerated() {
        while case .message(let frames, _) = try client.socket.receive() {
          precondition(frames[1].byteCount == Limits.chunkByteCountMax, "as it was sent")
          left[index] -= 1
        }
      }
    }
  }
}
