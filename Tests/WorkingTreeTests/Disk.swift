import Glibc

/// The test's own hands on the disk: paths are bytes, links are not followed, and every failure
/// is an error.
enum Disk {
  struct Failure: Error {
    let operation: String
    let path: String
    let code: Int32
  }

  static func write(_ path: Bytes, _ content: Bytes, permissions: mode_t = 0o666) throws {
    let number = unsafe open(
      path.characters, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, permissions)
    guard number >= 0 else { throw failure("open", path) }
    defer { close(number) }
    let count = unsafe content.bytes.withUnsafeBytes {
      unsafe Glibc.write(number, $0.baseAddress, $0.count)
    }
    guard count == content.bytes.count else { throw failure("write", path) }
  }

  static func read(_ path: Bytes) throws -> [UInt8] {
    let number = unsafe open(path.characters, O_RDONLY | O_NOFOLLOW)
    guard number >= 0 else { throw failure("open", path) }
    defer { close(number) }
    var content: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = unsafe Glibc.read(number, &buffer, buffer.count)
      guard count >= 0 else { throw failure("read", path) }
      if count == 0 { return content }
      content += buffer[..<count]
    }
  }

  /// With the directories above it.
  static func makeDirectory(_ path: Bytes) throws {
    if unsafe mkdir(path.characters, 0o777) == 0 || errno == EEXIST { return }
    guard errno == ENOENT, let slash = path.bytes.lastIndex(of: UInt8(ascii: "/")) else {
      throw failure("mkdir", path)
    }
    try makeDirectory(Bytes(Array(path.bytes[..<slash])))
    try check(unsafe mkdir(path.characters, 0o777), "mkdir", path)
  }

  static func makeLink(_ path: Bytes, to target: Bytes) throws {
    try check(unsafe symlink(target.characters, path.characters), "symlink", path)
  }

  static func makeHardLink(_ path: Bytes, to existing: Bytes) throws {
    try check(unsafe link(existing.characters, path.characters), "link", path)
  }

  static func makeFIFO(_ path: Bytes) throws {
    try check(unsafe mkfifo(path.characters, 0o666), "mkfifo", path)
  }

  static func rename(_ path: Bytes, to new: Bytes) throws {
    try check(unsafe Glibc.rename(path.characters, new.characters), "rename", path)
  }

  static func setPermissions(_ path: Bytes, _ permissions: mode_t) throws {
    try check(unsafe chmod(path.characters, permissions), "chmod", path)
  }

  static func setOwner(_ path: Bytes, user: uid_t, group: gid_t) throws {
    try check(unsafe lchown(path.characters, user, group), "chown", path)
  }

  static func status(_ path: Bytes) throws -> stat {
    var status = stat()
    try check(unsafe lstat(path.characters, &status), "lstat", path)
    return status
  }

  static func names(in path: Bytes) throws -> [[UInt8]] {
    guard let stream = unsafe opendir(path.characters) else { throw failure("opendir", path) }
    defer { unsafe closedir(stream) }
    var names: [[UInt8]] = []
    while let item = unsafe readdir(stream) {
      let name = unsafe withUnsafeBytes(of: &item.pointee.d_name) {
        unsafe Array($0.prefix { $0 != 0 })
      }
      if name != Array(".".utf8) && name != Array("..".utf8) { names.append(name) }
    }
    return names
  }

  /// With everything below it.
  static func remove(_ path: Bytes) throws {
    if try status(path).st_mode & S_IFMT == S_IFDIR {
      for name in try names(in: path) { try remove(path + "/" + Bytes(name)) }
      try check(unsafe rmdir(path.characters), "rmdir", path)
    } else {
      try check(unsafe unlink(path.characters), "unlink", path)
    }
  }

  /// Everything below a directory: type, permissions and content by path.
  static func snapshot(_ top: Bytes, at prefix: Bytes = "") throws -> [Bytes: String] {
    var snapshot: [Bytes: String] = [:]
    for name in try names(in: top) {
      let (path, key) = (top + "/" + Bytes(name), prefix + Bytes(name))
      let mode = try status(path).st_mode
      let permissions = String(mode & 0o7777, radix: 8)
      switch mode & S_IFMT {
      case S_IFDIR:
        snapshot[key] = "directory \(permissions)"
        snapshot.merge(try Self.snapshot(path, at: key + "/")) { old, _ in old }
      case S_IFREG: snapshot[key] = "file \(permissions) \(Bytes(try read(path)))"
      case S_IFLNK: snapshot[key] = "link \(Bytes(try linkTarget(path)))"
      default: snapshot[key] = "other \(mode)"
      }
    }
    return snapshot
  }

  private static func linkTarget(_ path: Bytes) throws -> [UInt8] {
    var target = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = unsafe readlink(path.characters, &target, target.count)
    guard count >= 0 else { throw failure("readlink", path) }
    return target.prefix(count).map { UInt8(bitPattern: $0) }
  }

  private static func check(_ result: Int32, _ operation: String, _ path: Bytes) throws {
    guard result == 0 else { throw failure(operation, path) }
  }

  private static func failure(_ operation: String, _ path: Bytes) -> Failure {
    Failure(operation: operation, path: path.description, code: errno)
  }
}

/// A path or content as the file system has it: bytes that need not be UTF-8.
struct Bytes: Hashable, ExpressibleByStringInterpolation, CustomStringConvertible {
  let bytes: [UInt8]

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  init(stringLiteral text: String) {
    bytes = Array(text.utf8)
  }

  var characters: [CChar] { bytes.map { CChar(bitPattern: $0) } + [0] }

  var description: String { String(decoding: bytes, as: UTF8.self) }

  static func + (left: Bytes, right: Bytes) -> Bytes { Bytes(left.bytes + right.bytes) }
}
