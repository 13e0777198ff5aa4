/// Which paths are files of Git LFS, by the `.gitattributes` of a tree: those whose attribute `filter` is `lfs`.
///
/// Attributes of a machine's own (`.git/info/attributes`, the system's) say nothing here: both sides must find the same.
///
/// Source: gitattributes(5).
package struct FilterAttributes<E: Error> {
  /// As git: longer lines are passed over.
  private static var lineByteCountMax: Int { 2_048 }

  /// The content of `.gitattributes` in a directory, by its path ("": the top); `nil`: no such file.
  private let content: ([UInt8]) throws(E) -> [UInt8]?
  private var rules: [[UInt8]: [Rule]] = [:]
  private var macros: [[UInt8]: [Word]] = [:]

  private struct Rule {
    let pattern: AttributePattern
    let words: [Word]
  }

  /// What a word of a line says.
  private enum Word {
    /// Of the attribute itself: whether it is `lfs`.
    case filter(Bool)
    /// Of an attribute that stands for several others: whether it is set.
    case macro([UInt8], isSet: Bool)
  }

  package init(content: @escaping ([UInt8]) throws(E) -> [UInt8]?) { self.content = content }

  package mutating func isLarge(_ path: [UInt8]) throws(E) -> Bool {
    var matching: [Rule] = []
    var start = path.startIndex
    while true {
      // Of the directory that ends before `start`: deeper ones come later, and win.
      let directory = path[..<max(start - 1, 0)]
      matching += try rules(of: Array(directory)).filter { $0.pattern.matches(path[start...]) }
      guard let slash = path[start...].firstIndex(of: UInt8(ascii: "/")) else { break }
      start = slash + 1
    }
    var decided: Set<[UInt8]> = []
    for rule in matching.reversed() {
      if let isLarge = decision(of: rule.words, &decided) { return isLarge }
    }
    return false
  }

  /// As git: the last word counts, also for an attribute that stands for others, which it does only where it is set.
  private func decision(of words: [Word], _ decided: inout Set<[UInt8]>) -> Bool? {
    for word in words.reversed() {
      switch word {
      case .filter(let isLarge): return isLarge
      case .macro(let name, let isSet):
        guard decided.insert(name).inserted, isSet, let words = macros[name] else { continue }
        if let isLarge = decision(of: words, &decided) { return isLarge }
      }
    }
    return nil
  }

  private mutating func rules(of directory: [UInt8]) throws(E) -> [Rule] {
    if let known = rules[directory] { return known }
    let text = try content(directory) ?? []
    let lines = text.split(separator: UInt8(ascii: "\n"))
      .filter { $0.count < Self.lineByteCountMax }.compactMap { Self.parts(of: $0) }
    // Only at the top, which is read first.
    if directory.isEmpty {
      for (name, words) in lines where name.starts(with: Self.macroMark) {
        macros[Array(name.dropFirst(Self.macroMark.count))] = words.compactMap { Self.word($0) }
      }
    }
    var found: [Rule] = []
    for (name, words) in lines where !name.starts(with: Self.macroMark) {
      let words = words.compactMap { Self.word($0) }.filter { isKnown($0) }
      guard !words.isEmpty, let pattern = AttributePattern(name) else { continue }
      found.append(Rule(pattern: pattern, words: words))
    }
    rules[directory] = found
    return found
  }

  private static var macroMark: [UInt8] { Array("[attr]".utf8) }

  private func isKnown(_ word: Word) -> Bool {
    if case .macro(let name, _) = word { macros[name] != nil } else { true }
  }

  private static func word(_ text: ArraySlice<UInt8>) -> Word? {
    let isNegated = text.first == UInt8(ascii: "-") || text.first == UInt8(ascii: "!")
    let rest = isNegated ? text.dropFirst() : text
    let name = Array(rest.prefix { $0 != UInt8(ascii: "=") })
    if name.elementsEqual("filter".utf8) { return .filter(text.elementsEqual("filter=lfs".utf8)) }
    return .macro(name, isSet: name.count == text.count)
  }

  /// The pattern, without its quotes, and the attributes; `nil`: a comment, or no line that git reads.
  private static func parts(
    of line: ArraySlice<UInt8>
  ) -> ([UInt8], [ArraySlice<UInt8>])? {
    let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 || byte == 0x0d }
    let trimmed = line.drop(while: isBlank)
    guard let first = trimmed.first, first != UInt8(ascii: "#") else { return nil }
    if first == UInt8(ascii: "\"") {
      guard let (name, rest) = unquoted(trimmed.dropFirst()) else { return nil }
      return (name, rest.split(whereSeparator: isBlank))
    }
    let words = trimmed.split(whereSeparator: isBlank)
    return words.first.map { (Array($0), Array(words.dropFirst())) }
  }

  /// As git's unquote_c_style.
  private static func unquoted(
    _ text: ArraySlice<UInt8>
  ) -> ([UInt8], ArraySlice<UInt8>)? {
    let letters: [UInt8: UInt8] = [
      0x61: 7, 0x62: 8, 0x66: 12, 0x6e: 10, 0x72: 13, 0x74: 9, 0x76: 11, 0x5c: 0x5c, 0x22: 0x22,
    ]
    var bytes: [UInt8] = []
    var rest = text
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "\""): return (bytes, rest)
      case UInt8(ascii: "\\"):
        guard let next = rest.popFirst() else { return nil }
        if let letter = letters[next] {
          bytes.append(letter)
          continue
        }
        let digits = [next] + rest.prefix(2)
        guard digits.count == 3, digits.allSatisfy({ (0x30...0x37).contains($0) }),
          let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
        else { return nil }
        bytes.append(value)
        rest = rest.dropFirst(2)
      default: bytes.append(byte)
      }
    }
    return nil
  }
}
