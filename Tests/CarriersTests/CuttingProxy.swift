import Dispatch
import Glibc
import Synchronization
import TestSupport
import Threads
import ZeroMQ

/// Stands between a client and a server, and breaks the line once, after so many bytes in one direction.
final class CuttingProxy: Sendable {
  enum Direction { case toServer, toClient }
  /// `freeze`: nothing goes through any more, and neither side is told. `halt`: cut, and
  /// there is no other line before `resume`.
  enum Break { case cut, freeze, halt }

  let endpoint: String
  private let listener: Int32
  private let thread: LoopThread
  private let cuts = Counter()
  private let bytes = Counter()
  private let resumption = DispatchSemaphore(value: 0)

  var cutCount: Int { cuts.value }
  /// In the direction that is counted, over all connections.
  var forwardedByteCount: Int { bytes.value }

  init(
    to server: String, cutting direction: Direction, after byteCount: Int, by way: Break = .cut
  ) throws {
    let (listener, port) = try FreePort.listen()
    self.listener = listener
    endpoint = "tcp://127.0.0.1:\(port)"
    let (cuts, bytes, resumption) = (cuts, bytes, resumption)
    thread = try LoopThread {
      var left: Int? = byteCount
      var isHalted = false
      var frozen: [(client: Int32, server: RawConnection)] = []
      defer { for line in frozen { close(line.client) } }
      while case let client = accept(listener, nil, nil), client >= 0 {
        // A server that is not there is a line that is cut at once.
        if let server = connected(to: server) {
          let ended = forward(client, server.descriptor, direction, listener, bytes, &left)
          if left == 0 {
            cuts.add()
            left = nil
            isHalted = way == .halt
            if way == .freeze {
              frozen.append((client, server))
              continue
            }
          }
          if ended == .proxyStopped { break }
        }
        close(client)
        guard isHalted else { continue }
        isHalted = false
        resumption.wait()
      }
    }
  }

  /// Lets the client find the server again.
  func resume() { resumption.signal() }

  deinit {
    resume()
    // Ends accept(2), and wakes poll(2).
    shutdown(listener, Int32(SHUT_RDWR))
    thread.join()
    close(listener)
  }
}

/// Counts from any thread.
final class Counter: Sendable {
  private let count = Atomic<Int>(0)

  var value: Int { count.load(ordering: .relaxed) }

  func add(_ number: Int = 1) { count.add(number, ordering: .relaxed) }
}

private enum End { case lineBroken, proxyStopped }

private func connected(to endpoint: String) -> RawConnection? {
  do { return try RawConnection(to: endpoint) } catch { return nil }
}

/// Until one side hangs up, `left` is used up, or the proxy is to stop. One connection at a time is enough here.
private func forward(
  _ client: Int32, _ server: Int32, _ direction: CuttingProxy.Direction, _ listener: Int32,
  _ bytes: Counter, _ left: inout Int?
) -> End {
  var buffer = [UInt8](repeating: 0, count: 65_536)
  while true {
    var polled = [client, server, listener].map {
      pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
    }
    guard unsafe poll(&polled, 3, -1) > 0 else { return .lineBroken }
    if polled[2].revents & Int16(POLLHUP) != 0 { return .proxyStopped }
    for (index, other) in [(0, server), (1, client)] where polled[index].revents != 0 {
      let isCounted = (index == 0) == (direction == .toServer)
      let room = isCounted ? min(buffer.count, left ?? buffer.count) : buffer.count
      let count = unsafe recv(polled[index].fd, &buffer, room, 0)
      guard count > 0, sendAll(buffer, count, to: other) else { return .lineBroken }
      if isCounted { bytes.add(count) }
      if isCounted, let bytesLeft = left {
        left = bytesLeft - count
        if left == 0 { return .lineBroken }
      }
    }
  }
}

private func sendAll(_ bytes: [UInt8], _ count: Int, to descriptor: Int32) -> Bool {
  var sent = 0
  while sent < count {
    let step = unsafe bytes.withUnsafeBytes {
      unsafe send(
        descriptor, $0.baseAddress.map { unsafe $0 + sent }, count - sent, Int32(MSG_NOSIGNAL))
    }
    guard step > 0 else { return false }
    sent += step
  }
  return true
}
