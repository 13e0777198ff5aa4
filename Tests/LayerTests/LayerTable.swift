import Foundation
import Testing

/// The package's directory, found from this file.
enum Package {
  static let directory = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

  static func text(_ path: String) throws -> String {
    try String(contentsOfFile: directory + "/" + path, encoding: .utf8)
  }

  /// Every Swift file of a target, as a path from the package's directory.
  static func sources(of target: String) throws -> [String] {
    let folder = try #require(try folders()[target], "\(target) has a folder")
    return try FileManager.default.subpathsOfDirectory(atPath: directory + "/" + folder)
      .filter { $0.hasSuffix(".swift") }
      .map { "\(folder)/\($0)" }
  }

  static func targetDirectories() throws -> Set<String> { Set(try folders().keys) }

  /// The folder of every target, by the target's name: a target is in a folder of its group, the program in its own.
  private static func folders() throws -> [String: String] {
    var folders = ["distro": "Sources/distro"]
    for group in try names(in: "Sources") where group != "distro" {
      for target in try names(in: "Sources/" + group) {
        folders[target] = "Sources/\(group)/\(target)"
      }
    }
    return folders
  }

  private static func names(in folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: directory + "/" + folder)
  }
}

/// The table of docs/architecture.md, "Layers".
struct LayerTable {
  struct Row {
    let layer: Int
    let mayImport: Set<String>
  }

  let rows: [String: Row]

  init() throws {
    var rows: [String: Row] = [:]
    for line in try Package.text("docs/architecture.md").split(separator: "\n") {
      let cells = line.split(separator: "|", omittingEmptySubsequences: false)
        .map { $0.trimmingCharacters(in: .whitespaces) }
      guard cells.count == 6, let layer = Int(cells[1]) else { continue }
      let target = cells[2].trimmingCharacters(in: ["`"])
      try #require(rows[target] == nil, "\(target) has one row")
      rows[target] = Row(layer: layer, mayImport: Set(Self.names(in: cells[4])))
    }
    try #require(rows.count > 15, "the table was found")
    self.rows = rows
  }

  private static func names(in cell: String) -> [String] {
    cell.matches(of: /`([A-Za-z0-9-]+)`/).map { String($0.output.1) }
  }
}

/// What Package.swift says of the targets in Sources, by name.
struct Manifest {
  let dependencies: [String: Set<String>]

  init() throws {
    let text = try Package.text("Package.swift")
    var products: [String: String] = [:]
    for match in text.matches(
      of: /let (\w+): Target\.Dependency = \.product\(\s*name: "(\w+)"/)
    {
      products[String(match.output.1)] = String(match.output.2)
    }
    var dependencies: [String: Set<String>] = [:]
    for match in text.matches(of: /\.systemLibrary\(\s*name: "(\w+)"/) {
      dependencies[String(match.output.1)] = []
    }
    let target =
      /\.(?:target|executableTarget)\(\s*name: "([\w-]+)"(?:,\s*dependencies: \[([^\]]*)\])?/
    for match in text.matches(of: target) {
      let names = (match.output.2 ?? "").split { $0 == "," || $0.isWhitespace }
      dependencies[String(match.output.1)] = Set(
        try names.map { name in
          if name.hasPrefix("\"") { return name.trimmingCharacters(in: ["\""]) }
          return try #require(products[String(name)], "\(name) is a library of others")
        })
    }
    // They lie below Tests.
    dependencies["TestSupport"] = nil
    dependencies["IronMQServer"] = nil
    dependencies["BareBrokers"] = nil
    for name in ["distro-bench", "distro-crash", "distro-simulate"] { dependencies[name] = nil }
    self.dependencies = dependencies
  }
}
