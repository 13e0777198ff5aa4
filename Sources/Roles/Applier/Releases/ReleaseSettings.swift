package import GitModel

/// How a checkout's files come to be where they are used.
package enum CheckoutLayout: Hashable, Sendable {
  /// Each path that changes, in a directory that people may work in with git.
  case inPlace
  /// A directory for each revision, and a link to the one in use.
  case releases(ReleaseSettings)

  package var releases: ReleaseSettings? {
    if case .releases(let settings) = self { settings } else { nil }
  }
}

package struct ReleaseSettings: Hashable, Sendable {
  /// How many releases stay, the one in use and the one before it among them: 2 at least.
  package let keep: Int
  /// What all releases have in common: in each, a link to the same path below `shared`.
  package let shared: [TreePath]

  package init(keep: Int, shared: [TreePath]) {
    precondition(keep >= 2, "what is in use and what was before it stay")
    (self.keep, self.shared) = (keep, shared)
  }
}

extension CheckoutSettings {
  /// Where its repository is: that of releases has no files of its own.
  package var repositoryPath: String {
    layout.releases == nil ? path : path + "/" + ReleasePlace.repositoryName
  }
}

extension TreePath {
  /// As it is; a configuration has it from a text.
  package var text: String { String(decoding: bytes, as: UTF8.self) }
}
