/// A pattern of `.gitattributes`, matched in time that only grows with the text: a crafted one costs no more than another.
///
/// Source: gitattributes(5), gitignore(5), "PATTERN FORMAT"; git's wildmatch.c.
struct AttributePattern {
  private enum Step {
    case byte(UInt8)
    /// `?`: any byte but a slash.
    case any
    /// `[…]`: one of these, a slash excepted.
    case set(Set<UInt8>)
    /// `*`: any number of bytes but slashes.
    case star
    /// Any number of bytes.
    case all
    /// The next steps may be left out.
    case optional(Int)
  }

  private let steps: [Step]
  /// Compared with the last name of a path alone.
  private let isOfName: Bool

  /// `nil`: no path ever matches it.
  init?(_ text: [UInt8]) {
    var pattern = text[...]
    guard let last = pattern.last, last != Self.slash, pattern.first != UInt8(ascii: "!") else {
      return nil
    }
    isOfName = !pattern.contains(Self.slash)
    if pattern.first == Self.slash { pattern = pattern.dropFirst() }
    guard let steps = Self.steps(of: Array(pattern)) else { return nil }
    self.steps = steps
  }

  /// `path`: below the directory of the file that the pattern stands in.
  func matches(_ path: ArraySlice<UInt8>) -> Bool {
    guard isOfName else { return matchesWhole(path) }
    let name = path.lastIndex(of: Self.slash).map { path[path.index(after: $0)...] } ?? path
    return matchesWhole(name)
  }

  private static let slash = UInt8(ascii: "/")

  // MARK: - Matching

  /// All steps at which the text can be are followed side by side.
  private func matchesWhole(_ text: ArraySlice<UInt8>) -> Bool {
    var places = [Bool](repeating: false, count: steps.count + 1)
    reach(0, &places)
    for byte in text {
      var next = [Bool](repeating: false, count: steps.count + 1)
      for index in steps.indices where places[index] {
        switch steps[index] {
        case .byte(let wanted): if byte == wanted { reach(index + 1, &next) }
        case .any: if byte != Self.slash { reach(index + 1, &next) }
        case .set(let bytes): if bytes.contains(byte) { reach(index + 1, &next) }
        case .star: if byte != Self.slash { reach(index, &next) }
        case .all: reach(index, &next)
        case .optional: break
        }
      }
      places = next
    }
    return places[steps.count]
  }

  private func reach(_ index: Int, _ places: inout [Bool]) {
    guard !places[index] else { return }
    places[index] = true
    guard index < steps.count else { return }
    switch steps[index] {
    case .star, .all: reach(index + 1, &places)
    case .optional(let count):
      reach(index + 1, &places)
      reach(index + 1 + count, &places)
    default: break
    }
  }

  // MARK: - Reading

  private static func steps(of pattern: [UInt8]) -> [Step]? {
    var steps: [Step] = []
    var index = 0
    while index < pattern.count {
      switch pattern[index] {
      case UInt8(ascii: "\\"):
        guard index + 1 < pattern.count else { return nil }
        steps.append(.byte(pattern[index + 1]))
        index += 2
      case UInt8(ascii: "?"):
        steps.append(.any)
        index += 1
      case UInt8(ascii: "*"):
        let end = pattern[index...].firstIndex { $0 != UInt8(ascii: "*") } ?? pattern.count
        let isAlone =
          end - index > 1 && (index == 0 || pattern[index - 1] == slash)
          && (end == pattern.count || pattern[end] == slash)
        if isAlone, end < pattern.count {
          steps += [.optional(2), .all, .byte(slash)]
          index = end + 1
        } else {
          steps.append(isAlone ? .all : .star)
          index = end
        }
      case UInt8(ascii: "["):
        guard let (set, end) = set(in: pattern, from: index + 1) else { return nil }
        steps.append(.set(set))
        index = end
      case let byte:
        steps.append(.byte(byte))
        index += 1
      }
    }
    return steps
  }

  /// The bytes between brackets, and where the pattern goes on.
  private static func set(in pattern: [UInt8], from start: Int) -> (Set<UInt8>, Int)? {
    var index = start
    guard index < pattern.count else { return nil }
    let isNegated = pattern[index] == UInt8(ascii: "!") || pattern[index] == UInt8(ascii: "^")
    if isNegated { index += 1 }
    var bytes: Set<UInt8> = []
    var isFirst = true
    while index < pattern.count {
      if pattern[index] == UInt8(ascii: "]"), !isFirst {
        let set = isNegated ? Set(0...UInt8.max).subtracting(bytes) : bytes
        return (set.subtracting([slash]), index + 1)
      }
      isFirst = false
      if pattern[index...].starts(with: Array("[:".utf8)),
        let end = (index + 2..<max(index + 2, pattern.count - 1)).first(where: {
          pattern[$0] == UInt8(ascii: ":") && pattern[$0 + 1] == UInt8(ascii: "]")
        })
      {
        guard let named = named(String(decoding: pattern[index + 2..<end], as: UTF8.self)) else {
          return nil
        }
        bytes.formUnion(named)
        index = end + 2
        continue
      }
      guard let low = byte(in: pattern, at: &index) else { return nil }
      guard index + 1 < pattern.count, pattern[index] == UInt8(ascii: "-"),
        pattern[index + 1] != UInt8(ascii: "]")
      else {
        bytes.insert(low)
        continue
      }
      index += 1
      guard let high = byte(in: pattern, at: &index) else { return nil }
      if low <= high { bytes.formUnion(low...high) }
    }
    return nil
  }

  private static func byte(in pattern: [UInt8], at index: inout Int) -> UInt8? {
    if pattern[index] == UInt8(ascii: "\\") { index += 1 }
    guard index < pattern.count else { return nil }
    defer { index += 1 }
    return pattern[index]
  }

  private static func named(_ name: String) -> [UInt8]? {
    let (digits, upper, lower) = (UInt8(0x30)...0x39, UInt8(0x41)...0x5a, UInt8(0x61)...0x7a)
    let printable = UInt8(0x21)...0x7e
    let isAlnum = { (byte: UInt8) in
      digits.contains(byte) || upper.contains(byte) || lower.contains(byte)
    }
    return switch name {
    case "digit": Array(digits)
    case "upper": Array(upper)
    case "lower": Array(lower)
    case "alpha": Array(upper) + Array(lower)
    case "alnum": printable.filter(isAlnum)
    case "punct": printable.filter { !isAlnum($0) }
    case "graph": Array(printable)
    case "print": [0x20] + Array(printable)
    case "blank": [0x20, 0x09]
    case "space": [0x20] + Array(0x09...0x0d)
    case "cntrl": Array(0...0x1f) + [0x7f]
    case "xdigit": Array(digits) + Array(0x41...0x46) + Array(0x61...0x66)
    default: nil
    }
  }
}
