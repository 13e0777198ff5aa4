/// A path inside a tree that is safe to write below a directory: checked once, here, and never again.
///
/// Bytes, not text: git stores what the file system had. Components are separated by one slash.
package struct TreePath: Hashable, Sendable, Comparable, CustomStringConvertible {
  package let bytes: [UInt8]

  /// Throws for every path that could name something outside the tree or inside `.git` on any file system.
  package init(_ bytes: [UInt8]) throws(UnsafePath) {
    if let hazard = Self.hazard(in: bytes) { throw UnsafePath(path: bytes, hazard: hazard) }
    self.bytes = bytes
  }

  package init(_ text: String) throws(UnsafePath) {
    try self.init(Array(text.utf8))
  }

  package var components: [ArraySlice<UInt8>] {
    bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
  }

  /// Harmless to a Linux file system, but not to terminals, logs or other systems: control characters
  /// (U+0000 to U+001F, U+007F to U+009F, and bytes of 0x80 to 0x9f that are no part of UTF-8) and
  /// backslashes. A checkout accepts such paths only where its configuration says so.
  package var isUnusual: Bool {
    let isPlain = { (byte: UInt8) in byte >= 0x20 && byte != 0x7f && byte != UInt8(ascii: "\\") }
    guard bytes.allSatisfy(isPlain) else { return true }
    guard bytes.contains(where: { (0x80...0x9f).contains($0) }) else { return false }
    var decoder = UTF8()
    var rest = bytes.makeIterator()
    while true {
      switch decoder.decode(&rest) {
      case .scalarValue(let scalar): if (0x80...0x9f).contains(scalar.value) { return true }
      // Where the text is not UTF-8, a terminal may take any such byte for a control character.
      case .error: return true
      case .emptyInput: return false
      }
    }
  }

  /// For people: between double quotes, everything but printable ASCII as octal escapes.
  package var description: String { Self.quoted(bytes) }

  package static func < (left: TreePath, right: TreePath) -> Bool {
    left.bytes.lexicographicallyPrecedes(right.bytes)
  }

  /// git's C-style quoting with every byte outside printable ASCII as three octal digits.
  ///
  /// Source: git-config(1), `core.quotePath`.
  package static func quoted(_ bytes: some Sequence<UInt8>) -> String {
    var text: [UInt8] = [UInt8(ascii: "\"")]
    for byte in bytes {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        text += [UInt8(ascii: "\\"), byte]
      case 0x20...0x7e:
        text.append(byte)
      default:
        text.append(UInt8(ascii: "\\"))
        text += [byte >> 6, byte >> 3 & 7, byte & 7].map { $0 + UInt8(ascii: "0") }
      }
    }
    text.append(UInt8(ascii: "\""))
    return String(decoding: text, as: UTF8.self)
  }
}
