/// How many lines two texts have where they differ: what they have in common at both ends costs nothing to compare.
enum DifferingLines {
  static func count(_ old: [UInt8], _ new: [UInt8]) -> Int {
    let (old, new) = (old.span, new.span)
    let shorter = min(old.count, new.count)
    var start = 0
    while start < shorter, old[start] == new[start] { start += 1 }
    var end = 0
    while end < shorter - start, old[old.count - 1 - end] == new[new.count - 1 - end] { end += 1 }
    return lineFeeds(old, start, end) + lineFeeds(new, start, end)
  }

  private static func lineFeeds(_ text: Span<UInt8>, _ start: Int, _ end: Int) -> Int {
    var count = 0
    for index in start..<(text.count - end) where text[index] == UInt8(ascii: "\n") { count += 1 }
    return count
  }
}
