/// What has happened in a run, in order: its last lines are printed when the run fails, and its digest says whether two
/// runs were the same.
struct Trace {
  private static let lineCountMax = 400
  private let clock: WorldClock
  private let isPrinted: Bool
  private var lines: [String] = []
  /// FNV-1a.
  private(set) var digest: UInt64 = 0xcbf2_9ce4_8422_2325

  init(_ clock: WorldClock, isPrinted: Bool) { (self.clock, self.isPrinted) = (clock, isPrinted) }

  mutating func add(_ text: String) {
    let line = "\(Self.time(clock.milliseconds)) \(text)"
    if isPrinted { say(line) }
    for byte in line.utf8 { digest = (digest ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    lines.append(line)
    if lines.count > 2 * Self.lineCountMax { lines.removeFirst(Self.lineCountMax) }
  }

  func last(_ count: Int) -> [String] { lines.suffix(count) }

  /// Days, hours, minutes, seconds and milliseconds.
  private static func time(_ milliseconds: UInt64) -> String {
    func padded(_ number: UInt64, _ count: Int) -> String {
      let text = "\(number)"
      return String(repeating: "0", count: max(0, count - text.count)) + text
    }
    let seconds = milliseconds / 1_000
    return "\(seconds / 86_400)d \(padded(seconds / 3_600 % 24, 2)):"
      + "\(padded(seconds / 60 % 60, 2)):\(padded(seconds % 60, 2)).\(padded(milliseconds % 1_000, 3))"
  }
}
