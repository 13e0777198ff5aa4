import Foundation

/// A terminal with a person at it: a thread that waits for a prompt, then types.
final class PseudoTerminal: @unchecked Sendable {
  // Sendable: the thread alone writes `transcript`, and it is read after `finished`.
  let path: String
  private let master: Int32
  /// Held open, so that the settings stay when the other user of the terminal has gone.
  private let held: Int32
  private let finished = DispatchSemaphore(value: 0)
  private var transcript: [UInt8] = []

  /// A bare chroot has no terminals to give.
  static let areThere: Bool = {
    var ends: (master: Int32, slave: Int32) = (-1, -1)
    guard unsafe openpty(&ends.master, &ends.slave, nil, nil, nil) == 0 else { return false }
    close(ends.master)
    close(ends.slave)
    return true
  }()

  init(typing script: [(after: String, keys: String)]) throws {
    var ends: (master: Int32, slave: Int32) = (-1, -1)
    // NAME_MAX of a file below /dev/pts is far less.
    var name = [CChar](repeating: 0, count: 4_096)
    guard unsafe openpty(&ends.master, &ends.slave, &name, nil, nil) == 0 else {
      throw POSIXError(.ENOTTY)
    }
    (master, held) = ends
    path = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    Thread.detachNewThread { [self] in
      for (prompt, keys) in script {
        guard readUntil(prompt) else { break }
        _ = unsafe write(master, Array(keys.utf8), keys.utf8.count)
      }
      _ = readUntil(nil)
      finished.signal()
    }
  }

  deinit { close(master) }

  var showsWhatIsTyped: Bool {
    var settings = termios()
    return unsafe tcgetattr(held, &settings) == 0 && settings.c_lflag & tcflag_t(ECHO) != 0
      && settings.c_lflag & tcflag_t(ICANON | ISIG) == tcflag_t(ICANON | ISIG)
  }

  /// Everything that the screen showed; ends the terminal.
  func screen() -> String {
    close(held)
    finished.wait()
    return String(decoding: transcript, as: UTF8.self)
  }

  /// `false` at the end of the terminal.
  private func readUntil(_ text: String?) -> Bool {
    while true {
      if let text, transcript.suffix(text.utf8.count).elementsEqual(text.utf8) { return true }
      var byte: UInt8 = 0
      guard unsafe read(master, &byte, 1) == 1 else { return false }
      transcript.append(byte)
    }
  }
}
