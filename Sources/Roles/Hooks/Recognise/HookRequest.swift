/// A request to a hook as its host sent it, read to its end.
package struct HookRequest: Sendable {
  package let headers: HookHeaders
  package let body: [UInt8]

  package init(headers: HookHeaders, body: [UInt8]) {
    (self.headers, self.body) = (headers, body)
  }
}

/// Headers by their names in lower case.
package struct HookHeaders: Sendable {
  private let values: [String: String]

  /// Of several headers with one name the first counts.
  package init(_ fields: some Sequence<(name: String, value: String)>) {
    values = Dictionary(fields.map { ($0.name.lowercased(), $0.value) }) { first, _ in first }
  }

  /// `nil`: missing, or empty, which is the same: Gitea sends an empty signature where it has no secret.
  package subscript(name: String) -> String? {
    guard let value = values[name], !value.isEmpty else { return nil }
    return value
  }

  /// The media type, in lower case and without its parameters.
  package var contentType: String? {
    self["content-type"]?.prefix { $0 != ";" }.lowercased().filter { $0 != " " }
  }
}
