/// A value of a payload, without what nothing here asks for.
package enum JSONValue: Equatable, Sendable {
  case object([String: JSONValue])
  case array([JSONValue])
  case string(String)
  case bool(Bool)
  case null
  /// A number, or a text that is too long to be a name.
  case other

  /// `.null` where there is no object, or no such key in it: hosts leave out, or send null, as they like.
  subscript(key: String) -> JSONValue {
    if case .object(let values) = self { values[key] ?? .null } else { .null }
  }

  var string: String? {
    if case .string(let text) = self, !text.isEmpty { text } else { nil }
  }

  var isTrue: Bool { self == .bool(true) }

  var isNull: Bool { self == .null }

  /// `nil`: not an array.
  var array: [JSONValue]? { if case .array(let values) = self { values } else { nil } }

  /// The text at one of the keys each.
  func strings(_ keys: String...) -> [String?] { keys.map { self[$0].string } }
}
