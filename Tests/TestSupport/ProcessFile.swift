import Foundation

/// A file into which a script has written its number (`echo $$ >file`).
package enum ProcessFile {
  package struct NoNumber: Error { let text: String }

  /// Whether the process is there; one that init has not reaped yet is none.
  package static func isAlive(_ path: String) throws -> Bool {
    let text = try String(contentsOfFile: path, encoding: .utf8)
    guard let number = Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
      throw NoNumber(text: text)
    }
    guard let state = FileManager.default.contents(atPath: "/proc/\(number)/stat") else {
      return false
    }
    return !state.isEmpty && !String(decoding: state, as: UTF8.self).contains(") Z ")
  }
}
