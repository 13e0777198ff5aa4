/// Bytes that are not what docs/message-format.md says; a peer's fault, never the machine's.
package enum FormatError: Error, Equatable, CustomStringConvertible {
  case notCanonical(String)
  case unknownVersion(UInt32, of: String)
  case wrongLength(field: String, expected: Int, actual: Int)
  case invalid(field: String)
  case overLimit(field: String, limit: UInt64, actual: UInt64)

  package var description: String {
    switch self {
    case .notCanonical(let what):
      "\(what) is not in the one form that docs/message-format.md allows"
    case .unknownVersion(let version, let what):
      "\(what) has version \(version), this program knows version \(formatVersion)"
    case .wrongLength(let field, let expected, let actual):
      "\(field) has \(actual) bytes instead of \(expected)"
    case .invalid(let field):
      "\(field) is invalid" + (Self.expectation(of: field).map { ": expected \($0)" } ?? "")
    case .overLimit(let field, let limit, let actual):
      "\(field) is \(actual), over the limit of \(limit)"
    }
  }
}

extension FormatError {
  /// What docs/message-format.md says of a field, by its name without the structure's.
  private static func expectation(of field: String) -> String? {
    switch field.split(separator: ".").last {
    case "ref":
      "refs/heads/ and a name that git-check-ref-format(1) allows, no part of it beginning with -"
    case "remote", "detail": "text without control characters"
    case "recipients": "one or more"
    case "signatures": "one or more"
    case "before", "before_tree": "20 bytes, not all zero, or neither revision nor tree"
    case "after", "after_tree", "revision", "tree": "20 bytes, not all zero"
    case "previous": "none for sequence 1"
    case "sequence", "size": "1 or more"
    case "refusal": "a name that docs/message-format.md lists, and nothing that says otherwise"
    case "standing": "one that docs/message-format.md lists"
    case "descends": "nothing without a revision before"
    default: nil
    }
  }

  /// Too large, rather than in the wrong form.
  package var isOverLimit: Bool { if case .overLimit = self { true } else { false } }
}

/// The version of every structure; there is one, and no negotiation.
package let formatVersion: UInt32 = 1
