package import Git
package import GitModel
package import MessageFormat

/// Which branches of a repository are sent: a name, or a pattern of names as `fnmatch` with FNM_PATHNAME has it, and as
/// code hosts have it for their branch rules: `*` stands for any characters but a slash, `**` for any characters, `?` for one
/// character but a slash.
package struct BranchPattern: Sendable, Hashable, CustomStringConvertible {
  /// With `refs/heads/`.
  package let fullText: String
  /// `nil`: it stands for any number of branches.
  package let name: BranchName?

  /// `nil` unless it is a branch's name once a letter stands in the place of each wildcard.
  package init?(_ text: String) {
    let full = text.hasPrefix("refs/") ? text : BranchName.prefix + text
    let sample = full.replacing("*", with: "x").replacing("?", with: "x")
    guard let sampleName = BranchName(fullName: sample) else { return nil }
    fullText = full
    name = sample == full ? sampleName : nil
  }

  package init(_ name: BranchName) {
    fullText = name.fullName
    self.name = name
  }

  package var description: String { String(fullText.dropFirst(BranchName.prefix.count)) }

  package func matches(_ branch: BranchName) -> Bool {
    if let name { return name == branch }
    return Self.matches(
      Array(fullText.unicodeScalars)[...], Array(branch.fullName.unicodeScalars)[...])
  }

  /// A row for each character of the pattern says which beginnings of the text fit: both are 255 bytes at most.
  private static func matches(
    _ pattern: ArraySlice<Unicode.Scalar>, _ text: ArraySlice<Unicode.Scalar>
  ) -> Bool {
    var fits = [true] + [Bool](repeating: false, count: text.count)
    var rest = pattern
    while let wanted = rest.popFirst() {
      if wanted == "*" {
        let takesSlashes = rest.first == "*"
        while rest.first == "*" { rest.removeFirst() }
        for (index, scalar) in text.enumerated() where fits[index] {
          if takesSlashes || scalar != "/" { fits[index + 1] = true }
        }
        continue
      }
      var next = [Bool](repeating: false, count: fits.count)
      for (index, scalar) in text.enumerated() where fits[index] {
        next[index + 1] = wanted == "?" ? scalar != "/" : scalar == wanted
      }
      fits = next
    }
    return fits[text.count]
  }
}

/// What stands under `branches:` of a repository.
package struct BranchPatterns: Sendable, Hashable {
  package let all: [BranchPattern]

  package init(_ all: [BranchPattern]) { self.all = all }

  package init(_ names: [BranchName]) { all = names.map { BranchPattern($0) } }

  package func contains(_ branch: BranchName) -> Bool { all.contains { $0.matches(branch) } }

  /// The names, whether branches of these names are there or not.
  package var names: [BranchName] { all.compactMap(\.name) }

  package var hasWildcards: Bool { all.contains { $0.name == nil } }

  /// Those that are there, and where they are. Lists the branches only where there are wildcards.
  package func tips(in repository: Repository) throws(GitError) -> [BranchName: ObjectID] {
    var tips: [BranchName: ObjectID] = [:]
    for name in names { tips[name] = try repository.referenceTarget(name.fullName) }
    guard hasWildcards else { return tips }
    for (text, id) in try repository.branches() {
      guard let branch = BranchName(fullName: text), contains(branch) else { continue }
      tips[branch] = id
    }
    return tips
  }
}
