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
      "\(field) has no valid value"
    case .overLimit(let field, let limit, let actual):
      "\(field) is \(actual), over the limit of \(limit)"
    }
  }
}

/// The version of every structure; there is one, and no negotiation.
package let formatVersion: UInt32 = 1
