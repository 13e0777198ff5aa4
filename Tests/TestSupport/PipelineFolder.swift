import Foundation

/// A temporary directory; gone with its last reference.
package final class PipelineFolder: Sendable {
  package let path: String
  private let isOurs: Bool

  package init() throws {
    isOurs = true
    path = FileManager.default.temporaryDirectory.path + "/distro-e2e-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
  }

  /// Another process's, which stays.
  package init(existing path: String) {
    self.path = path
    isOurs = false
  }

  deinit {
    guard isOurs else { return }
    do {
      try FileManager.default.removeItem(atPath: path)
    } catch {
      FileHandle.standardError.write(Data("left behind: \(path): \(error)\n".utf8))
    }
  }

  package func path(_ name: String) -> String { path + "/" + name }

  /// Makes the file, or replaces what it holds.
  @discardableResult
  package func write(_ name: String, _ text: String) throws -> String {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path(name)))
    return path(name)
  }

  package func edit(_ name: String, _ old: String, _ new: String) throws {
    let text = try String(contentsOfFile: path(name), encoding: .utf8)
    guard text.contains(old) else { throw Missing(text: old, file: path(name)) }
    try write(name, text.replacing(old, with: new))
  }

  private struct Missing: Error {
    let text: String
    let file: String
  }
}
