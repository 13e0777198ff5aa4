/// A path that must not be written, and why.
package struct UnsafePath: Error, Equatable, CustomStringConvertible {
  package let path: [UInt8]
  package let hazard: PathHazard

  package var description: String { "path \(TreePath.quoted(path)): \(hazard.rawValue)" }
}

/// The closed list of what makes a path unsafe on every file system that a checkout may lie on.
package enum PathHazard: String, Sendable, CaseIterable {
  case empty = "is empty"
  case tooLong = "is longer than 4096 bytes"
  case emptyComponent = "has an empty component"
  case componentTooLong = "has a component longer than 255 bytes"
  case nul = "has a NUL byte"
  case dot = "has a component . or .."
  case gitDirectory = "names .git, as it is or as a case, HFS or NTFS alias of it"
  case shortName = "names an NTFS short name of .git"
}

extension TreePath {
  package static let byteCountMax = 4_096  // PATH_MAX, limits.h
  package static let componentByteCountMax = 255  // NAME_MAX, limits.h

  static func hazard(in bytes: [UInt8]) -> PathHazard? {
    if bytes.isEmpty { return .empty }
    if bytes.count > byteCountMax { return .tooLong }
    if bytes.contains(0) { return .nul }
    for component in bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
      if let hazard = hazard(inComponent: component) { return hazard }
    }
    return nil
  }

  private static func hazard(inComponent component: ArraySlice<UInt8>) -> PathHazard? {
    if component.isEmpty { return .emptyComponent }
    if component.count > componentByteCountMax { return .componentTooLong }
    if component.elementsEqual(".".utf8) || component.elementsEqual("..".utf8) { return .dot }
    // Windows takes a backslash for a slash: every part between two of them must be harmless too.
    for part in component.split(separator: UInt8(ascii: "\\"), omittingEmptySubsequences: true) {
      if part.elementsEqual("..".utf8) { return .dot }
      let name = canonicalName(of: part)
      if name == Array(".git".utf8) { return .gitDirectory }
      if isShortName(name) { return .shortName }
    }
    return nil
  }

  /// Whether the path's last component is one that git itself reads, `.gitmodules` and the like, under any alias:
  /// as a symbolic link it would make git read a file of someone else's choice.
  package var endsInGitFile: Bool {
    guard let last = components.last else { return false }
    return Self.canonicalName(of: last).starts(with: Array(".git".utf8))
  }

  /// What HFS+ and NTFS would make of a name: ignorable code points dropped, letters in lower case, an alternate
  /// data stream and trailing dots and spaces dropped.
  ///
  /// Source: git's utf8.c (`is_hfs_dotgit`) and path.c (`is_ntfs_dotgit`).
  private static func canonicalName(of part: ArraySlice<UInt8>) -> [UInt8] {
    var name: [UInt8] = []
    var rest = part
    while let byte = rest.first {
      if rest.count >= 3,
        isHFSIgnorable(rest[rest.startIndex], rest[rest.startIndex + 1], rest[rest.startIndex + 2])
      {
        rest = rest.dropFirst(3)
        continue
      }
      if byte == UInt8(ascii: ":") { break }
      name.append((UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte)
      rest = rest.dropFirst()
    }
    while let last = name.last, last == UInt8(ascii: ".") || last == UInt8(ascii: " ") {
      name.removeLast()
    }
    return name
  }

  /// U+200C…200F, U+202A…202E, U+206A…206F and U+FEFF, as UTF-8.
  private static func isHFSIgnorable(_ first: UInt8, _ second: UInt8, _ third: UInt8) -> Bool {
    switch (first, second, third) {
    case (0xe2, 0x80, 0x8c...0x8f), (0xe2, 0x80, 0xaa...0xae), (0xe2, 0x81, 0xaa...0xaf),
      (0xef, 0xbb, 0xbf):
      true
    default: false
    }
  }

  /// `git~1`, `git~2`, …: what NTFS may call `.git` where 8.3 names are on.
  private static func isShortName(_ name: [UInt8]) -> Bool {
    let prefix = Array("git~".utf8)
    return name.count > prefix.count && name.starts(with: prefix)
      && name.dropFirst(prefix.count).allSatisfy {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
      }
  }
}

extension TreePath {
  /// Whether a component is `.git` under any alias.
  package static func isGitDirectory(_ component: ArraySlice<UInt8>) -> Bool {
    canonicalName(of: component) == Array(".git".utf8)
  }
}
