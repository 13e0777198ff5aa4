/// What a verified request says.
package enum Recognition: Equatable, Sendable {
  case push(PushEvent)
  /// A person tries the hook, or has just made it.
  case test
  /// An event that we do not handle, in the host's own words.
  case ignored(String)
}

/// Refs of one repository have moved, by the word of its host.
package struct PushEvent: Equatable, Sendable {
  package let repository: RepositoryClaim
  /// Branches and tags by their full names.
  package let refs: [String]
  /// The host does not say which: any may have moved.
  package let namesNoRef: Bool

  /// `nil` in `refs`: a ref that is neither a branch nor a tag.
  init(_ repository: RepositoryClaim, refs: [String?]) {
    self.repository = repository
    self.refs = refs.compactMap(\.self)
    namesNoRef = refs.isEmpty
  }
}

/// Which repository a payload is about: every address and path that it gives.
package struct RepositoryClaim: Equatable, Sendable {
  package var addresses: [String] = []
  /// `acme/shop`, where the host gives no address.
  package var path: String?

  package init(addresses: [String?] = [], path: String? = nil) {
    self.addresses = addresses.compactMap(\.self)
    self.path = path
  }

  /// A payload that says nothing of its repository is of the hook's: its path and secret have told.
  package func isOf(_ remote: RepositoryAddress) -> Bool {
    let known = addresses.map { RepositoryAddress($0) }.filter { !$0.path.isEmpty }
    if !known.isEmpty { return known.contains(remote) }
    return path.map { remote.hasPath($0) } ?? true
  }
}

/// Why a verified request is not understood.
package enum PayloadFlaw: Error, Equatable, Sendable {
  case notJSON(String)
  case missing(String)

  package var reason: String {
    switch self {
    case .notJSON(let reason): reason
    case .missing(let field): "the payload has no '\(field)'"
    }
  }
}

enum RefName {
  /// A branch or a tag that git could have; `nil`: anything else.
  static func checked(_ name: String) -> String? {
    guard ["refs/heads/", "refs/tags/"].contains(where: { name.hasPrefix($0) && name != $0 }),
      name.utf8.count <= HookLimits.refByteCountMax,
      name.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f })
    else { return nil }
    return name
  }

  /// From a short name, as `create` and `delete` events have it; hosts differ.
  static func checked(_ name: String, type: String?) -> String? {
    if name.hasPrefix("refs/") { return checked(name) }
    return switch type?.lowercased() {
    case "branch", "named_branch": checked("refs/heads/" + name)
    case "tag", "annotated_tag": checked("refs/tags/" + name)
    default: nil
    }
  }
}
