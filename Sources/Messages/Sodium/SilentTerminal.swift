import Glibc

/// A terminal that does not show what is typed, until this value goes.
///
/// Neither signals nor line editing are left to the terminal: ^C arrives as a byte, so that echo is
/// on again before anything ends, and no line waits in memory that is not wiped.
struct SilentTerminal: ~Copyable {
  private static let interrupt: UInt8 = 0x03
  private static let endOfText: UInt8 = 0x04
  private static let backspace: UInt8 = 0x08
  private static let eraseLine: UInt8 = 0x15
  private static let delete: UInt8 = 0x7f

  private let descriptor: Int32
  private let saved: termios

  init(path: String) throws(SodiumError) {
    let descriptor = unsafe open(path, O_RDWR | O_NOCTTY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .noTerminal }
    var settings = termios()
    guard unsafe tcgetattr(descriptor, &settings) == 0 else {
      close(descriptor)
      throw .noTerminal
    }
    let saved = settings
    settings.c_lflag &= ~tcflag_t(ECHO | ICANON | ISIG | IEXTEN)
    // One byte at a time, without a time limit: VMIN and VTIME, termios(3).
    unsafe withUnsafeMutableBytes(of: &settings.c_cc) { characters in
      unsafe characters[Int(VMIN)] = 1
      unsafe characters[Int(VTIME)] = 0
    }
    guard unsafe tcsetattr(descriptor, TCSAFLUSH, &settings) == 0 else {
      close(descriptor)
      throw .noTerminal
    }
    self.descriptor = descriptor
    self.saved = saved
  }

  deinit {
    var saved = saved
    _ = unsafe tcsetattr(descriptor, TCSANOW, &saved)
    close(descriptor)
  }

  /// The line that is typed, without its end. Throws `interrupted` on ^C and when the terminal goes
  /// away.
  func ask(_ prompt: String) throws(SodiumError) -> SecretBytes {
    try show(prompt)
    let line = try SecretBytes(capacity: Passphrase.byteCountMax + 1) { line throws(SodiumError) in
      while try edit(&line, with: readByte()) {
        guard !line.isFull else {
          throw .passphraseTooLong(byteCountMax: Passphrase.byteCountMax)
        }
      }
    }
    try show("\n")
    return line
  }

  /// Whether the line goes on.
  private func edit(
    _ line: inout OutputSpan<UInt8>, with byte: UInt8
  ) throws(SodiumError) -> Bool {
    switch byte {
    case UInt8(ascii: "\n"), UInt8(ascii: "\r"): return false
    case Self.endOfText where !line.isEmpty: return false
    case Self.interrupt, Self.endOfText:
      try show("\n")
      throw .interrupted
    case Self.backspace, Self.delete: removeCharacter(from: &line)
    case Self.eraseLine: line.removeAll()
    default: line.append(byte)
    }
    return true
  }

  /// A whole character of UTF-8, as the person sees it.
  private func removeCharacter(from line: inout OutputSpan<UInt8>) {
    while !line.isEmpty {
      let isContinuation = line.removeLast() & 0xc0 == 0x80
      if !isContinuation { return }
    }
  }

  private func readByte() throws(SodiumError) -> UInt8 {
    var byte: UInt8 = 0
    while true {
      switch unsafe read(descriptor, &byte, 1) {
      case 1: return byte
      case -1 where errno == EINTR: continue
      default: throw .interrupted
      }
    }
  }

  private func show(_ text: String) throws(SodiumError) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 && errno != EINTR { throw .interrupted }
      rest = rest.dropFirst(max(0, count))
    }
  }
}
