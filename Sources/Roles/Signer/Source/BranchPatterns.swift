package import Git
package import GitModel
package import MessageFormat

/// Which branches of a repository are sent: a name, or a pattern of names (`Glob`), as code hosts have it for their branch rules.
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
    return Glob(fullText).matches(branch.fullName)
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
