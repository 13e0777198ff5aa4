package import GitModel

/// What the `.gitmodules` of a tree says: where its submodules are, and where they come from.
///
/// Read strictly: what git's versions understand differently, and what has been used against git, is refused as a whole.
///
/// Source: gitmodules(5).
package struct SubmoduleList: Sendable, Equatable {
  package static let fileName = ".gitmodules"
  package static let byteCountMax = 1 << 20
  package static let countMax = 1_000
  /// Of submodules inside submodules.
  package static let depthMax = 8

  package struct Entry: Sendable, Equatable {
    package let name: SubmoduleName
    package let path: TreePath
    /// As it stands there: absolute, or relative to the repository's own.
    package let url: String
  }

  package let entries: [TreePath: Entry]

  package static let empty = SubmoduleList(entries: [:])

  private init(entries: [TreePath: Entry]) { self.entries = entries }

  package init(_ bytes: [UInt8]) throws(SubmoduleFlaw) {
    guard bytes.count <= Self.byteCountMax else {
      throw .tooLarge(byteCount: bytes.count, limit: Self.byteCountMax)
    }
    var parts: [SubmoduleName: Parts] = [:]
    var text = ConfigurationText(bytes)
    while let variable = try text.next() {
      guard variable.section.elementsEqual("submodule".utf8), let subsection = variable.subsection
      else { continue }
      let name = try SubmoduleName(subsection)
      try parts[name, default: Parts()].take(variable, of: name)
      guard parts.count <= Self.countMax else { throw .tooMany(limit: Self.countMax) }
    }
    try Self.requireApart(Array(parts.keys))
    var entries: [TreePath: Entry] = [:]
    for (name, parts) in parts {
      let entry = try parts.entry(named: name)
      guard entries.updateValue(entry, forKey: entry.path) == nil else {
        throw .samePath(entry.path)
      }
    }
    self.entries = entries
  }

  private static func requireApart(_ names: [SubmoduleName]) throws(SubmoduleFlaw) {
    let sorted = names.map { (key: $0.folded + [UInt8(ascii: "/")], name: $0) }
      .sorted { $0.key.lexicographicallyPrecedes($1.key) }
    for (first, second) in zip(sorted, sorted.dropFirst()) where second.key.starts(with: first.key)
    {
      throw .nestedNames(first.name, second.name)
    }
  }
}

/// What was read of one submodule.
private struct Parts {
  var path: [UInt8]?
  var url: [UInt8]?

  mutating func take(
    _ variable: ConfigurationText.Variable, of name: SubmoduleName
  ) throws(SubmoduleFlaw) {
    switch String(decoding: variable.key, as: UTF8.self) {
    case "path": try Self.set(&path, variable.value, "path", name)
    case "url": try Self.set(&url, variable.value, "url", name)
    case "update":
      if variable.value?.first == UInt8(ascii: "!") { throw .command(name) }
    default: break
    }
  }

  private static func set(
    _ field: inout [UInt8]?, _ value: [UInt8]?, _ key: String, _ name: SubmoduleName
  ) throws(SubmoduleFlaw) {
    guard let value else { throw .missing(key: key, name: name) }
    guard field == nil else { throw .twice(key: key, name: name) }
    field = value
  }

  func entry(named name: SubmoduleName) throws(SubmoduleFlaw) -> SubmoduleList.Entry {
    guard var bytes = path else { throw .missing(key: "path", name: name) }
    guard let url else { throw .missing(key: "url", name: name) }
    if bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
    let path: TreePath
    do throws(UnsafePath) {
      path = try TreePath(bytes)
    } catch {
      throw .unsafePath(error)
    }
    guard path.bytes.first != UInt8(ascii: "-") else { throw .pathIsOption(path) }
    guard let text = Self.text(url) else { throw .unsafeURL(name) }
    return SubmoduleList.Entry(name: name, path: path, url: text)
  }

  /// `nil`: it is no URL of a repository, whatever follows it.
  private static func text(_ bytes: [UInt8]) -> String? {
    guard let text = String(validating: bytes, as: UTF8.self), !text.isEmpty,
      !text.hasPrefix("-"),
      text.unicodeScalars.allSatisfy({ $0.value > 0x20 && $0.value != 0x7f })
    else { return nil }
    // `ext::sh -c …` and its like name a program (gitremote-helpers(7)).
    let start = text.prefix { $0 != "/" }
    return start.contains("::") && !start.contains("[") ? nil : text
  }
}
