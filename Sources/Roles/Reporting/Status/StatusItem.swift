package import GitModel
package import MessageFormat

/// A line that a code host shows at a revision.
package struct StatusItem: Hashable, Sendable {
  package enum Kind: Int, Codable, Sendable {
    case fleet = 0
    case deployment = 1
    case machine = 2
  }

  package struct Key: Hashable, Sendable {
    package let remote: RemoteName
    package let revision: ObjectID
    package let kind: Kind
    /// `distro`, or `distro/NAME`; of a deployment its environment.
    package let context: String
  }

  package let key: Key
  package let branch: BranchName
  package let state: StatusState
  /// For people; 140 characters at most.
  package let text: String

  package init(_ key: Key, branch: BranchName, _ state: StatusState, _ text: String) {
    (self.key, self.branch, self.state) = (key, branch, state)
    self.text = Self.cut(text)
  }

  /// GitHub's limit, and the smallest of all.
  private static let textCountMax = 140

  private static func cut(_ text: String) -> String {
    let scalars = text.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : $0 }
    guard scalars.count > textCountMax else { return String(String.UnicodeScalarView(scalars)) }
    return String(String.UnicodeScalarView(scalars.prefix(textCountMax - 1))) + "…"
  }
}
