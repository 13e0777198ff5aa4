import Dispatch
import Foundation
import Synchronization

/// Stands between a client and the relay, and cuts their connection when it is told to.
package final class CuttableLine: Sendable {
  package let port: UInt16
  private let target: UInt16
  private let listener: Int32
  /// Descriptors of both ends of every connection; closed by who takes them out.
  private let connections = Mutex<[Int32: Int32]>([:])
  private let bytes = Atomic<Int>(0)
  private let heldAt: Atomic<Int>
  private let gate = DispatchSemaphore(value: 0)

  /// What has gone through, in both directions.
  package var byteCount: Int { bytes.load(ordering: .relaxed) }

  /// `byteCountMax`: after so many bytes nothing goes through any more, until it is released.
  package init(to target: UInt16, holdingAfter byteCountMax: Int = .max) throws {
    self.target = target
    heldAt = Atomic(byteCountMax)
    (listener, port) = try FreePort.listen()
    Thread { [self] in accept() }.start()
  }

  /// Answers how many connections there were.
  @discardableResult
  package func cut() -> Int {
    connections.withLock { connections in
      for (client, server) in connections {
        shutdown(client, Int32(SHUT_RDWR))
        shutdown(server, Int32(SHUT_RDWR))
      }
      return connections.count
    }
  }

  package func release() {
    heldAt.store(.max, ordering: .sequentiallyConsistent)
    // A connection has two directions, and there is one connection.
    for _ in 0..<2 { gate.signal() }
  }

  package func close() {
    shutdown(listener, Int32(SHUT_RDWR))
    cut()
  }

  private func accept() {
    while case let client = Glibc.accept(listener, nil, nil), client >= 0 {
      // A relay that is not there is a line that is cut at once.
      guard let server = FreePort.connect(to: target) else {
        Glibc.close(client)
        continue
      }
      connections.withLock { $0[client] = server }
      let ends = Ends()
      Thread { [self] in forward(client, server, closing: client, ends) }.start()
      Thread { [self] in forward(server, client, closing: client, ends) }.start()
    }
    Glibc.close(listener)
  }

  /// Counts the two directions of a connection that have ended.
  private final class Ends: Sendable {
    private let count = Atomic<Int>(0)

    var isSecond: Bool { count.add(1, ordering: .acquiringAndReleasing).newValue == 2 }
  }

  private func forward(_ from: Int32, _ to: Int32, closing client: Int32, _ ends: Ends) {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while case let count = unsafe recv(from, &buffer, buffer.count, 0), count > 0 {
      guard sendAll(buffer, count, to: to) else { break }
      let all = bytes.add(count, ordering: .relaxed).newValue
      if all >= heldAt.load(ordering: .sequentiallyConsistent) { gate.wait() }
    }
    shutdown(from, Int32(SHUT_RDWR))
    shutdown(to, Int32(SHUT_RDWR))
    guard ends.isSecond else { return }
    connections.withLock { connections in
      connections[client] = nil
      // Closed in here, so that nobody cuts a descriptor that has become another's.
      Glibc.close(from)
      Glibc.close(to)
    }
  }

  private func sendAll(_ bytes: [UInt8], _ count: Int, to descriptor: Int32) -> Bool {
    var sent = 0
    while sent < count {
      let step = unsafe bytes[sent..<count].withUnsafeBytes {
        unsafe send(descriptor, $0.baseAddress, count - sent, Int32(MSG_NOSIGNAL))
      }
      guard step > 0 else { return false }
      sent += step
    }
    return true
  }
}
