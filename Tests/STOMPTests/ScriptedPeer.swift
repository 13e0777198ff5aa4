import Glibc
import Synchronization
import TestSupport
import Threads

/// What takes one connection, says what it was given behind the first frame, and keeps what it hears until the other side
/// hangs up.
final class ScriptedPeer: Sendable {
  let port: UInt16
  private let descriptor: Int32
  private let thread = Mutex<LoopThread?>(nil)
  private let heardBytes = Mutex<[UInt8]>([])

  init(saying text: String) throws {
    let words = Array(text.utf8)
    (descriptor, port) = try FreePort.listen(on: FreePort.take())
    let started = try LoopThread { [self] in serve(words) }
    thread.withLock { $0 = started }
  }

  deinit { close(descriptor) }

  private func serve(_ words: [UInt8]) {
    let connection = accept(descriptor, nil, nil)
    defer { close(connection) }
    var bytes = [UInt8](repeating: 0, count: 4_096)
    var hasSpoken = false
    while true {
      let count = unsafe recv(connection, &bytes, bytes.count, 0)
      guard count > 0 else { return }
      heardBytes.withLock { $0 += bytes.prefix(count) }
      guard !hasSpoken, bytes.prefix(count).contains(0) else { continue }
      hasSpoken = true
      _ = unsafe send(connection, words, words.count, Int32(MSG_NOSIGNAL))
    }
  }

  var heard: String { String(decoding: heardBytes.withLock { $0 }, as: UTF8.self) }

  /// Returns once the other side has hung up.
  func join() {
    let running = thread.withLock { $0.take() }
    running?.join()
  }
}
