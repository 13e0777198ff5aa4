/// A pattern of names and paths as gitignore(5) has them: `*` stands for any characters but a slash, `**` for any characters,
/// `?` for one character but a slash. `**/` stands for any directories, or none.
package struct Glob: Hashable, Sendable, CustomStringConvertible {
  package let text: String
  private let scalars: [Unicode.Scalar]

  package init(_ text: String) {
    self.text = text
    scalars = Array(text.unicodeScalars)
  }

  package var description: String { text }

  package func matches(_ text: String) -> Bool { matches(Array(text.unicodeScalars)) }

  /// What is no UTF-8 in a path, `*` and `?` stand for.
  package func matches(_ path: TreePath) -> Bool {
    matches(Array(String(decoding: path.bytes, as: UTF8.self).unicodeScalars))
  }

  /// A row for each character of the pattern says which beginnings of the text fit.
  private func matches(_ text: [Unicode.Scalar]) -> Bool {
    var fits = [true] + [Bool](repeating: false, count: text.count)
    var rest = scalars[...]
    var isAtDirectory = true
    while let wanted = rest.popFirst() {
      guard wanted == "*" else {
        fits = Self.advance(fits, over: text) { wanted == "?" ? $0 != "/" : $0 == wanted }
        isAtDirectory = wanted == "/"
        continue
      }
      let takesSlashes = rest.first == "*"
      while rest.first == "*" { rest.removeFirst() }
      let before = fits
      for (index, scalar) in text.enumerated() where fits[index] {
        if takesSlashes || scalar != "/" { fits[index + 1] = true }
      }
      guard takesSlashes, isAtDirectory, rest.first == "/" else {
        isAtDirectory = false
        continue
      }
      rest.removeFirst()
      fits = Self.advance(fits, over: text) { $0 == "/" }
      for index in fits.indices where before[index] { fits[index] = true }
    }
    return fits[text.count]
  }

  private static func advance(
    _ fits: [Bool], over text: [Unicode.Scalar], _ isFitting: (Unicode.Scalar) -> Bool
  ) -> [Bool] {
    var next = [Bool](repeating: false, count: fits.count)
    for (index, scalar) in text.enumerated() where fits[index] {
      next[index + 1] = isFitting(scalar)
    }
    return next
  }
}
