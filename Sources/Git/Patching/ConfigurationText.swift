/// What a text in the syntax of git's configuration says, one variable after the other. Nothing is included, and no
/// value is expanded.
///
/// Source: git-config(1), "Syntax".
struct ConfigurationText {
  struct Variable: Equatable {
    /// In lower case.
    let section: [UInt8]
    /// Byte for byte; `nil`: the section has no second name.
    let subsection: [UInt8]?
    /// In lower case.
    let key: [UInt8]
    /// `nil`: the variable stands without `=`.
    let value: [UInt8]?
  }

  private let bytes: [UInt8]
  private var position = 0
  private var line = 1
  private var section: [UInt8]?
  private var subsection: [UInt8]?

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    let mark: [UInt8] = [0xef, 0xbb, 0xbf]
    if bytes.starts(with: mark) { position = mark.count }
  }

  /// `nil` at the end.
  mutating func next() throws(SubmoduleFlaw) -> Variable? {
    while let byte = peek() {
      switch byte {
      case _ where byte.isSpace: advance()
      case UInt8(ascii: "#"), UInt8(ascii: ";"): skipLine()
      case UInt8(ascii: "["): try readHeader()
      default: return try readVariable()
      }
    }
    return nil
  }

  // MARK: - Headers

  private mutating func readHeader() throws(SubmoduleFlaw) {
    advance()
    let name = take { $0.isNameByte || $0 == UInt8(ascii: ".") }.map(\.lowercased)
    guard !name.isEmpty else { throw .syntax(line: line) }
    subsection = nil
    section = name
    if let dot = name.firstIndex(of: UInt8(ascii: ".")) {
      // The old form, whose second name has no case.
      (section, subsection) = (Array(name[..<dot]), Array(name[(dot + 1)...]))
    }
    if peek() == UInt8(ascii: "]") { return advance() }
    guard subsection == nil, peek().map(\.isBlank) == true else { throw .syntax(line: line) }
    _ = take(\.isBlank)
    guard peek() == UInt8(ascii: "\"") else { throw .syntax(line: line) }
    advance()
    subsection = try readSubsection()
    guard peek() == UInt8(ascii: "]") else { throw .syntax(line: line) }
    advance()
  }

  private mutating func readSubsection() throws(SubmoduleFlaw) -> [UInt8] {
    var name: [UInt8] = []
    while var byte = peek(), byte != UInt8(ascii: "\n") {
      advance()
      if byte == UInt8(ascii: "\"") { return name }
      if byte == UInt8(ascii: "\\") {
        guard let escaped = peek(), escaped != UInt8(ascii: "\n") else { break }
        byte = escaped
        advance()
      }
      name.append(byte)
    }
    throw .syntax(line: line)
  }

  // MARK: - Variables

  private mutating func readVariable() throws(SubmoduleFlaw) -> Variable {
    guard let section, let first = peek(), first.isLetter else { throw .syntax(line: line) }
    let key = take(\.isNameByte).map(\.lowercased)
    _ = take(\.isBlank)
    var value: [UInt8]?
    switch peek() {
    case UInt8(ascii: "="):
      advance()
      value = try readValue()
    case nil, UInt8(ascii: "\n"): break
    case UInt8(ascii: "\r") where peek(1) == UInt8(ascii: "\n"): break
    default: throw .syntax(line: line)
    }
    return Variable(section: section, subsection: subsection, key: key, value: value)
  }

  private mutating func readValue() throws(SubmoduleFlaw) -> [UInt8] {
    var value: [UInt8] = []
    // Blanks at both ends do not count, unless they are quoted.
    var blanks: [UInt8] = []
    var isQuoted = false
    while let byte = peek(), byte != UInt8(ascii: "\n") {
      advance()
      if byte == UInt8(ascii: "\r"), peek() == UInt8(ascii: "\n") || peek() == nil { continue }
      if !isQuoted, byte.isSpace {
        if !value.isEmpty { blanks.append(byte) }
        continue
      }
      if !isQuoted, byte == UInt8(ascii: "#") || byte == UInt8(ascii: ";") {
        skipLine()
        return value
      }
      if byte == UInt8(ascii: "\"") {
        isQuoted.toggle()
        // What is quoted counts, also where it is empty.
        value += try taken(&blanks)
        continue
      }
      value += try taken(&blanks)
      guard byte == UInt8(ascii: "\\") else {
        value.append(byte)
        continue
      }
      if let escaped = try readEscape() { value.append(escaped) }
    }
    guard !isQuoted else { throw .syntax(line: line) }
    return value
  }

  /// Blanks in the middle of a value. git's versions differ in what a tab there is.
  private func taken(_ blanks: inout [UInt8]) throws(SubmoduleFlaw) -> [UInt8] {
    guard blanks.allSatisfy({ $0 == UInt8(ascii: " ") }) else { throw .syntax(line: line) }
    defer { blanks = [] }
    return blanks
  }

  /// `nil`: the line goes on in the next one.
  private mutating func readEscape() throws(SubmoduleFlaw) -> UInt8? {
    guard let byte = peek() else { throw .syntax(line: line) }
    advance()
    switch byte {
    case UInt8(ascii: "\n"): return nil
    case UInt8(ascii: "\r") where peek() == UInt8(ascii: "\n"):
      advance()
      return nil
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): return byte
    case UInt8(ascii: "n"): return UInt8(ascii: "\n")
    case UInt8(ascii: "t"): return UInt8(ascii: "\t")
    case UInt8(ascii: "b"): return 8
    default: throw .syntax(line: line)
    }
  }

  // MARK: - Bytes

  private func peek(_ distance: Int = 0) -> UInt8? {
    position + distance < bytes.count ? bytes[position + distance] : nil
  }

  private mutating func advance() {
    if bytes[position] == UInt8(ascii: "\n") { line += 1 }
    position += 1
  }

  private mutating func take(_ belongs: (UInt8) -> Bool) -> [UInt8] {
    let start = position
    while let byte = peek(), belongs(byte) { advance() }
    return Array(bytes[start..<position])
  }

  private mutating func skipLine() {
    while let byte = peek(), byte != UInt8(ascii: "\n") { advance() }
  }
}

extension UInt8 {
  fileprivate var isBlank: Bool { self == UInt8(ascii: " ") || self == UInt8(ascii: "\t") }
  fileprivate var isSpace: Bool {
    isBlank || (9...13).contains(self)
  }
  fileprivate var isLetter: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(lowercased) }
  fileprivate var isNameByte: Bool {
    isLetter || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) || self == UInt8(ascii: "-")
  }
  fileprivate var lowercased: UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) ? self + 32 : self
  }
}
