package import GitModel
import MessageFormat

/// What of a repository a checkout takes, and when.
package struct CheckoutPolicy: Hashable, Sendable {
  package enum Submodules: String, Sendable, CaseIterable { case allow, refuse }

  package static let everything = CheckoutPolicy()

  /// Empty: all paths.
  package let allowedPaths: [Glob]
  package let deniedPaths: [Glob]
  package let submodules: Submodules
  /// When messages wait.
  package let noApply: [NoApplyWindow]

  package init(
    allowedPaths: [Glob] = [], deniedPaths: [Glob] = [], submodules: Submodules = .allow,
    noApply: [NoApplyWindow] = []
  ) {
    self.allowedPaths = allowedPaths
    self.deniedPaths = deniedPaths
    self.submodules = submodules
    self.noApply = noApply
  }

  /// Whatever happens there: a path that is taken away counts as well.
  func require(_ change: TreeChange) throws(Refused) {
    if let glob = deniedPaths.first(where: { $0.matches(change.path) }) {
      throw Refused(.notPermitted, "\(change.path) is denied by '\(glob)' in 'deny-paths'")
    }
    if !allowedPaths.isEmpty, !allowedPaths.contains(where: { $0.matches(change.path) }) {
      throw Refused(.notPermitted, "\(change.path) is not in 'allow-paths'")
    }
    if submodules == .refuse, change.new?.mode == .submodule {
      throw Refused(.notPermitted, "\(change.path) is a submodule; 'submodules: allow' takes it")
    }
  }

  /// Until when nothing is applied; `nil`: it may be now.
  func pauseEnd(at now: Timestamp) -> Timestamp? {
    noApply.compactMap { $0.end(at: now) }.max()
  }
}
