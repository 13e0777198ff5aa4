/// Where the lines of a text are, without their line feeds.
struct KeyFileLines {
  /// Those that end in a line feed.
  private(set) var whole: [Range<Int>] = []
  /// What follows the last line feed; empty in a whole file.
  private(set) var rest: Range<Int>

  init(of text: Span<UInt8>) {
    var start = 0
    for index in text.indices where text[index] == UInt8(ascii: "\n") {
      whole.append(start..<index)
      start = index + 1
    }
    rest = start..<text.count
  }

  var all: [Range<Int>] { rest.isEmpty ? whole : whole + [rest] }
}

extension Span<UInt8> {
  func starts(with prefix: String) -> Bool {
    let prefix = Array(prefix.utf8)
    return count >= prefix.count && prefix.indices.allSatisfy { self[$0] == prefix[$0] }
  }

  /// The other way round: whether these bytes are how `text` begins.
  func begins(_ text: String) -> Bool {
    let text = Array(text.utf8)
    return count <= text.count && indices.allSatisfy { self[$0] == text[$0] }
  }

  /// For bytes that are no secret.
  var text: String { String(decoding: indices.map { self[$0] }, as: UTF8.self) }
}
