import Foundation
import TestSupport

/// A file system in memory below one role, which can be made full at any moment.
final class Disk {
  let path: String
  private let byteCount: Int
  private(set) var isFull = false

  private static let mark = "DISTRO_CRASH_HAS_MOUNTS"

  /// Gives this program, and all that it starts, mounts of their own, which go when it does, however it ends: begins it
  /// anew. `false`: this user may not.
  static func prepare() throws -> Bool {
    if ProcessInfo.processInfo.environment[mark] != nil { return true }
    let unshare = "/usr/bin/unshare"
    let options = ["--mount", "--propagation", "private"]
    guard getuid() == 0, FileManager.default.isExecutableFile(atPath: unshare),
      try Program.status([unshare] + options + ["true"], home: NSTemporaryDirectory()).status == 0
    else { return false }
    setenv(mark, "1", 1)
    let own = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path
    let words = [unshare] + options + [own] + CommandLine.arguments.dropFirst()
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    execv(unshare, &arguments)
    throw Failure("\(unshare): \(String(cString: strerror(errno)))")
  }

  /// Mounts it on an empty directory.
  init(at path: String, byteCount: Int) throws {
    self.path = path
    self.byteCount = byteCount
    try mount(size: byteCount)
  }

  private func mount(size: Int, flags: UInt = 0) throws {
    guard Glibc.mount("tmpfs", path, "tmpfs", flags, "size=\(size),mode=700") == 0 else {
      throw Failure("mount \(path): \(String(cString: strerror(errno)))")
    }
  }

  /// Leaves no room for another page. What is written at this moment may be faster: then it is full a little later.
  func fill() throws {
    for _ in 0..<100 {
      var status = statvfs()
      guard statvfs(path, &status) == 0 else {
        throw Failure("statvfs \(path): \(String(cString: strerror(errno)))")
      }
      let used = Int(status.f_blocks - status.f_bfree) * Int(status.f_frsize)
      do {
        try mount(size: max(used, 4_096), flags: UInt(MS_REMOUNT))
        isFull = true
        return
      } catch {
        continue
      }
    }
  }

  func free() throws {
    try mount(size: byteCount, flags: UInt(MS_REMOUNT))
    isFull = false
  }

  func unmount() throws {
    guard umount2(path, Int32(MNT_DETACH)) == 0 else {
      throw Failure("umount \(path): \(String(cString: strerror(errno)))")
    }
  }
}
