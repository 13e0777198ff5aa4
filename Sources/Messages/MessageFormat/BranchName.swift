/// A branch by its full name, `refs/heads/…`; nothing else is carried yet.
///
/// Bytes are looked at and compared, as git does: to Swift's text, an accent and the letter before it are one character.
/// Source: git-check-ref-format(1). The rules are checked here since the name becomes a file below `.git`.
package struct BranchName: Sendable, CustomStringConvertible {
  package static let prefix = "refs/heads/"
  private static let forbidden = Array(" ~^:?*[\\".utf8)

  package let fullName: String

  /// `nil` unless it is a well-formed name below `refs/heads/` of at most 255 bytes.
  package init?(fullName: String) {
    let bytes = Array(fullName.utf8)
    guard bytes.starts(with: Self.prefix.utf8), bytes.count <= Limits.refByteCountMax else {
      return nil
    }
    let short = bytes.dropFirst(Self.prefix.utf8.count)
    let hasForbiddenPair = zip(short, short.dropFirst()).contains { pair in
      [pair.0, pair.1].elementsEqual("..".utf8) || [pair.0, pair.1].elementsEqual("@{".utf8)
    }
    guard !hasForbiddenPair, !short.elementsEqual("@".utf8),
      short.allSatisfy({ $0 > 0x20 && $0 != 0x7f && !Self.forbidden.contains($0) }),
      short.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        .allSatisfy(Self.isComponent)
    else { return nil }
    self.fullName = fullName
  }

  /// From what people type: `main` or `refs/heads/main`.
  package init?(_ name: String) {
    self.init(fullName: name.hasPrefix("refs/") ? name : Self.prefix + name)
  }

  package var shortName: String {
    String(decoding: fullName.utf8.dropFirst(Self.prefix.utf8.count), as: UTF8.self)
  }

  package var description: String { shortName }

  /// A minus at the beginning is fine with git, but it would pass for an option on a command line.
  private static func isComponent(_ bytes: ArraySlice<UInt8>) -> Bool {
    guard let first = bytes.first, let last = bytes.last else { return false }
    let dot = UInt8(ascii: ".")
    return first != dot && first != UInt8(ascii: "-") && last != dot
      && !bytes.suffix(5).elementsEqual(".lock".utf8)
  }
}

extension BranchName: Hashable {
  package static func == (left: BranchName, right: BranchName) -> Bool {
    left.fullName.utf8.elementsEqual(right.fullName.utf8)
  }

  package func hash(into hasher: inout Hasher) {
    for byte in fullName.utf8 { hasher.combine(byte) }
  }
}
