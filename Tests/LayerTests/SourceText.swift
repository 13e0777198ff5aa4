/// Swift source with comments left out and strings emptied, so that a search finds code only.
struct SourceText {
  let code: String

  init(_ text: String) {
    var scanner = Scanner(rest: Array(text)[...])
    scanner.scan(until: nil)
    code = String(scanner.code)
  }

  private struct Scanner {
    var rest: ArraySlice<Character>
    var code: [Character] = []

    /// Up to the parenthesis that ends an interpolation, or up to the end.
    mutating func scan(until end: Character?) {
      var depth = 0
      while let next = rest.first {
        if starts("//") {
          rest = rest.drop { $0 != "\n" }
        } else if starts("\"") {
          skipString(delimiter: starts("\"\"\"") ? "\"\"\"" : "\"")
        } else {
          if next == "(" { depth += 1 }
          if next == ")" { depth -= 1 }
          rest = rest.dropFirst()
          if end != nil && depth < 0 { return }
          code.append(next)
        }
      }
    }

    private mutating func skipString(delimiter: String) {
      code += "\"\""
      rest = rest.dropFirst(delimiter.count)
      while !rest.isEmpty && !starts(delimiter) {
        if starts("\\(") {
          rest = rest.dropFirst(2)
          scan(until: ")")
        } else {
          rest = rest.dropFirst(starts("\\") ? 2 : 1)
        }
      }
      rest = rest.dropFirst(delimiter.count)
    }

    private func starts(_ text: String) -> Bool { rest.starts(with: text) }
  }
}
