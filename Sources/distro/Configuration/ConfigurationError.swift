import Diagnostics
import Sodium

/// A configuration file that is invalid: what, where, and what would be right.
enum ConfigurationError: Equatable, OperatorError {
  case unreadable(file: String, reason: String)
  case syntax(file: String, line: Int, reason: String)
  case unknownKey(String, Place, nearest: String?)
  case missingKey(String, Place)
  case wrongType(Place, expected: String, found: String)
  case invalid(Place, reason: String)
  /// A key file that it names.
  case key(SodiumError)

  /// A file, a line counted from 1, and the way of keys to the value.
  struct Place: Equatable, CustomStringConvertible {
    let file: String
    let line: Int
    let key: String

    var description: String { key.isEmpty ? "\(file):\(line)" : "\(file):\(line): \(key)" }
  }

  var description: String {
    switch self {
    case .unreadable(let file, let reason): "\(file): cannot read the configuration: \(reason)"
    case .syntax(let file, let line, let reason): "\(file):\(line): not valid YAML: \(reason)"
    case .unknownKey(let key, let place, _): "\(place): unknown key '\(key)'"
    case .missingKey(let key, let place): "\(place): the key '\(key)' is missing"
    case .wrongType(let place, let expected, let found):
      "\(place): \(expected) expected, found \(found)"
    case .invalid(let place, let reason): "\(place): \(reason)"
    case .key(let error): error.description
    }
  }

  var code: ErrorCode {
    if case .key(let error) = self { error.code } else { .configuration }
  }

  var exit: ExitStatus { .configuration }

  var hint: String? {
    switch self {
    case .unreadable:
      "name the file with --config; start from config/*.example.yaml"
    case .syntax: nil
    case .key(let error): error.hint
    case .unknownKey(_, _, let nearest?): "did you mean '\(nearest)'?"
    case .unknownKey: "docs/reference/configuration.md lists all keys"
    case .missingKey(let key, _):
      "add a line '\(key): …'; docs/reference/configuration.md explains it"
    case .wrongType, .invalid: "docs/reference/configuration.md lists all keys and their values"
    }
  }
}
