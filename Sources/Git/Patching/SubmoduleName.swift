package import GitModel

/// The name of a submodule, which is also that of its repository below `.git/modules`: checked once, here, and never again.
///
/// Source: gitsubmodules(7); git refuses `..` alone, we refuse whatever is no harmless path.
package struct SubmoduleName: Hashable, Sendable, CustomStringConvertible {
  package static let byteCountMax = 255

  /// As a path below `.git/modules`.
  package let path: TreePath

  package init(_ bytes: [UInt8]) throws(SubmoduleFlaw) {
    let path: TreePath
    do throws(UnsafePath) {
      path = try TreePath(bytes)
    } catch {
      throw .unsafeName(bytes)
    }
    guard bytes.count <= Self.byteCountMax, !path.isUnusual,
      path.components.allSatisfy({ $0.first != UInt8(ascii: "-") })
    else { throw .unsafeName(bytes) }
    self.path = path
  }

  package var description: String { path.description }

  /// Whether the other one's repository would lie inside this one's, on a file system without case as well.
  func contains(_ other: SubmoduleName) -> Bool {
    (other.folded + [UInt8(ascii: "/")]).starts(with: folded + [UInt8(ascii: "/")])
  }

  /// Letters without their case: more is the same than on most file systems.
  var folded: [UInt8] { Array(String(decoding: path.bytes, as: UTF8.self).lowercased().utf8) }
}
