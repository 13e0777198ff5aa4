import Foundation
import Git
import GitModel
import Glibc
import Sodium

/// What a revision or a directory holds, by path.
typealias Files = [String: Entry]

/// One file as git sees it.
struct Entry: Hashable {
  enum Mode: String { case file = "100644", executable = "100755", link = "120000" }

  let mode: Mode
  let content: [UInt8]
  /// Entries are compared often, and some are large.
  private let digest: Digest

  init(_ text: String, mode: Mode = .file) { self.init(Array(text.utf8), mode: mode) }

  init(_ content: [UInt8], mode: Mode) {
    (self.content, self.mode) = (content, mode)
    digest = Digest(of: content)
  }

  static func == (one: Entry, other: Entry) -> Bool {
    one.mode == other.mode && one.digest == other.digest
  }

  func hash(into hasher: inout Hasher) { hasher.combine(digest) }

  /// For people.
  var text: String {
    "\(mode.rawValue) \(String(decoding: content.prefix(24), as: UTF8.self).debugDescription)"
  }
}

/// Files as they were found at the last look: one that is the same file, unchanged since, is not read again.
struct KnownFiles {
  private struct Key: Hashable {
    let inode: UInt
    let byteCount: Int
    let changed: Int
    let mode: UInt32

    init(_ status: stat) {
      (inode, byteCount, mode) = (status.st_ino, status.st_size, status.st_mode)
      changed = status.st_ctim.tv_sec * 1_000_000_000 + status.st_ctim.tv_nsec
    }
  }

  /// A file system's clock goes in ticks: what was changed so shortly before it was read may have been changed after it.
  private static let tickNanoseconds = 20_000_000
  private var old: [Key: Entry] = [:]
  private var new: [Key: Entry] = [:]
  private var now = 0

  mutating func begin() {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    now = time.tv_sec * 1_000_000_000 + time.tv_nsec
  }

  mutating func end() { (old, new) = (new, [:]) }

  mutating func entry(_ status: stat, _ read: () -> Entry) -> Entry {
    let key = Key(status)
    let entry = old[key] ?? read()
    if key.changed + Self.tickNanoseconds < now { new[key] = entry }
    return entry
  }
}

extension Files {
  /// Of a directory, without what git and we keep for ourselves; `nil`: it is not there.
  init?(of directory: String, known: inout KnownFiles) {
    var status = stat()
    guard lstat(directory, &status) == 0 else { return nil }
    self = [:]
    known.begin()
    add(directory, below: "", &known)
    known.end()
  }

  private mutating func add(_ directory: String, below prefix: String, _ known: inout KnownFiles) {
    guard let handle = opendir(directory) else { return }
    defer { closedir(handle) }
    while let entry = readdir(handle) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if [".", "..", ".git"].contains(name) || name.hasPrefix(".distro-") { continue }
      let path = directory + "/" + name
      var status = stat()
      guard lstat(path, &status) == 0 else { continue }
      switch status.st_mode & S_IFMT {
      case S_IFDIR: add(path, below: prefix + name + "/", &known)
      case S_IFLNK:
        self[prefix + name] = known.entry(status) { Entry(target(of: path), mode: .link) }
      default:
        let mode: Entry.Mode = status.st_mode & S_IXUSR == 0 ? .file : .executable
        self[prefix + name] = known.entry(status) { Entry(bytes(of: path), mode: mode) }
      }
    }
  }

  private func target(of path: String) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: 4_096) { buffer, count in
      count = buffer.withMemoryRebound(to: CChar.self) { text in
        text.baseAddress.map { Swift.max(0, readlink(path, $0, 4_096)) } ?? 0
      }
    }
  }

  /// The tree object, with all below it written.
  func write(to objects: ObjectDatabase) throws -> ObjectID {
    var items: [(key: String, mode: String, name: String, id: ObjectID)] = []
    var directories: [String: Files] = [:]
    for (path, entry) in self {
      guard let slash = path.firstIndex(of: "/") else {
        items.append((path, entry.mode.rawValue, path, try objects.write(.blob, entry.content)))
        continue
      }
      directories[String(path[..<slash]), default: [:]][String(path[path.index(after: slash)...])] =
        entry
    }
    for (name, files) in directories {
      items.append((name + "/", "40000", name, try files.write(to: objects)))
    }
    let bytes = items.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      .flatMap { Array("\($0.mode) \($0.name)\0".utf8) + $0.id.bytes }
    return try objects.write(.tree, bytes)
  }
}

/// The whole of a file; nothing where it cannot be read.
func bytes(of path: String) -> [UInt8] {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { return [] }
  defer { close(descriptor) }
  var status = stat()
  guard fstat(descriptor, &status) == 0 else { return [] }
  return [UInt8](unsafeUninitializedCapacity: Int(status.st_size)) { buffer, count in
    count = max(0, read(descriptor, buffer.baseAddress, Int(status.st_size)))
  }
}
