import CGit2
import CLinux
import Glibc

/// The rights on what we make in a git directory: `core.sharedRepository` of git-config(1).
package struct SharedPermissions: Equatable, Sendable {
  private let mode: mode_t
  /// The mode is all that there is, whatever the umask leaves.
  private let isExact: Bool

  /// What the umask leaves.
  package static let umask = SharedPermissions(mode: 0, isExact: false)

  private init(mode: mode_t, isExact: Bool) {
    self.mode = mode
    self.isExact = isExact
  }

  /// From the value in the configuration, as git's `git_config_perm` reads it.
  package init(configured value: String?) {
    switch value?.lowercased() {
    case nil, "umask", "false", "no", "off": self = .umask
    case "group", "true", "yes", "on", "": self.init(mode: 0o660, isExact: false)
    case "all", "world", "everybody": self.init(mode: 0o664, isExact: false)
    case let text?:
      switch mode_t(text, radix: 8) {
      case nil, 0: self = .umask
      case 1: self.init(mode: 0o660, isExact: false)
      case 2: self.init(mode: 0o664, isExact: false)
      case let mode?: self.init(mode: mode & 0o666 | 0o600, isExact: true)
      }
    }
  }

  /// As git's `adjust_shared_perm` does.
  package func adjust(_ path: String) throws(GitError) {
    guard self != .umask else { return }
    var status = stat()
    guard unsafe lstat(path, &status) == 0 else { throw SystemFile.failure("lstat", path) }
    let old = status.st_mode & 0o7777
    let isDirectory = status.st_mode & S_IFMT == S_IFDIR
    var new = Self.combined(old, isDirectory: isDirectory, mode, isExact)
    if isDirectory, new & S_IRWXG != 0 { new |= S_ISGID }
    guard new != old else { return }
    if isDirectory { return try Self.set(new, old, ofDirectory: path) }
    guard unsafe chmod(path, new) == 0 else { throw SystemFile.failure("chmod", path) }
  }

  private static func combined(
    _ old: mode_t, isDirectory: Bool, _ mode: mode_t, _ isExact: Bool
  ) -> mode_t {
    var tweak = mode
    if old & S_IWUSR == 0 { tweak &= ~0o222 }
    if isDirectory || old & S_IXUSR != 0 { tweak |= (tweak & 0o444) >> 2 }
    return isExact ? old & ~0o777 | tweak : old | tweak
  }

  /// `RestrictSUIDSGID` of systemd.exec(5) forbids chmod with the set-group-ID bit, also where it is set
  /// already. An ACL of three entries is nothing but the permissions, and leaves the bit alone.
  private static func set(
    _ new: mode_t, _ old: mode_t, ofDirectory path: String
  ) throws(GitError) {
    if unsafe chmod(path, new) == 0 { return }
    guard errno == EPERM else { throw SystemFile.failure("chmod", path) }
    let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw SystemFile.failure("open", path) }
    defer { close(descriptor) }
    let anyone: [UInt8] = [0xff, 0xff, 0xff, 0xff]
    let list: [UInt8] =
      [2, 0, 0, 0] + [0x01, 0, UInt8(new >> 6 & 7), 0] + anyone
      + [0x04, 0, UInt8(new >> 3 & 7), 0] + anyone + [0x20, 0, UInt8(new & 7), 0] + anyone
    guard
      unsafe fsetxattr(descriptor, "system.posix_acl_access", list, list.count, 0) == 0
    else {
      throw SystemFile.failure("fsetxattr", path)
    }
  }
}

extension Repository {
  package var sharedPermissions: SharedPermissions {
    get throws(GitError) {
      SharedPermissions(configured: try configured("core.sharedrepository"))
    }
  }
}
