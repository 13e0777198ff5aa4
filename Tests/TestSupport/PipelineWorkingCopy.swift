import Foundation
import Glibc

/// Everything about a directory that a refused message must leave as it was: each file with its kind, mode, content,
/// inode and time; `.git` with it, except for our own lock.
package struct PipelineWorkingCopy: Equatable, CustomStringConvertible {
  private struct Entry: Hashable {
    let mode: UInt32
    let inode: UInt64
    let seconds: Int
    let nanoseconds: Int
    let content: [UInt8]
  }

  private var entries: [String: Entry] = [:]

  package init(_ path: String) throws {
    try add(path, as: ".")
  }

  private mutating func add(_ path: String, as name: String) throws {
    var status = stat()
    guard unsafe lstat(path, &status) == 0 else {
      guard errno == ENOENT else { throw CocoaError(.fileReadUnknown) }
      return
    }
    let kind = status.st_mode & S_IFMT
    var content: [UInt8] = []
    if kind == S_IFREG { content = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) }
    if kind == S_IFLNK {
      content = Array(try FileManager.default.destinationOfSymbolicLink(atPath: path).utf8)
    }
    // The directories of `.git` see locks and quarantined packs come and go.
    let isGitDirectory = kind == S_IFDIR && name.hasPrefix("./.git")
    entries[name] = Entry(
      mode: status.st_mode, inode: UInt64(status.st_ino),
      seconds: isGitDirectory ? 0 : status.st_mtim.tv_sec,
      nanoseconds: isGitDirectory ? 0 : status.st_mtim.tv_nsec, content: content)
    guard kind == S_IFDIR else { return }
    for child in try FileManager.default.contentsOfDirectory(atPath: path) {
      if name == "./.git" && child.hasPrefix("distro") { continue }
      try add(path + "/" + child, as: name + "/" + child)
    }
  }

  package var description: String { "\(entries.count) entries" }

  /// What is not the same.
  package func difference(from other: PipelineWorkingCopy) -> [String] {
    Set(entries.keys).union(other.entries.keys)
      .filter { entries[$0] != other.entries[$0] }.sorted()
  }
}
