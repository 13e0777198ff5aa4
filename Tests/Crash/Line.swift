import Foundation
import Synchronization
import TestSupport

/// Stands between a client and the relay, and cuts their connection when it is told to.
final class Line: Sendable {
  let port: UInt16
  private let target: UInt16
  private let listener: Int32
  /// Descriptors of both ends of every connection; closed by who takes them out.
  private let connections = Mutex<[Int32: Int32]>([:])
  private let bytes = Atomic<Int>(0)

  /// What has gone through, in both directions.
  var byteCount: Int { bytes.load(ordering: .relaxed) }

  init(to target: UInt16) throws {
    self.target = target
    (listener, port) = try FreePort.listen(on: 0)
    Thread { [self] in accept() }.start()
  }

  /// Answers how many connections there were.
  @discardableResult
  func cut() -> Int {
    connections.withLock { connections in
      for (client, server) in connections {
        shutdown(client, Int32(SHUT_RDWR))
        shutdown(server, Int32(SHUT_RDWR))
      }
      return connections.count
    }
  }

  func close() {
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
    while case let count = recv(from, &buffer, buffer.count, 0), count > 0 {
      guard sendAll(buffer, count, to: to) else { break }
      bytes.add(count, ordering: .relaxed)
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
      let step = bytes[sent..<count].withUnsafeBytes {
        send(descriptor, $0.baseAddress, count - sent, Int32(MSG_NOSIGNAL))
      }
      guard step > 0 else { return false }
      sent += step
    }
    return true
  }
}

/// Sockets on the loopback.
enum FreePort {
  /// Below those that the kernel gives out by itself: nobody takes it while a relay is down.
  private static let range: Range<UInt16> = 20_000..<32_000

  static func take() throws -> UInt16 {
    for _ in 0..<100 {
      let port = UInt16.random(in: range)
      do {
        close(try listen(on: port).descriptor)
        return port
      } catch {
        continue
      }
    }
    throw Failure("no port is free")
  }

  static func listen(on port: UInt16) throws -> (descriptor: Int32, port: UInt16) {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = RawConnection.loopback(port)
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isListening = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, size) == 0 && Glibc.listen(descriptor, 64) == 0
          && getsockname(descriptor, $0, &size) == 0
      }
    }
    guard isListening else {
      let code = errno
      close(descriptor)
      throw Failure("port \(port): \(String(cString: strerror(code)))")
    }
    return (descriptor, UInt16(bigEndian: address.sin_port))
  }

  static func connect(to port: UInt16) -> Int32? {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = RawConnection.loopback(port)
    let code = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    if code == 0 { return descriptor }
    close(descriptor)
    return nil
  }
}
