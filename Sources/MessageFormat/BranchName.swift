/// A branch by its full name, `refs/heads/…`; nothing else is carried yet.
///
/// Source: git-check-ref-format(1). The rules are checked here since the name becomes a file below `.git`.
package struct BranchName: Hashable, Sendable, CustomStringConvertible {
  package static let prefix = "refs/heads/"

  package let fullName: String

  /// `nil` unless it is a well-formed name below `refs/heads/` of at most 255 bytes.
  package init?(fullName: String) {
    guard fullName.hasPrefix(Self.prefix), fullName.utf8.count <= Limits.refByteCountMax else {
      return nil
    }
    let short = fullName.dropFirst(Self.prefix.count)
    guard !short.contains(".."), !short.contains("@{"), !short.contains("//"), short != "@" else {
      return nil
    }
    let forbidden = Array(" ~^:?*[\\".utf8)
    guard short.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f && !forbidden.contains($0) }) else {
      return nil
    }
    let components = short.split(separator: "/", omittingEmptySubsequences: false)
    guard
      components.allSatisfy({
        !$0.isEmpty && !$0.hasPrefix(".") && !$0.hasPrefix("-") && !$0.hasSuffix(".")
          && !$0.hasSuffix(".lock")
      })
    else { return nil }
    self.fullName = fullName
  }

  /// From what people type: `main` or `refs/heads/main`.
  package init?(_ name: String) {
    self.init(fullName: name.hasPrefix("refs/") ? name : Self.prefix + name)
  }

  package var shortName: String { String(fullName.dropFirst(Self.prefix.count)) }

  package var description: String { shortName }
}
