extension ConfigurationFile {
  private static let wordCountMax = 50

  /// A program and its arguments, a word each: no shell reads them.
  func words(_ node: ConfigurationNode) throws -> [String] {
    let words = try node.list()
    guard let first = words.first, words.count <= Self.wordCountMax else {
      throw node.invalid("a program and \(Self.wordCountMax - 1) arguments at most expected")
    }
    return try [path(first)]
      + words.dropFirst().map { word in
        let text = try word.string()
        guard !text.utf8.contains(0) else { throw word.invalid("holds a null character") }
        return text
      }
  }
}
