import Foundation

/// A file system of a few MiB in memory, which can run full.
package enum SmallDisk {
  /// Mounted on `directory` for as long as `body` runs; what it opened must be closed by then.
  package static func mount<Result>(
    on directory: String, byteCount: Int, nodeCount: Int? = nil, home: String,
    _ body: () throws -> Result
  ) throws -> Result {
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true)
    let size = "size=\(byteCount)" + (nodeCount.map { ",nr_inodes=\($0)" } ?? "")
    try Program.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", directory], home: home)
    let result = Swift.Result { try body() }
    try Program.run(["umount", "-l", directory], home: home)
    return try result.get()
  }

  /// Whether this machine lets us mount anything.
  package static let isAllowed: Bool = {
    do {
      let folder = try TemporaryFolder()
      try mount(on: folder.path + "/disk", byteCount: 65_536, home: folder.path) {}
      return true
    } catch {
      return false
    }
  }()
}
