import Foundation

/// A directory of one test; it goes with the value.
package final class TemporaryFolder: Sendable {
  package let path: String

  package init() throws {
    path = NSTemporaryDirectory() + "distro-tests-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
  }

  deinit {
    do {
      try FileManager.default.removeItem(atPath: path)
    } catch {
      FileHandle.standardError.write(Data("left behind: \(path): \(error)\n".utf8))
    }
  }

  /// The path of a new file with this content.
  package func file(_ content: [UInt8], mode: Int = 0o600) throws -> String {
    let file = "\(path)/\(UUID().uuidString)"
    guard FileManager.default.createFile(atPath: file, contents: Data(content)) else {
      throw CocoaError(.fileWriteUnknown)
    }
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
    return file
  }

  package func file(_ content: String, mode: Int = 0o600) throws -> String {
    try file(Array(content.utf8), mode: mode)
  }

  package func content(_ path: String) throws -> String {
    try String(contentsOfFile: path, encoding: .utf8)
  }

  package func mode(_ path: String) throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
  }

  package var names: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
  }
}
