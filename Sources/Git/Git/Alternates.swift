/// Where else a repository's objects lie: `objects/info/alternates`, and those of the alternates.
///
/// libgit2 reads the first by itself, but takes relative paths in the others from the working directory
/// of the process. Source: gitrepository-layout(5), "objects/info/alternates"; git's object-file.c
/// (`link_alt_odb_entries`).
enum Alternates {
  /// As git: further ones are not followed.
  private static let depthMax = 5
  private static let countMax = 1_000

  /// The directories, those of the alternates behind their own; each once.
  static func all(of objectsDirectory: String) throws(GitError) -> [String] {
    var found: [String] = []
    var pending = [(directory: objectsDirectory, depth: 0)]
    while let (directory, depth) = pending.popLast(), found.count < countMax {
      guard depth <= depthMax, let bytes = try SystemFile.read(directory + "/info/alternates")
      else { continue }
      for line in bytes.split(separator: UInt8(ascii: "\n")) {
        guard let path = path(in: line, from: directory), !found.contains(path) else { continue }
        found.append(path)
        pending.append((path, depth + 1))
      }
    }
    return found
  }

  private static func path(in line: ArraySlice<UInt8>, from directory: String) -> String? {
    guard let first = line.first, first != UInt8(ascii: "#") else { return nil }
    let name = first == UInt8(ascii: "\"") ? unquoted(line) : Array(line)
    guard let name else { return nil }
    let text = String(decoding: name, as: UTF8.self)
    return text.hasPrefix("/") ? text : directory + "/" + text
  }

  /// git's C-style quoting; `nil` for what is not whole.
  private static func unquoted(_ line: ArraySlice<UInt8>) -> [UInt8]? {
    let escapes: [UInt8: UInt8] = [
      UInt8(ascii: "a"): 7, UInt8(ascii: "b"): 8, UInt8(ascii: "t"): 9, UInt8(ascii: "n"): 10,
      UInt8(ascii: "v"): 11, UInt8(ascii: "f"): 12, UInt8(ascii: "r"): 13,
      UInt8(ascii: "\""): UInt8(ascii: "\""), UInt8(ascii: "\\"): UInt8(ascii: "\\"),
    ]
    var name: [UInt8] = []
    var rest = line.dropFirst()
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "\"") { return name }
      guard byte == UInt8(ascii: "\\") else {
        name.append(byte)
        continue
      }
      guard let code = rest.popFirst() else { return nil }
      if let escaped = escapes[code] {
        name.append(escaped)
      } else {
        let digits = [code] + rest.prefix(2)
        rest = rest.dropFirst(2)
        guard let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 8) else {
          return nil
        }
        name.append(value)
      }
    }
    return nil
  }
}

extension ObjectDatabase {
  /// One that is there already is not opened again.
  func addAlternates(of objectsDirectory: String) throws(GitError) {
    for directory in try Alternates.all(of: objectsDirectory) { try add(directory) }
  }
}
