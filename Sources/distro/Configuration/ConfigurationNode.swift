import Yams

/// One value of a configuration file with the place it stands at; reading it checks its type.
struct ConfigurationNode {
  let place: ConfigurationError.Place
  private let node: Node

  /// The whole file, which must be one mapping.
  init(file: String, text: String) throws {
    do {
      guard let node = try Yams.compose(yaml: text) else {
        throw ConfigurationError.wrongType(
          .init(file: file, line: 1, key: ""), expected: "a mapping", found: "nothing")
      }
      self.init(node, file: file, key: "")
    } catch let error as YamlError {
      throw ConfigurationError.syntax(file: file, line: error.line, reason: error.reason)
    }
  }

  private init(_ node: Node, file: String, key: String) {
    self.node = node
    place = .init(file: file, line: node.mark?.line ?? 1, key: key)
  }

  /// The values of a mapping that has no other keys than `keys`.
  func mapping(keys: [String]) throws -> ConfigurationMapping {
    guard case .mapping(let mapping) = node else {
      throw ConfigurationError.wrongType(place, expected: "a mapping", found: kind)
    }
    var values: [String: ConfigurationNode] = [:]
    for (key, value) in mapping {
      let name = key.string ?? ""
      guard keys.contains(name) else {
        let keyPlace = ConfigurationError.Place(
          file: place.file, line: key.mark?.line ?? place.line, key: place.key)
        throw ConfigurationError.unknownKey(name, keyPlace, nearest: nearest(to: name, among: keys))
      }
      values[name] = ConfigurationNode(value, file: place.file, key: extended(by: name))
    }
    return ConfigurationMapping(place: place, values: values)
  }

  /// The value of one key, whatever the others are; `nil` where there is no mapping, or no such key in it.
  func value(of key: String) -> ConfigurationNode? {
    guard case .mapping(let mapping) = node else { return nil }
    for (name, value) in mapping where name.string == key {
      return ConfigurationNode(value, file: place.file, key: extended(by: key))
    }
    return nil
  }

  var isMapping: Bool { if case .mapping = node { true } else { false } }

  var isList: Bool { if case .sequence = node { true } else { false } }

  /// `true` or `false`.
  func flag() throws -> Bool {
    guard let value = Bool(try string()) else {
      throw ConfigurationError.wrongType(
        place, expected: "true or false", found: "'\(try string())'")
    }
    return value
  }

  func list() throws -> [ConfigurationNode] {
    guard case .sequence(let sequence) = node else {
      throw ConfigurationError.wrongType(place, expected: "a list", found: kind)
    }
    return sequence.enumerated().map { index, value in
      ConfigurationNode(value, file: place.file, key: "\(place.key)[\(index)]")
    }
  }

  func string() throws -> String {
    guard case .scalar(let scalar) = node, !scalar.string.isEmpty else {
      throw ConfigurationError.wrongType(place, expected: "text", found: kind)
    }
    return scalar.string
  }

  /// A whole number of 1 or more.
  func count() throws -> Int {
    guard let value = Int(try string()), value >= 1 else {
      throw ConfigurationError.wrongType(
        place, expected: "a whole number of 1 or more", found: "'\(try string())'")
    }
    return value
  }

  /// One of the raw values of `Choice`.
  func choice<Choice: RawRepresentable & CaseIterable>(
    _ type: Choice.Type
  ) throws -> Choice where Choice.RawValue == String {
    let text = try string()
    guard let choice = Choice(rawValue: text) else {
      let names = Choice.allCases.map(\.rawValue).joined(separator: " or ")
      throw ConfigurationError.wrongType(place, expected: names, found: "'\(text)'")
    }
    return choice
  }

  func invalid(_ reason: String) -> ConfigurationError { .invalid(place, reason: reason) }

  private func extended(by key: String) -> String {
    place.key.isEmpty ? key : "\(place.key).\(key)"
  }

  private var kind: String {
    switch node {
    case .scalar(let scalar): scalar.string.isEmpty ? "nothing" : "text"
    case .mapping: "a mapping"
    case .sequence: "a list"
    case .alias: "an alias"
    }
  }
}

/// The values of a mapping whose keys have been checked.
struct ConfigurationMapping {
  let place: ConfigurationError.Place
  fileprivate let values: [String: ConfigurationNode]

  fileprivate init(place: ConfigurationError.Place, values: [String: ConfigurationNode]) {
    self.place = place
    self.values = values
  }

  subscript(optional key: String) -> ConfigurationNode? { values[key] }

  subscript(key: String) -> ConfigurationNode {
    get throws {
      guard let value = values[key] else { throw ConfigurationError.missingKey(key, place) }
      return value
    }
  }
}

extension YamlError {
  fileprivate var line: Int {
    switch self {
    case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _):
      mark.line
    case .duplicatedKeysInMapping(_, let context): context.mark.line
    default: 1
    }
  }

  fileprivate var reason: String {
    switch self {
    case .scanner(_, let problem, _, _), .parser(_, let problem, _, _),
      .composer(_, let problem, _, _):
      problem
    case .duplicatedKeysInMapping(let keys, _):
      "twice in one mapping: " + keys.sorted().map { "'\($0)'" }.joined(separator: ", ")
    case .reader: "is not UTF-8 text"
    default: "\(self)"
    }
  }
}
