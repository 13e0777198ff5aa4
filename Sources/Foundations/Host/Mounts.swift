import Foundation

/// What is mounted where (proc_pid_mountinfo(5)).
package enum Mounts {
  private static let table = "/proc/self/mountinfo"

  /// The file systems below a directory.
  package static func below(_ directory: String) throws -> [String] {
    let prefix = directory + (directory.hasSuffix("/") ? "" : "/")
    let text = String(decoding: try Data(contentsOf: URL(fileURLWithPath: table)), as: UTF8.self)
    return text.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: " ")
      guard fields.count > 4 else { return nil }
      let path = unescaped(fields[4].utf8)
      return path.hasPrefix(prefix) ? path : nil
    }
  }

  /// Spaces and the like are written as three octal digits.
  private static func unescaped(_ field: Substring.UTF8View) -> String {
    var bytes: [UInt8] = []
    var rest = field[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "\\"),
        let code = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8)
      {
        bytes.append(code)
        rest = rest.dropFirst(3)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
